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

"""What lies in the folders of KITTI raw."""

import os
from pathlib import Path
import re

IMAGE_SUFFIXES = ('.png', '.jpg')
# Frames whose laser points were never published.
NO_POINTS = {'2011_09_26_drive_0009_sync': range(177, 181)}


def folders(path: Path, pattern: re.Pattern[str]) -> list[str]:
    """Return the names of folders in a folder that a pattern matches, in order."""
    with os.scandir(path) as listing:
        return sorted(e.name for e in listing if pattern.fullmatch(e.name) and e.is_dir())


def image_numbers(camera: Path) -> list[int]:
    """
    Return the numbers of the images of a drive, in order, none where there is no folder.

    :param camera: such as DRIVE/image_02.
    """
    return _numbers(camera / 'data', IMAGE_SUFFIXES)


def point_numbers(velodyne: Path) -> set[int]:
    """
    Return the numbers of the frames with laser points.

    :param velodyne: DRIVE/velodyne_points.
    """
    return set(_numbers(velodyne / 'data', ('.bin',)))


def stamp_count(camera: Path) -> int:
    """Return how many images timestamps.txt says the whole drive has, 0 where it is not there."""
    try:
        with (camera / 'timestamps.txt').open('rb') as file:
            return sum(bool(line.strip()) for line in file)
    except OSError:
        return 0


def _numbers(folder: Path, suffixes: tuple[str, ...]) -> list[int]:
    try:
        with os.scandir(folder) as listing:
            return sorted({int(entry.name[:-4]) for entry in listing
                           if entry.name.endswith(suffixes) and entry.name[:-4].isdecimal()})
    except (FileNotFoundError, NotADirectoryError):
        return []
