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

"""The windows of an image that published evaluations score, with their rounding."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError

# top, bottom, left, right; bottom and right are the first that are left out.
Window = tuple[int, int, int, int]


class CropError(MdeError):
    """A crop that is not known or not defined for this size of image."""


def _none(height: int, width: int) -> Window:
    return 0, height, 0, width


def _garg(height: int, width: int) -> Window:
    # Garg et al., ECCV 2016. int() and NumPy's astype(int32) both cut off the fraction.
    return (int(.40810811 * height), int(.99189189 * height),
            int(.03594771 * width), int(.96405229 * width))


def _eigen(height: int, width: int) -> Window:
    # 'crop we found by trial and error to reproduce Eigen NIPS14 results': monodepth, T2Net.
    return (int(.3324324 * height), int(.91351351 * height),
            int(.0359477 * width), int(.96405229 * width))


def _kb(height: int, width: int) -> Window:
    # The KITTI benchmark's 352 x 1216: the last rows, the middle columns.
    if height < 352 or width < 1216:
        raise CropError(_wrong('kb', 'at least 1216x352', height, width))
    left = int((width - 1216) / 2)
    return height - 352, height, left, left + 1216


def _fixed(name: str, size: tuple[int, int], window: Window) -> Callable[[int, int], Window]:
    def of(height: int, width: int) -> Window:
        if (height, width) != size:
            raise CropError(_wrong(name, f'{size[1]}x{size[0]}', height, width))
        return window
    return of


def _without_ego_car(height: int, width: int) -> Window:
    # manydepth and Robust-Depth cut the lower quarter of Cityscapes off before the network.
    return 0, round(height * .75), 0, width


CROPS: Mapping[str, Callable[[int, int], Window]] = {
    'none': _none,
    'garg': _garg,
    'eigen': _eigen,
    'kb': _kb,
    'nyu_eigen': _fixed('nyu_eigen', (480, 640), (45, 471, 41, 601)),
    't2net_indoor': _fixed('t2net_indoor', (480, 640), (12, 468, 16, 624)),
    'without_ego_car': _without_ego_car,
    # Of what without_ego_car leaves of 2048x1024.
    'cityscapes': _fixed('cityscapes', (768, 2048), (256, 768, 192, 1856)),
}


def crop_window(name: str, height: int, width: int) -> Window:
    """
    Return the window of a crop: top, bottom, left, right.

    :raises CropError: for an unknown name, or a size of image that the crop is not defined for.
    """
    if name not in CROPS:
        raise CropError(f"crop '{name}': there are: {', '.join(CROPS)}")
    return CROPS[name](height, width)


@lru_cache(maxsize=16)
def crop_mask(name: str, height: int, width: int) -> NDArray[np.bool_]:
    """
    Return H x W, True where a crop scores; read-only.

    :raises CropError: see crop_window.
    """
    top, bottom, left, right = crop_window(name, height, width)
    mask = np.zeros((height, width), bool)
    mask[top:bottom, left:right] = True
    mask.flags.writeable = False
    return mask


def cropped(depth: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """
    Return H x W metres with NaN outside a crop.

    :raises CropError: see crop_window.
    """
    if name == 'none':
        return depth
    return np.where(crop_mask(name, *depth.shape), depth, np.float32('nan'))


def _wrong(name: str, size: str, height: int, width: int) -> str:
    return (f"crop '{name}' is for images of {size}, not {width}x{height}: take another protocol "
            'or the data set at its own size')
