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

"""SUN RGB-D: SENSOR/.../FRAME/{image, depth, depth_bfx, intrinsics.txt}."""

from collections.abc import Iterator, Mapping
import os
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import (
    need_folder, read_16bit, read_numbers, read_rgb, to_metres)
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.indoor.mat5 import read_mat5
from mde_ros.datasets.indoor.split_lists import describe_split

SENSORS = 'kv1', 'kv2', 'realsense', 'xtion'
ROOT = 'SUNRGBD'
SPLIT_FILE = Path('SUNRGBDtoolbox', 'traintestSUNRGBD', 'allsplit.mat')
OFFICIAL = {None: 10335, 'train': 5285, 'test': 5050}
# Of the published alltrain and alltest, from SENSOR on: list_checksum.
CHECKSUMS = {
    'train': '2430ce5a65a3572846c07c03ff0d4c28d53e4abca44679392d6518b226072667',
    'test': '6fdef67f4eeb214f748a0e9772f41888b772c8eb88e67d0229da9a8bc113b072',
}
# NYU Depth v2's own 1449 frames; its test set is in SUN's test, its training set in SUN's.
NYU = 'kv1/NYUdata'


class SunRgbd(IndexedDataset):
    """
    SUN RGB-D of one, several or all of its four sensors.

    Each frame has the intrinsics of its own file and the size of its own image.

    :param path: SUNRGBD, or the folder that holds SUNRGBD (and SUNRGBDtoolbox).
    :param split: 'train' or 'test' of SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat.
    :param sensor: 'kv1', 'kv2', 'realsense' or 'xtion'.
    :param nyu: 'no' leaves NYU Depth v2's frames out, as any study that trains on NYU and
        tests on SUN must; 'only' keeps nothing else. They are kv1/NYUdata in their names.
    :param depth: 'raw' (depth/, with holes) or 'filled' (depth_bfx/).
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'sensor': SENSORS, 'nyu': ('yes', 'no', 'only'), 'depth': ('raw', 'filled')}
    splits = 'train', 'test'
    depth_unit = 'millimetres, bits rotated by three (16 bit PNG)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 sensor: str | None = None, nyu: str = 'yes', depth: str = 'raw') -> None:
        super().__init__(path, split, read_depth)
        need_folder(self.path)
        self.root = self.path / ROOT if (self.path / ROOT).is_dir() else self.path
        there = [name for name in SENSORS if (self.root / name).is_dir()]
        wanted = [sensor] if sensor else there
        if not there or not set(wanted) <= set(there):
            raise DatasetError(f'{self.root / (wanted[0] if wanted else SENSORS[0])} is missing: '
                               f'expected the folders {", ".join(SENSORS)} of SUNRGBD.zip')
        self._folder = 'depth' if depth == 'raw' else 'depth_bfx'
        self._described = ''
        names = [name for one in wanted for name in _frames(self.root / one, one)]
        if nyu != 'yes':
            names = [name for name in names if name.startswith(NYU + '/') == (nyu == 'only')]
        if split is not None:
            listed = self._read_split(split)
            names = [name for name in names if name in listed]
        self.names = names
        self.meta = {
            'camera': ', '.join(wanted), 'licence': 'no licence stated; research use, cite Song '
            'et al. 2015 and the four parts it is made of', 'source': 'SUN RGB-D',
            'nyu_frames': sum(name.startswith(NYU + '/') for name in names), 'depth': depth,
            'split': self._described}
        whole = sensor is None and nyu == 'yes'
        self._check_count(OFFICIAL[split] if whole else None,
                          f'SENSOR/.../FRAME/image and {self._folder}')

    def _read_split(self, split: str) -> set[str]:
        for base in (self.root.parent, self.root, self.path.parent):
            path = base / SPLIT_FILE
            if path.is_file():
                break
        else:
            path = self.root.parent / SPLIT_FILE
        listed = read_mat5(path, "SUN RGB-D's splits (SUNRGBDtoolbox.zip)").get(f'all{split}')
        if not isinstance(listed, list) or len(listed) != OFFICIAL[split]:
            count = len(listed) if isinstance(listed, list) else 'no'
            raise DatasetError(f'{path}: {count} frames of the split {split}, expected '
                               f'{OFFICIAL[split]}: download SUNRGBDtoolbox.zip again')
        # They start with the authors' own path, /n/fs/sun3d/data/SUNRGBD/.
        names = {str(name).rpartition(f'/{ROOT}/')[2].strip('/') for name in listed}
        self._described = describe_split(split, names, CHECKSUMS[split], path)
        return names

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return _only_file(self.root / self.names[index] / self._folder, 'no depth file')

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        folder = self.root / self.names[index]
        image = read_rgb(_only_file(folder / 'image', 'no image file'))
        path = folder / 'intrinsics.txt'
        try:
            k = read_numbers(path, 9, '9 numbers, a 3 x 3 matrix')
            camera = Intrinsics(image.shape[1], image.shape[0], k[0], k[4], k[2], k[5])
        except (DatasetError, IntrinsicsError) as error:
            raise FrameError('no readable intrinsics.txt', str(path)) from error
        depth = None
        if self.read_depth:
            depth = to_metres(unrotate(read_16bit(self.depth_file(index), camera)), 1000)
        return Frame(self.names[index], 0, image, camera, depth)


def unrotate(stored: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return millimetres: the stored numbers rotated right by three bits."""
    return (stored >> np.uint16(3)) | (stored << np.uint16(13))


def _frames(folder: Path, name: str) -> Iterator[str]:
    """Yield the folders of frames below a folder, in order; their own folders are not opened."""
    with os.scandir(folder) as listing:
        entries = sorted((entry.name, entry.is_dir()) for entry in listing)
    if any(entry in ('image', 'intrinsics.txt') for entry, _ in entries):
        yield name
        return
    for entry, is_folder in entries:
        if is_folder:
            yield from _frames(folder / entry, f'{name}/{entry}')


def _only_file(folder: Path, missing: str) -> Path:
    """Return the one file of a folder, whatever its name."""
    try:
        with os.scandir(folder) as listing:
            names = sorted(entry.name for entry in listing if not entry.name.startswith('.'))
    except OSError as error:
        raise FrameError(missing, str(folder)) from error
    if not names:
        raise FrameError(missing, str(folder))
    return folder / names[0]
