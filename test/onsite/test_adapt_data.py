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

"""What adaptation sees: splits, held-out blocks, sources, and never a label of the target."""

import json
from pathlib import Path
from typing import Any

from adapt_harness import CAMERA, tiny_settings, write_frames
import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite import adapt_data
from mde_ros.onsite.adapt_data import frames_hash, open_data, open_set, open_target
from mde_ros.onsite.adapt_settings import AdaptError
from mde_ros.onsite.source_replay import Replay

NAMES = [f'{number:06d}' for number in range(25)]


def with_splits(folder: Path, **splits: list[str]) -> None:
    """Write splits into the meta.json of a folder."""
    meta = json.loads((folder / 'meta.json').read_text())
    (folder / 'meta.json').write_text(json.dumps({**meta, 'splits': splits}))


def test_every_fifth_block_of_other_data(tmp_path: Path) -> None:
    learnt, held = open_target(tiny_settings(tmp_path))
    assert len(learnt) == 20 and held.names == [NAMES[i] for i in (2, 7, 12, 17, 22)]


def test_the_splits_of_a_recording(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    with_splits(tmp_path / 'recording', adapt=NAMES[:12], check=NAMES[12:18], score=NAMES[18:])
    learnt, held = open_target(settings)
    assert learnt.names == NAMES[:12] and held.names == NAMES[12:18]
    # Of a check that is too small nothing is taken; it is held out of adapt.
    with_splits(tmp_path / 'recording', adapt=NAMES[:20], check=NAMES[20:23])
    learnt, held = open_target(settings)
    assert sorted([*learnt.names, *held.names]) == NAMES[:20]


def test_another_split_of_the_target(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    with_splits(tmp_path / 'recording', adapt=NAMES[:5], night=NAMES[5:])
    named = f'{settings.target}:night'
    for changes in ({'split': 'night'}, {'target': named}):
        learnt, held = open_target(tiny_settings(tmp_path, **changes))
        assert sorted([*learnt.names, *held.names]) == NAMES[5:]
    with pytest.raises(DatasetError, match="no split 'day'; there are: adapt, night"):
        open_target(tiny_settings(tmp_path, split='day'))


def test_too_few_frames_to_check_with(tmp_path: Path) -> None:
    tiny_settings(tmp_path)
    write_frames(tmp_path / 'short', 15, False)
    with pytest.raises(AdaptError, match='short: 12 frames to learn from and 3 to check with'):
        open_target(tiny_settings(tmp_path, target=str(tmp_path / 'short')))


def test_the_input_that_the_robot_has_for_the_camera(tmp_path: Path) -> None:
    data = open_data(tiny_settings(tmp_path))
    assert (CAMERA.width, CAMERA.height) == (64, 48)
    assert data.input_size(64 * 48) == (64, 48)
    assert data.input_size(320 * 240) == (320, 240)


def test_labels_of_the_target_are_not_opened(tmp_path: Path) -> None:
    tiny_settings(tmp_path)
    folder = write_frames(tmp_path / 'labelled', 25, True)
    for path in (folder / 'depth').iterdir():
        path.write_bytes(b'poison')
    data = open_data(tiny_settings(tmp_path, target=str(folder)))
    for part in (data.target, data.target_check, data.whole):
        assert not part.read_depth
        assert all(frame.depth is None for frame in part) and not part.skipped
    assert data.camera() == CAMERA
    assert data.whole.names == NAMES


def test_labelled_sources_and_what_is_held_out_of_them(tmp_path: Path) -> None:
    data = open_data(tiny_settings(tmp_path))
    assert [len(one) for one in data.sources] == [16]
    assert [len(one) for one in data.source_checks] == [4]
    assert all(frame.depth is not None for frame in data.sources[0])
    assert data.facts['target']['frames'] == 20 and data.facts['target']['check'] == 5
    with pytest.raises(AdaptError, match='recording: has no depth/: give labelled data'):
        open_data(tiny_settings(tmp_path, source=(str(tmp_path / 'recording'),)))


def test_without_a_source_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tiny_settings(tmp_path, source=(), replay=tmp_path / 'rooms', replay_frames=99)
    write_frames(tmp_path / 'rooms' / 'train', 5, True)
    write_frames(tmp_path / 'rooms' / 'check', 4, True)
    asked: list[Any] = []

    def ensure(folder: Path, frames: int, report: Any) -> Replay:
        asked.append((folder, frames, report))
        return Replay(folder, {'hash': 'h'})

    monkeypatch.setattr(adapt_data, 'ensure_replay', ensure)
    data = open_data(settings, print)
    assert asked == [(tmp_path / 'rooms', 99, print)]
    assert len(data.sources[0]) == 5 and len(data.source_checks[0]) == 4
    assert data.facts['source'] == {'hash': 'h'}


def test_a_bag_has_to_be_recorded_first(tmp_path: Path) -> None:
    (tmp_path / 'drive.mcap').write_bytes(b'\x89MCAP0\r\n')
    with pytest.raises(AdaptError, match=r'drive\.mcap is a bag: .* mde record'):
        open_set(str(tmp_path / 'drive.mcap'), False)


def test_the_hash_is_of_names_and_pictures(tmp_path: Path) -> None:
    first = RgbdFolder(write_frames(tmp_path / 'a', 3, False))
    again = RgbdFolder(write_frames(tmp_path / 'b', 3, True))
    assert frames_hash(first) == frames_hash(again)
    (tmp_path / 'b' / 'rgb' / '000001.png').write_bytes(b'other')
    assert frames_hash(first) != frames_hash(again)
    (tmp_path / 'b' / 'rgb' / '000001.png').unlink()
    frames_hash(again)  # what cannot be read does not stop it
