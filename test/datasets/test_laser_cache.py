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

"""Projected points come back bit by bit, and only for what they were projected with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.roads.kitti_calibration import KittiCalibration
from mde_ros.datasets.roads.laser_cache import LaserCache

CALIBRATION = KittiCalibration(Intrinsics(5, 3, 9., 9., 2., 1.), np.eye(3, 4))
DEPTH = np.array([[np.nan, 1.1, 2, 3, np.nan], [.1, .2, .3, .4, .5], [np.nan] * 5], np.float32)


class Counting:
    """Projects, and counts."""

    def __init__(self, depth: NDArray[np.float32] = DEPTH) -> None:
        self.depth, self.calls = depth, 0

    def __call__(self) -> NDArray[np.float32]:
        self.calls += 1
        return self.depth


def test_the_second_time_is_read(tmp_path: Path) -> None:
    project = Counting()
    for _ in range(3):
        # Another process, another cache object.
        got = LaserCache(tmp_path / 'new').get('a', CALIBRATION, 'z', 'devkit', project)
        np.testing.assert_array_equal(got, DEPTH)
        assert got.dtype == np.float32
    assert project.calls == 1
    file, = (tmp_path / 'new').iterdir()
    assert file == LaserCache(tmp_path / 'new').file('a', CALIBRATION, 'z', 'devkit')
    assert file.stat().st_size == 128 + 8 * 8  # NumPy's header, eight readings


def test_anything_else_is_projected_anew(tmp_path: Path) -> None:
    cache, project = LaserCache(tmp_path), Counting()
    moved = replace(CALIBRATION, velo_to_image=CALIBRATION.velo_to_image + 1e-9)
    for name, calibration, depth, pixel in (
            ('a', CALIBRATION, 'z', 'devkit'), ('b', CALIBRATION, 'z', 'devkit'),
            ('a', moved, 'z', 'devkit'), ('a', CALIBRATION, 'velo_x', 'devkit'),
            ('a', CALIBRATION, 'z', 'nearest')):
        cache.get(name, calibration, depth, pixel, project)
    assert project.calls == 5 and len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize('damage', [
    b'', b'\x93NUMPY', b'not a file of NumPy', None])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    cache, project = LaserCache(tmp_path), Counting()
    cache.get('a', CALIBRATION, 'z', 'devkit', project)
    file, = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5] if damage is None else damage)
    np.testing.assert_array_equal(cache.get('a', CALIBRATION, 'z', 'devkit', project), DEPTH)
    assert project.calls == 2 and file.read_bytes() == whole


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(DatasetError, match=r'file: cannot be made'):
        LaserCache(tmp_path / 'file')
