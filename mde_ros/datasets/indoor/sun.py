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

from collections import Counter
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
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.mat5 import read_mat5
from mde_ros.datasets.indoor.split_lists import describe_split
from mde_ros.datasets.name_list import NameList

SENSORS = 'kv1', 'kv2', 'realsense', 'xtion'
ROOT = 'SUNRGBD'
SPLIT_FILE = Path('SUNRGBDtoolbox', 'traintestSUNRGBD', 'allsplit.mat')
OFFICIAL = {'train': 5285, 'test': 5050}
# Frames of each sensor; all are 10335.
SENSOR_FRAMES = {'kv1': 2003, 'kv2': 3784, 'realsense': 1159, 'xtion': 3389}
# Of the published alltrain and alltest, from SENSOR on: list_checksum.
CHECKSUMS = {
    'train': '2430ce5a65a3572846c07c03ff0d4c28d53e4abca44679392d6518b226072667',
    'test': '6fdef67f4eeb214f748a0e9772f41888b772c8eb88e67d0229da9a8bc113b072',
}
# NYU Depth v2's own 1449 frames; its test set is in SUN's test, its training set in SUN's.
NYU = 'kv1/NYUdata'
NYU_FRAMES = 1449


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
    :param partial: 'yes' takes the frames that are there.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'sensor': SENSORS, 'nyu': ('yes', 'no', 'only'), 'depth': ('raw', 'filled'), **PARTIAL}
    splits = 'train', 'test'
    depth_unit = 'millimetres, bits rotated by three (16 bit PNG)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 sensor: str | None = None, nyu: str = 'yes', depth: str = 'raw',
                 partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        need_folder(self.path)
        self.root = self.path / ROOT if (self.path / ROOT).is_dir() else self.path
        there = [name for name in SENSORS if (self.root / name).is_dir()]
        wanted = [sensor] if sensor else there
        if not there or not set(wanted) <= set(there):
            raise DatasetError(f'{self.root / (wanted[0] if wanted else SENSORS[0])} is missing: '
                               f'expected the folders {", ".join(SENSORS)} of SUNRGBD.zip')
        self._folder = 'depth' if depth == 'raw' else 'depth_bfx'
        self._described = ''
        self._nyu = nyu
        listed = None if split is None else {
            name for name in self._read_split(split)
            if (not sensor or name.startswith(f'{sensor}/')) and self._is_chosen(name)}
        self.meta = {
            'camera': ', '.join(wanted), 'licence': 'no licence stated; research use, cite Song '
            'et al. 2015 and the four parts it is made of', 'source': 'SUN RGB-D',
            'depth': depth, 'split': self._described}
        self.names = NameList(name for one in wanted for name in self._list(one, listed))
        self.meta['nyu_frames'] = sum(name.startswith(NYU + '/') for name in self.names)
        what = f'SENSOR/.../FRAME/image and {self._folder}'
        self._check_count(None, what)
        if listed is not None and len(self) < len(listed):
            missing = sorted(listed.difference(self.names))
            self._incomplete(f'{self.root / missing[0]} is missing ({len(missing)} of the '
                             f'{len(listed)} frames of the split {split} are)')
        counts = Counter(name.partition('/')[0] for name in self.names)
        for one in ((sensor,) if sensor else SENSORS) if split is None else ():
            self._check_count(self._official(one), what, counts[one], self.root / one)

    def _is_chosen(self, name: str) -> bool:
        return self._nyu == 'yes' or name.startswith(NYU + '/') == (self._nyu == 'only')

    def _official(self, sensor: str) -> int:
        """Return how many frames of a sensor the whole data set has."""
        of_nyu = NYU_FRAMES if sensor == NYU.partition('/')[0] else 0
        return {'yes': SENSOR_FRAMES[sensor], 'no': SENSOR_FRAMES[sensor] - of_nyu,
                'only': of_nyu}[self._nyu]

    def _list(self, sensor: str, listed: set[str] | None) -> Iterator[str]:
        """Yield the names of a sensor's frames, and check that their parts are there."""
        needed = 'image', 'intrinsics.txt', *([self._folder] if self.read_depth else [])
        for name, entries in _frames(str(self.root / sensor), sensor):
            if name in listed if listed is not None else self._is_chosen(name):
                if not entries.issuperset(needed):
                    self._check_files(self.root / name, needed, entries)
                yield name

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


def _frames(folder: str, name: str) -> Iterator[tuple[str, set[str]]]:
    """Yield the folders of frames below a folder, in order, and what lies directly in each."""
    with os.scandir(folder) as listing:
        entries = sorted((entry.name, entry.is_dir()) for entry in listing)
    if any(entry in ('image', 'intrinsics.txt') for entry, _ in entries):
        yield name, {entry for entry, _ in entries}
        return
    for entry, is_folder in entries:
        if is_folder:
            yield from _frames(f'{folder}/{entry}', f'{name}/{entry}')


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
