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

"""Foggy Cityscapes: real streets with fog rendered into them, depth from disparity."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import need_folder, read_16bit, read_rgb, sorted_names
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.name_list import NameList

FRAMES = {'train': 2975, 'val': 500, 'test': 1525}
CLEAR = 'clear'
BETAS = ('0.005', '0.01', '0.02', CLEAR)
_FOGGY, _PLAIN = 'leftImg8bit_foggy', 'leftImg8bit'


class FoggyCityscapes(IndexedDataset):
    """
    Foggy Cityscapes as its archives lay it out.

    ``leftImg8bit_foggy/SPLIT/CITY/STEM_leftImg8bit_foggy_beta_0.01.png``,
    ``disparity/SPLIT/CITY/STEM_disparity.png`` and ``camera/SPLIT/CITY/STEM_camera.json``. The
    lower quarter shows the ego car: the protocol cityscapes-80m-median cuts it off.

    :param split: 'train', 'val' or 'test'; None is all that are there.
    :param beta: attenuation in 1/m, '0.005', '0.01' or '0.02' (visibility 600, 300, 150 m), or
        'clear' for the pictures without fog in ``leftImg8bit``, which have the same depth.
    :param partial: 'yes' takes a part of a split.
    """

    options = {'beta': BETAS, **PARTIAL}
    splits = tuple(FRAMES)
    depth_unit: ClassVar[str] = 'disparity times 256 plus 1 in 16 bit'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 beta: str = '0.01', partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        self._beta = beta
        images = self.path / (_PLAIN if beta == CLEAR else _FOGGY)
        need_folder(self.path, images.name, *(['disparity'] if read_depth else []), 'camera')
        parts = [split] if split else [part for part in FRAMES if (images / part).is_dir()]
        self.meta = {'source': 'Foggy Cityscapes', 'beta': beta,
                     'licence': 'Cityscapes terms: non-commercial research'}
        # Split and city of each run of names, and the number of its first.
        self._cities: list[tuple[str, str]] = []
        self._starts: list[int] = []
        counts = dict.fromkeys(parts, 0)
        self.names = NameList(self._list(images, counts))
        what = f'{images.name}/SPLIT/CITY/*{self._suffix(beta)}'
        self._check_count(None, what)
        for part, count in counts.items():
            self._check_count(FRAMES[part], what, count, images / part)

    def _list(self, images: Path, counts: dict[str, int]) -> Iterator[str]:
        """Yield names, note the cities and count the frames of each split."""
        suffix = self._suffix(self._beta)
        halves = [('camera', '_camera.json')] + (
            [('disparity', '_disparity.png')] if self.read_depth else [])
        for part in counts:
            for city in sorted_names(images / part):
                stems = [name.removesuffix(suffix)
                         for name in sorted_names(images / part / city, suffix)]
                for folder, end in halves:
                    place = self.path / folder / part / city
                    self._check_files(place, [stem + end for stem in stems],
                                      set(sorted_names(place, end)))
                self._cities.append((part, city))
                self._starts.append(sum(counts.values()))
                counts[part] += len(stems)
                yield from stems

    def read(self, index: int) -> Frame:
        """Read one frame; see IndexedDataset."""
        return self._read(index, self._beta)

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the disparity of a frame."""
        return self._file(index, 'disparity', '_disparity.png')

    def paired(self, name: str, beta: str) -> Frame:
        """
        Return the same street in other fog, or 'clear'.

        :param name: a name of this data set.
        :raises DatasetError: for an unknown name or beta.
        :raises FrameError: when that frame cannot be read.
        """
        # Names are in order within a city.
        ends = [*self._starts[1:], len(self)]
        for low, high in zip(self._starts, ends, strict=True):
            index = bisect_left(self.names, name, low, high)
            if index < high and self.names[index] == name:
                break
        else:
            raise DatasetError(f'{self.path}: no frame {name}')
        if beta not in BETAS:
            raise DatasetError(f"{self.path}: beta '{beta}': there are: {', '.join(BETAS)}")
        return self._read(index, beta)

    def _read(self, index: int, beta: str) -> Frame:
        folder = _PLAIN if beta == CLEAR else _FOGGY
        image = read_rgb(self._file(index, folder, self._suffix(beta)))
        path = self._file(index, 'camera', '_camera.json')
        camera, baseline = read_camera(path, image.shape[1], image.shape[0])
        depth = None
        if self.read_depth:
            stored = read_16bit(self._file(index, 'disparity', '_disparity.png'), camera)
            depth = disparity_to_depth(stored, baseline * camera.fx)
        return Frame(self.names[index], 0, image, camera, depth)

    def _file(self, index: int, folder: str, suffix: str) -> Path:
        # The last run that begins here or before: a run without names begins where the next does.
        city = self._cities[bisect_right(self._starts, index) - 1]
        return self.path.joinpath(folder, *city, self.names[index] + suffix)

    @staticmethod
    def _suffix(beta: str) -> str:
        return f'_{_PLAIN}.png' if beta == CLEAR else f'_{_FOGGY}_beta_{beta}.png'


def disparity_to_depth(stored: NDArray[np.uint16], product: float) -> NDArray[np.float32]:
    """
    Return metres, H x W, NaN where there is no disparity (stored 0) or none left (stored 1).

    :param product: baseline in metres times focal length in pixels.
    """
    disparity = (stored.astype(np.float64) - 1) / 256
    with np.errstate(divide='ignore'):
        depth = (product / disparity).astype(np.float32)
    depth[stored <= 1] = np.nan
    return depth


def read_camera(path: Path, width: int, height: int) -> tuple[Intrinsics, float]:
    """
    Return the intrinsics and the baseline in metres of a camera file.

    :param width: of the picture it belongs to.
    :raises FrameError: when the file is missing or lacks a number.
    """
    try:
        camera = json.loads(path.read_text(encoding='utf-8'))
        k = camera['intrinsic']
        fx, fy, cx, cy = (float(k[key]) for key in ('fx', 'fy', 'u0', 'v0'))
        return (Intrinsics(width, height, fx, fy, cx, cy),
                float(camera['extrinsic']['baseline']))
    except FileNotFoundError as error:
        raise FrameError('no camera file', str(path)) from error
    except (OSError, ValueError, KeyError, TypeError, IntrinsicsError) as error:
        raise FrameError('camera file without intrinsic fx, fy, u0, v0 or extrinsic baseline',
                         f'{path} ({type(error).__name__}: {error})') from error
