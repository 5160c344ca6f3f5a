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

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import need_folder, read_16bit, read_rgb
from mde_ros.datasets.indexed import IndexedDataset

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
    """

    options = {'beta': BETAS}
    splits = tuple(FRAMES)
    depth_unit: ClassVar[str] = 'disparity times 256 plus 1 in 16 bit'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 beta: str = '0.01') -> None:
        super().__init__(path, split, read_depth)
        self._beta = beta
        images = self.path / (_PLAIN if beta == CLEAR else _FOGGY)
        need_folder(self.path, images.name, *(['disparity'] if read_depth else []), 'camera')
        parts = [split] if split else [part for part in FRAMES if (images / part).is_dir()]
        # name: split and city.
        self._places: dict[str, tuple[str, str]] = {}
        suffix = self._suffix(beta)
        for part in parts:
            for file in sorted((images / part).glob(f'*/*{suffix}')):
                self._places[file.name.removesuffix(suffix)] = part, file.parent.name
        self.names = list(self._places)
        self._check_count(sum(FRAMES[part] for part in parts),
                          f'{images.name}/SPLIT/CITY/*{suffix}')
        self.meta = {'source': 'Foggy Cityscapes', 'beta': beta,
                     'licence': 'Cityscapes terms: non-commercial research'}

    def read(self, index: int) -> Frame:
        """Read one frame; see IndexedDataset."""
        return self._read(self.names[index], self._beta)

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the disparity of a frame."""
        return self._file(self.names[index], 'disparity', '_disparity.png')

    def paired(self, name: str, beta: str) -> Frame:
        """
        Return the same street in other fog, or 'clear'.

        :param name: a name of this data set.
        :raises DatasetError: for an unknown name or beta.
        :raises FrameError: when that frame cannot be read.
        """
        if name not in self._places:
            raise DatasetError(f'{self.path}: no frame {name}')
        if beta not in BETAS:
            raise DatasetError(f"{self.path}: beta '{beta}': there are: {', '.join(BETAS)}")
        return self._read(name, beta)

    def _read(self, name: str, beta: str) -> Frame:
        folder = _PLAIN if beta == CLEAR else _FOGGY
        image = read_rgb(self._file(name, folder, self._suffix(beta)))
        path = self._file(name, 'camera', '_camera.json')
        camera, baseline = read_camera(path, image.shape[1], image.shape[0])
        depth = None
        if self.read_depth:
            stored = read_16bit(self._file(name, 'disparity', '_disparity.png'), camera)
            depth = disparity_to_depth(stored, baseline * camera.fx)
        return Frame(name, 0, image, camera, depth)

    def _file(self, name: str, folder: str, suffix: str) -> Path:
        return self.path.joinpath(folder, *self._places[name], name + suffix)

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
