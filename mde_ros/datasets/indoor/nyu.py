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

"""NYU Depth v2, the 1449 labelled frames: nyu_depth_v2_labeled.mat and splits.mat."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.hdf5_file import Hdf5File
from mde_ros.datasets.indoor.mat5 import read_mat5
from mde_ros.datasets.indoor.split_lists import describe_split

MAT, SPLITS = 'nyu_depth_v2_labeled.mat', 'splits.mat'
OFFICIAL = {None: 1449, 'train': 795, 'test': 654}
# Of the published trainNdxs and testNdxs: list_checksum.
CHECKSUMS = {
    'train': '3ae7461b657a34fb1ab8c1c30ca0e1c525b8267eda63bf8f500814359f1d628f',
    'test': 'b6fd4f855307bbc0f2691eca4d36216a61139bf14592b93b4b208021858644f2',
}
# The toolbox's camera_params.m. The labelled pictures are undistorted already, which is where
# their white border comes from.
CAMERA = Intrinsics(640, 480, 518.85790117450188, 519.46961112127485, 325.58244941119034,
                    253.73616633400465)
# option: (left, top, right, bottom) of what is kept. 'toolbox' is crop_image.m, rows 45 to 471
# and columns 41 to 601 counted from 1, where the depth camera sees.
CROPS = {'none': (0, 0, 640, 480), 'border': (8, 8, 632, 472), 'toolbox': (40, 44, 601, 471)}


class Nyu(IndexedDataset):
    """
    The labelled frames of NYU Depth v2.

    :param path: the .mat file, or the folder that holds it and splits.mat.
    :param split: 'train' (795) or 'test' (654), from splits.mat beside it.
    :param depth: 'filled' (in-painted ``depths``) or 'raw' (``rawDepths`` with holes).
    :param crop: 'none'; 'border' takes 8 pixels off each side, where the pictures are white;
        'toolbox' keeps the 561 x 427 pixels of the toolbox's crop_image.
    :param partial: 'yes' takes a file with fewer than the 1449 frames.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'depth': ('filled', 'raw'), 'crop': tuple(CROPS), **PARTIAL}
    splits = 'train', 'test'
    depth_unit = 'metres in the data sets depths and rawDepths'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 depth: str = 'filled', crop: str = 'none', partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        self.file = self.path / MAT if self.path.is_dir() else self.path
        self._data = Hdf5File(self.file, f"NYU Depth v2's {MAT} (2.8 GB)")
        self._depth = 'depths' if depth == 'filled' else 'rawDepths'
        self._left, self._top, self._right, self._bottom = CROPS[crop]
        self.intrinsics = CAMERA.cropped(
            self._left, self._top, self._right - self._left, self._bottom - self._top)
        counts = {}
        for name, channels in (('images', (3,)), (self._depth, ())):
            shape = self._data.dataset(name).shape
            counts[name] = shape[0]
            # MATLAB's column-major order turned round: frame, channel, column, row.
            if shape[1:] != (*channels, CAMERA.width, CAMERA.height):
                raise DatasetError(f"{self.file}: '{name}' is {shape}, expected "
                                   f'(1449, {"3, " if channels else ""}640, 480)')
        count = min(counts.values())
        self._described = ''
        self._data.close()
        self._numbers = np.arange(1, count + 1) if split is None else self._read_split(
            split, count)
        self.names = [f'{number:04d}' for number in self._numbers]
        self.meta = {
            'camera': 'Kinect v1 (NYU)', 'licence': 'no licence stated; research use, cite '
            'Silberman et al. 2012', 'source': 'NYU Depth v2, labelled',
            'depth': depth, 'crop': crop, 'split': self._described}
        for name, there in counts.items():
            self._check_count(OFFICIAL[None], f"'{name}' of {MAT}", there, self.file)

    def _read_split(self, split: str, count: int) -> np.ndarray:
        path = self.file.parent / SPLITS
        numbers = read_mat5(path, "NYU Depth v2's splits.mat with trainNdxs and testNdxs").get(
            f'{split}Ndxs')
        if not isinstance(numbers, np.ndarray):
            raise DatasetError(f"{path}: no '{split}Ndxs' in it")
        indices = numbers.astype(int).ravel()
        if len(indices) != OFFICIAL[split]:
            raise DatasetError(f'{path}: {len(indices)} frames of the split {split}, expected '
                               f'{OFFICIAL[split]}: download it again')
        if len(set(indices)) < len(indices) or indices.min() < 1:
            raise DatasetError(f'{path}: {split}Ndxs must count frames from 1, each once')
        self._described = describe_split(split, indices, CHECKSUMS[split], path)
        return indices[indices <= count]

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self.file

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        number = int(self._numbers[index]) - 1
        rows, columns = slice(self._top, self._bottom), slice(self._left, self._right)
        depth = None
        try:
            # Only the frame asked for is read from the file.
            image = self._data.dataset('images')[number].transpose(2, 1, 0)[rows, columns]
            if self.read_depth:
                depth = self._data.dataset(self._depth)[number].T[rows, columns].astype(
                    np.float32)
                depth[depth <= 0] = np.nan
        except OSError as error:
            raise FrameError('unreadable part of the file', f'{self.file}, frame {number + 1}'
                             ) from error
        return Frame(self.names[index], 0, np.ascontiguousarray(image), self.intrinsics,
                     None if depth is None else np.ascontiguousarray(depth))
