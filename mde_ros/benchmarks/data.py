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

"""The data of a scenario, ready to open: rendered, cropped or as recorded."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mde_ros.benchmarks.claims import changed_fields, read_json, write_json
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.scenarios import RealSet, Scenario, SimulatedSet, Target
from mde_ros.benchmarks.settings import Settings
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.datasets.registry import parse_spec, Spec
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.evaluation.protocols import DepthProtocol

Report = Callable[[str], None]
# Written last, beside the folder of a set: what it was made from.
DONE = '.done.json'


@dataclass(frozen=True)
class Part:
    """
    A folder, or one split of it.

    :param spec: of a data set of another kind, which then lies in ``path``.
    """

    path: Path
    split: str | None = None
    spec: Spec | None = None

    @classmethod
    def of(cls, text: str) -> 'Part':
        """Return a folder by its path, or any data set by its spec string."""
        spec = parse_spec(text)
        return cls(spec.path, spec.split, spec if spec.kind else None)

    def open(self, read_depth: bool) -> IndexedDataset:
        """Open it, with labels or without."""
        if self.spec is None:
            return RgbdFolder(self.path, split=self.split, read_depth=read_depth)
        found = open_dataset(str(self.spec), read_depth=read_depth)
        assert isinstance(found, IndexedDataset)  # a kind is given: no bag
        return found

    def camera(self, protocol: DepthProtocol | None = None) -> Intrinsics:
        """
        Return the camera of what a network is given, that of the first frame where they differ.

        :raises BenchmarkError: when no frame can be read.
        """
        source = self.open(False)
        if isinstance(source, RgbdFolder) and protocol is None:
            return source.intrinsics
        for frame in source:
            return (protocol.prepare(frame) if protocol else frame).intrinsics
        raise BenchmarkError(f'{self.path}: no readable frame')

    def to_dict(self) -> dict[str, Any]:
        """Return what must be the same for a training to go on; folders may move."""
        name = self.path.name
        if self.spec is not None:
            name = str(replace(self.spec, path=Path(name)))
        return {'name': name, 'split': self.split, 'frames': len(self.open(False))}


@dataclass(frozen=True)
class ReadyTarget:
    """
    A target: frames to adapt to and frames that are scored.

    :param protocol: how; None for 0.3 m to 10 m of the whole image.
    """

    name: str
    adapt: Part
    score: Part
    protocol: DepthProtocol | None = None


@dataclass(frozen=True)
class ReadyData:
    """The data of one table."""

    source: tuple[Part, ...]
    targets: tuple[ReadyTarget, ...]


class DataMaker:
    """
    Renders and crops into a cache; what is there already is used again.

    :param cache: folder of rendered sets.
    :param recordings: folder of real sets, None when no scenario needs them.
    :param workers: processes that render.
    :param report: called with a line on what is being made.
    """

    def __init__(self, settings: Settings, cache: Path, recordings: Path | None = None,
                 workers: int = 2, report: Report = lambda text: None) -> None:
        self.settings, self.cache, self.recordings = settings, cache, recordings
        self.workers, self.report = workers, report

    def make(self, scenario: Scenario, targets: tuple[Target, ...]) -> ReadyData:
        """Return the source and the given targets of a scenario."""
        return ReadyData(
            tuple(self.part(one) for one in scenario.source),
            tuple(ReadyTarget(t.name, self.part(t.adapt), self.part(t.score)) for t in targets))

    def part(self, one: SimulatedSet | RealSet) -> Part:
        """Return one set, made if it is not there."""
        if isinstance(one, SimulatedSet):
            return Part(self._render(one))
        path = self._recording(one.name)
        return Part(self._crop(path, one.border) if one.border else path, one.split)

    def _recording(self, name: str) -> Path:
        if self.recordings is None:
            raise BenchmarkError(f'--data is missing: give the folder that holds {name}')
        if not (self.recordings / name / 'meta.json').is_file():
            raise BenchmarkError(f'--data {self.recordings}: holds no RGB-D folder {name}')
        return self.recordings / name

    def _fresh(self, path: Path, recipe: dict[str, Any]) -> bool:
        """Return whether a set is still to be made; refuse one of another recipe."""
        before = read_json(path.with_name(path.name + DONE))
        if before is None or not (path / 'meta.json').is_file():
            return True
        if names := changed_fields(before, recipe):
            raise BenchmarkError(
                f"{path} was made with other settings ({', '.join(names)}): give another --out")
        return False

    def _render(self, one: SimulatedSet) -> Path:
        from mde_ros.simulation.generator import generate
        from mde_ros.simulation.scenes import Settings as RoomSettings
        size, frames = self.settings, self.settings.frames(one.role)
        focal = None if one.focal is None else round(one.focal * size.frame_width, 3)
        rooms = RoomSettings(one.seed, size.frame_width, size.frame_height, size.views_per_room,
                             None, one.camera, one.weather, focal)
        path = self.cache / one.name
        recipe = {'frames': frames, **{key: getattr(rooms, key) for key in (
            'seed', 'width', 'height', 'views', 'camera', 'weather', 'focal')}}
        if self._fresh(path, recipe):
            self.report(f'rendering {frames} frames into {path}')
            generate(path, frames, rooms, self.workers)
            write_json(path.with_name(path.name + DONE), recipe)
        return path

    def _crop(self, origin: Path, border: int) -> Path:
        """Return a copy of a recording without its border; frames keep their names."""
        path = self.cache / f'{origin.name}_without_border'
        source = RgbdFolder(origin)
        recipe = {'frames': len(source), 'border': border}
        if not self._fresh(path, recipe):
            return path
        self.report(f'cropping {len(source)} frames into {path}')
        width, height = (side - 2 * border for side in (
            source.intrinsics.width, source.intrinsics.height))
        facts: dict[str, Any] = {key: str(source.meta.get(key, 'unknown'))
                                 for key in ('camera', 'licence', 'source')}
        with RgbdFolderWriter(
                path, source.intrinsics.cropped(border, border, width, height), **facts,
                splits=source.meta.get('splits', {})) as writer:
            for frame in source:
                if frame.name in writer or frame.depth is None:
                    continue
                window = (slice(border, border + height), slice(border, border + width))
                writer.write(Frame(
                    frame.name, frame.stamp_ns, frame.image[window].copy(),
                    frame.intrinsics.cropped(border, border, width, height),
                    frame.depth[window].copy()))
        write_json(path.with_name(path.name + DONE), recipe)
        return path
