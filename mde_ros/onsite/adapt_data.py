# Copyright 2026 mde_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The data of an adaptation: frames to learn from and frames held out, of target and source."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import network_size
from mde_ros.datasets.bag_file import is_bag
from mde_ros.datasets.frame import FrameError
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.registry import open_spec, parse_spec
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.adapt_settings import AdaptError, AdaptSettings
from mde_ros.onsite.frame_subset import FrameSubset, hold_out
from mde_ros.onsite.source_replay import ensure_replay

ADAPT, CHECK = 'adapt', 'check'
# The check needs some pictures of either side.
SMALLEST_CHECK = 4


@dataclass(frozen=True)
class AdaptData:
    """
    What adaptation may see, and nothing else.

    :param target: unlabelled frames to learn from.
    :param target_check: unlabelled frames held out.
    :param whole: all frames of the recording in order, unlabelled, for scale and motion.
    :param sources: labelled frames to learn from.
    :param source_checks: labelled frames held out.
    :param facts: what decides the result, for the run's identity and the report.
    """

    target: IndexedDataset
    target_check: IndexedDataset
    whole: IndexedDataset
    sources: list[IndexedDataset]
    source_checks: list[IndexedDataset]
    facts: dict[str, Any]

    def camera(self) -> Intrinsics:
        """
        Return the intrinsics of the target's first readable frame.

        :raises AdaptError: when none can be read.
        """
        for frame in self.target:
            return frame.intrinsics
        raise AdaptError(f'{self.target.path}: no readable frame: record again')

    def input_size(self, area: int) -> tuple[int, int]:
        """
        Return width and height of what the network sees of the target's camera on the robot.

        :param area: pixels of the network's input.
        :raises AdaptError: when no frame can be read.
        """
        camera = self.camera()
        return network_size(camera.width, camera.height, area)


def open_set(text: str, read_depth: bool, split: str | None = None) -> IndexedDataset:
    """
    Open 'FOLDER', 'FOLDER:SPLIT' or 'KIND:PATH?key=value'; a path that exists comes first.

    :raises mde_ros.datasets.frame.DatasetError: when it cannot be read.
    :raises AdaptError: for a bag, which has no frames by number.
    """
    spec = parse_spec(text)
    if spec.kind:
        return open_spec(spec, split, read_depth=read_depth)
    path = Path(text)
    if ':' in path.name and not path.exists():
        text, _, split = text.rpartition(':')
        path = Path(text)
    if path.exists() and is_bag(path):
        raise AdaptError(f'{path} is a bag: make a recording of it first, with mde record')
    return RgbdFolder(path, split=split, read_depth=read_depth)


def open_target(settings: AdaptSettings) -> tuple[IndexedDataset, IndexedDataset]:
    """
    Return the target's frames to learn from and those held out, both without depth.

    A recording has splits adapt and check; of other data every fifth block is held out.

    :raises AdaptError: when too few are left.
    """
    whole = open_set(settings.target, read_depth=False)
    splits = whole.meta.get('splits') or {}
    if whole.split is not None:
        learnt = whole
    elif settings.split or ADAPT in splits:
        learnt = open_set(settings.target, read_depth=False, split=settings.split or ADAPT)
    else:
        learnt = whole
    if learnt.split == ADAPT and len(splits.get(CHECK, ())) >= SMALLEST_CHECK:
        held: IndexedDataset = open_set(str(whole.path), read_depth=False, split=CHECK)
    else:
        learnt, held = hold_out(learnt)
    if len(held) < SMALLEST_CHECK:
        raise AdaptError(f'{whole.path}: {len(learnt)} frames to learn from and {len(held)} to '
                         f'check with, where {SMALLEST_CHECK} are needed: record more')
    return learnt, held


def open_data(settings: AdaptSettings, report: Callable[[int, int], None] | None = None
              ) -> AdaptData:
    """
    Open target and source, the stored replay where no source is given.

    :param report: called with (done, all) while a replay is rendered.
    """
    target, target_check = open_target(settings)
    sources: list[IndexedDataset]
    checks: list[IndexedDataset]
    if settings.source:
        pairs = [hold_out(open_set(text, read_depth=True)) for text in settings.source]
        sources, checks = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        for one in sources:
            if not one.labelled:
                raise AdaptError(f'--source {one.path}: has no depth/: give labelled data')
        source: Any = [{'name': one.name, 'frames': len(one), 'hash': frames_hash(one)}
                       for one in sources]
    else:
        replay = ensure_replay(settings.replay, settings.replay_frames, report=report)
        sources, checks = [replay.train()], [replay.check()]
        source = replay.facts
    facts = {
        'source': source,
        'target': {'name': target.name, 'frames': len(target), 'check': len(target_check),
                   'hash': frames_hash(target) + frames_hash(target_check)}}
    return AdaptData(target, target_check, _in_order(target, target_check), sources, checks, facts)


def _in_order(learnt: IndexedDataset, held: IndexedDataset) -> IndexedDataset:
    """Return the frames of both parts in the order of the recording; of no other split."""
    wanted = {*learnt.names, *held.names}
    base = getattr(learnt, 'base', learnt)
    if isinstance(base, RgbdFolder):
        base = RgbdFolder(base.path, read_depth=False)
    return FrameSubset(base, [i for i, name in enumerate(base.names) if name in wanted])


def frames_hash(data: IndexedDataset) -> str:
    """Return a hash over the names of frames and, of RGB-D folders, the bytes of pictures."""
    found = blake2b(digest_size=8)
    base = getattr(data, 'base', data)
    for name in data.names:
        found.update(name.encode())
        if isinstance(base, RgbdFolder):
            try:
                found.update(base.image_path(name).read_bytes())
            except (FrameError, OSError):
                found.update(b'unreadable')  # skipped and counted when it is drawn
    return found.hexdigest()
