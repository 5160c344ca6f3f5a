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

"""Sets written again in a weather, on a made wall with a hole."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType

import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter

CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)


@pytest.fixture
def weather_sets(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/weather_sets.py as a module."""
    return load_script('weather_sets')


def test_holes_get_the_nearest_reading(weather_sets: ModuleType) -> None:
    depth = np.array([[1, 0, 0, 0, 5], [1, np.nan, 0, 5, 5]], np.float32)
    found = weather_sets.filled(depth)
    np.testing.assert_array_equal(found[:, [0, 1, 3, 4]], [[1, 1, 5, 5]] * 2)
    for same in (np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)):
        assert weather_sets.filled(same) is same


def write_set(path: Path) -> None:
    """Write three dark frames of a wall that recedes to the right; one has no reading there."""
    with RgbdFolderWriter(path, CAMERA, camera='c', licence='CC BY 4.0', source='test',
                          image_format='png', splits={'score': ['1']}) as writer:
        for number in range(3):
            depth = np.tile(np.linspace(1, 8, 64, dtype=np.float32), (48, 1))
            depth[:, 40:] *= number != 2
            writer.write(Frame(str(number), number + 1, np.zeros((48, 64, 3), np.uint8), CAMERA,
                               depth))


def test_pictures_change_and_depth_stays(weather_sets: ModuleType, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / 'cam')
    monkeypatch.setattr(sys, 'argv', ['weather_sets.py', str(tmp_path / 'cam'), '--weather',
                                      'dense_fog', '--seed', '3', '--out', str(tmp_path / 'out')])
    assert weather_sets.main() == 0
    assert 'cam: 3 frames in dense_fog' in capsys.readouterr().out
    clear, foggy = RgbdFolder(tmp_path / 'cam'), RgbdFolder(tmp_path / 'out' / 'cam')
    assert foggy.names == clear.names
    for one, other in zip(clear, foggy, strict=True):
        assert one.depth is not None and other.depth is not None
        np.testing.assert_array_equal(one.depth, other.depth)
        # What is farther is nearer to the white of the fog.
        columns = other.image.mean((0, 2))
        assert columns[30] > columns[4] + 20
        if one.name != '2':
            assert columns[60] > columns[30]
    meta = json.loads((tmp_path / 'out' / 'cam' / 'meta.json').read_text())
    assert (meta['splits'], meta['licence']) == ({'score': ['1']}, 'CC BY 4.0')
    assert meta['source'] == 'cam in dense_fog, seed 3'
    before = (tmp_path / 'out' / 'cam' / 'rgb' / '0.jpg').read_bytes()
    assert weather_sets.main() == 0
    assert (tmp_path / 'out' / 'cam' / 'rgb' / '0.jpg').read_bytes() == before
