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

"""Data of a scenario: rendered once, cropped, or refused by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mde_ros.benchmarks.data import DataMaker, Part
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.scenarios import RealSet, Scenario, SimulatedSet, Target
from mde_ros.benchmarks.settings import Settings
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.simulation import generator

ROOMS = SimulatedSet('rooms', 'adapt', 5, 'camera_b', 'fog', focal=.6)
SETTINGS = Settings(frame_width=64, frame_height=48, width=64, height=48, adapt_frames=3)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch, rgbd_folder: Path) -> list[tuple[Any, ...]]:
    """Take the place of the renderer; return what it was asked for."""
    calls: list[tuple[Any, ...]] = []

    def generate(path: Path, frames: int, settings: Any, workers: int) -> None:
        calls.append((path.name, frames, settings))
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.symlink_to(rgbd_folder)

    monkeypatch.setattr(generator, 'generate', generate)
    return calls


def test_rooms_are_rendered_once(rendered: list[tuple[Any, ...]], tmp_path: Path) -> None:
    lines: list[str] = []
    part = DataMaker(SETTINGS, tmp_path / 'cache', report=lines.append).part(ROOMS)
    name, frames, rooms = rendered[0]
    assert (name, frames, rooms.seed, rooms.camera, rooms.weather) == (
        'rooms', 3, 5, 'camera_b', 'fog')
    assert (rooms.width, rooms.height, rooms.focal) == (64, 48, 38.4)
    assert len(lines) == 1 and 'rendering 3 frames' in lines[0]
    assert DataMaker(SETTINGS, tmp_path / 'cache').part(ROOMS) == part
    assert len(rendered) == 1
    with pytest.raises(BenchmarkError, match=r'rooms was made.*\(frames\)'):
        DataMaker(replace(SETTINGS, adapt_frames=4), tmp_path / 'cache').part(ROOMS)


def test_rendering_that_was_killed_goes_on(rendered: list[tuple[Any, ...]], tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    working: Callable[..., None] = generator.generate
    monkeypatch.setattr(generator, 'generate', killed)
    with pytest.raises(KeyboardInterrupt):
        DataMaker(SETTINGS, tmp_path / 'cache').part(ROOMS)
    monkeypatch.setattr(generator, 'generate', working)
    DataMaker(SETTINGS, tmp_path / 'cache').part(ROOMS)
    assert len(rendered) == 1


def test_a_border_is_cut_off(rgbd_folder: Path, tmp_path: Path) -> None:
    maker = DataMaker(SETTINGS, tmp_path / 'cache', rgbd_folder.parent)
    part = maker.part(RealSet('tiny', 'adapt', border=8))
    whole, cut = RgbdFolder(rgbd_folder, 'adapt'), part.open(True)
    assert cut.names == whole.names and len(RgbdFolder(part.path)) == 6
    frame, origin = cut[1], whole[1]
    assert (frame.intrinsics.width, frame.intrinsics.height) == (48, 32)
    assert (frame.intrinsics.fx, frame.intrinsics.cx, frame.intrinsics.cy) == (48., 23.5, 15.5)
    assert frame.depth is not None and origin.depth is not None
    np.testing.assert_array_equal(frame.depth, origin.depth[8:40, 8:56])
    # JPEG of quality 95.
    assert np.abs(frame.image.astype(int) - origin.image[8:40, 8:56]).mean() < 6
    assert maker.part(RealSet('tiny', 'adapt', border=8)) == part


def test_recordings_are_used_where_they_are(rgbd_folder: Path, tmp_path: Path) -> None:
    maker = DataMaker(SETTINGS, tmp_path / 'cache', rgbd_folder.parent)
    target = Target('tiny', RealSet('tiny', 'adapt'), RealSet('tiny', 'score'))
    data = maker.make(Scenario('s', '', (RealSet('tiny'),), (target,)), (target,))
    assert data.source == (Part(rgbd_folder),)
    assert data.targets[0].adapt.to_dict() == {'name': 'tiny', 'split': 'adapt', 'frames': 4}
    assert not data.targets[0].adapt.open(False).read_depth
    assert not (tmp_path / 'cache').exists()


def test_missing_recordings_are_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match='--data is missing.*xtion'):
        DataMaker(SETTINGS, tmp_path).part(RealSet('xtion'))
    with pytest.raises(BenchmarkError, match='--data .*no RGB-D folder xtion'):
        DataMaker(SETTINGS, tmp_path, tmp_path).part(RealSet('xtion'))
