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

"""What is found in the folders of a drive."""

from pathlib import Path
import re

from mde_ros.datasets.roads.kitti_files import (
    folders, image_numbers, NO_POINTS, point_numbers, stamp_count)


def touch(folder: Path, *names: str) -> Path:
    """Make files; return the folder above theirs."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b'')
    return folder.parent


def test_numbers_in_order(tmp_path: Path) -> None:
    camera = touch(tmp_path / 'image_02' / 'data', '0000000011.png', '0000000002.jpg',
                   '0000000002.png', 'notes.txt', 'a.png', '._0000000003.png')
    assert image_numbers(camera) == [2, 11]
    laser = touch(tmp_path / 'velodyne_points' / 'data', '0000000011.bin', '0000000003.txt')
    assert point_numbers(laser) == {11}
    assert image_numbers(tmp_path / 'image_03') == [] and point_numbers(tmp_path / 'x') == set()


def test_folders_that_match(tmp_path: Path) -> None:
    for name in ('b1', 'a1', 'c'):
        (tmp_path / name).mkdir()
    (tmp_path / 'd1').write_text('')
    assert folders(tmp_path, re.compile(r'[a-z]1')) == ['a1', 'b1']


def test_stamps_are_counted_without_empty_lines(tmp_path: Path) -> None:
    assert stamp_count(tmp_path) == 0
    (tmp_path / 'timestamps.txt').write_text('2011-09-26 13:02:25.9\n\n2011-09-26 13:02:26.0\n \n')
    assert stamp_count(tmp_path) == 2


def test_the_four_frames_without_laser_points() -> None:
    assert list(NO_POINTS['2011_09_26_drive_0009_sync']) == [177, 178, 179, 180]
