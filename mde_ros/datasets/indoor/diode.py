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

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import check_size, need_folder, read_rgb, sorted_names
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.name_list import NameList

# intrinsics.txt of the devkit.
CAMERA = Intrinsics(1024, 768, 886.81, 927.06, 512., 384.)
PLACES = 'indoors', 'outdoor'
# What a picture NAME.png has beside it.
HALVES = '_depth.npy', '_depth_mask.npy'
OFFICIAL = {('train', 'indoors'): 8574, ('train', 'outdoor'): 16884,
            ('val', 'indoors'): 325, ('val', 'outdoor'): 446}


class Diode(IndexedDataset):
    """
    DIODE, laser scans of rooms and streets.

    :param path: the folder that holds train/ or val/, or one of these.
    :param split: 'train' or 'val'.
    :param place: 'indoors' or 'outdoor'; both by default.
    :param partial: 'yes' takes a part of the download.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'place': PLACES, **PARTIAL}
    splits = 'train', 'val'
    depth_unit = 'metres (float32 .npy)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 place: str | None = None, partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
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
        self.meta = {'camera': 'FARO Focus S350 (DIODE)', 'licence': 'MIT',
                     'source': 'DIODE'}
        counts = {(name, one): 0 for name in parts for one in ((place,) if place else PLACES)}
        self.names = NameList(self._list(parts, counts))
        for (name, one), count in counts.items():
            self._check_count(OFFICIAL.get((name, one)), 'scene_N/scan_N/NAME.png', count,
                              parts[name] / one)

    def _list(self, parts: Mapping[str, Path], counts: dict[tuple[str, str], int]
              ) -> Iterator[str]:
        """Yield names, and count the frames of each part and place."""
        for name, place in counts:
            for scan in sorted((parts[name] / place).glob('scene_*/scan_*')):
                there = sorted_names(scan)
                stems = [file[:-4] for file in there if file.endswith('.png')]
                if self.read_depth:
                    self._check_files(scan, [stem + end for stem in stems for end in HALVES],
                                      set(there))
                counts[name, place] += len(stems)
                head = '/'.join(scan.relative_to(self.path).parts)
                yield from (f'{head}/{stem}' for stem in stems)

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self.path / f'{self.names[index]}{HALVES[0]}'

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        name = self.names[index]
        image = read_rgb(self.path / f'{name}.png', CAMERA)
        depth = None
        if self.read_depth:
            depth = _load(self.depth_file(index), 'depth').astype(np.float32)
            seen = _load(self.path / f'{name}{HALVES[1]}', 'depth mask')
            depth[(seen == 0) | ~(depth > 0)] = np.nan
        return Frame(name, 0, image, CAMERA, depth)


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
