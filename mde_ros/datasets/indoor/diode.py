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

"""DIODE: SPLIT/{indoors,outdoor}/scene_N/scan_N/NAME.png, NAME_depth.npy, NAME_depth_mask.npy."""

from collections.abc import Mapping
import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import check_size, need_folder, read_rgb
from mde_ros.datasets.indexed import IndexedDataset

# intrinsics.txt of the devkit.
CAMERA = Intrinsics(1024, 768, 886.81, 927.06, 512., 384.)
PLACES = 'indoors', 'outdoor'
OFFICIAL = {('train', 'indoors'): 8574, ('train', 'outdoor'): 16884,
            ('val', 'indoors'): 325, ('val', 'outdoor'): 446}


class Diode(IndexedDataset):
    """
    DIODE, laser scans of rooms and streets.

    :param path: the folder that holds train/ or val/, or one of these.
    :param split: 'train' or 'val'.
    :param place: 'indoors' or 'outdoor'; both by default.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'place': PLACES}
    splits = 'train', 'val'
    depth_unit = 'metres (float32 .npy)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 place: str | None = None) -> None:
        super().__init__(path, split, read_depth)
        need_folder(self.path)
        parts = {name: self.path / name for name in self.splits if (self.path / name).is_dir()}
        own = self.path.resolve().name
        if not parts and any((self.path / one).is_dir() for one in PLACES):
            parts = {own if own in self.splits else split or '': self.path}
        if split is not None:
            parts = {name: folder for name, folder in parts.items() if name == split}
        if not parts:
            raise DatasetError(f'{self.path / (split or "val")} is missing: expected '
                               f'{split or "val"}/indoors or {split or "val"}/outdoor')
        self._frames: list[tuple[Path, str]] = []
        official = 0
        for name, folder in parts.items():
            for one in (place,) if place else PLACES:
                if (folder / one).is_dir():
                    self._list(folder / one)
                    official += OFFICIAL.get((name, one), 0)
        self.names = ['/'.join((*folder.relative_to(self.path).parts, stem))
                      for folder, stem in self._frames]
        self.meta = {'camera': 'FARO Focus S350 (DIODE)', 'licence': 'MIT',
                     'source': 'DIODE'}
        self._check_count(official or None, 'scene_N/scan_N/NAME.png')

    def _list(self, folder: Path) -> None:
        for scan in sorted(folder.glob('scene_*/scan_*')):
            with os.scandir(scan) as listing:
                names = sorted(entry.name for entry in listing)
            self._frames += [(scan, name[:-4]) for name in names if name.endswith('.png')]

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        folder, stem = self._frames[index]
        return folder / f'{stem}_depth.npy'

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        folder, stem = self._frames[index]
        image = read_rgb(folder / f'{stem}.png', CAMERA)
        depth = None
        if self.read_depth:
            depth = _load(self.depth_file(index), 'depth').astype(np.float32)
            seen = _load(folder / f'{stem}_depth_mask.npy', 'depth mask')
            depth[(seen == 0) | ~(depth > 0)] = np.nan
        return Frame(self.names[index], 0, image, CAMERA, depth)


def _load(path: Path, what: str) -> NDArray[Any]:
    """Return an .npy file, H x W; one channel at the end is left out."""
    try:
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise FrameError(f'no {what} file', str(path)) from error
    except (OSError, ValueError, EOFError) as error:
        raise FrameError(f'corrupt {what}', str(path)) from error
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2:
        raise FrameError(f'corrupt {what}', f'{path} has the shape {values.shape}')
    check_size(path, values.shape, CAMERA)
    return values
