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

"""Depth and colours to the points of a cloud, interleaved in place."""

from functools import lru_cache
import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.geometry import rays
from mde_ros.camera.intrinsics import Intrinsics

_NO_ALPHA = np.uint32(0x00FFFFFF)


@lru_cache(maxsize=16)
def ray_planes(intrinsics: Intrinsics,
               stride: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x/z and y/z of every ``stride``-th ray as two contiguous planes; see ``rays``."""
    found = rays(intrinsics)[::stride, ::stride]
    planes = np.ascontiguousarray(found[..., 0]), np.ascontiguousarray(found[..., 1])
    for plane in planes:
        plane.setflags(write=False)
    return planes


@lru_cache(maxsize=8)
def _scratch(thread: int, height: int, width: int) -> tuple[NDArray[np.float32], ...]:
    """Return x, y and colour of one size: memory that a thread uses again for each frame."""
    return (np.empty((height, width), np.float32), np.empty((height, width), np.float32),
            np.empty((height, width, 1), np.float32))


def write_points(points: NDArray[np.float32], depth: NDArray[np.float32],
                 intrinsics: Intrinsics, image: NDArray[np.uint8], *, stride: int = 1,
                 colour_channel: int = 3) -> None:
    """
    Write x, y, z into channels 0 to 2 and the bits 0x00RRGGBB into ``colour_channel``.

    Other channels are left as they are. Points of depth that is not finite are NaN.

    :param points: h x w x C float32, contiguous, of every ``stride``-th row and column.
    :param depth: H x W metres along the optical axis.
    :param image: H x W x 3 RGB of the same view.
    """
    z = depth if stride == 1 else np.ascontiguousarray(depth[::stride, ::stride])
    if stride > 1:
        image = np.ascontiguousarray(image[::stride, ::stride])
    if not np.isfinite(z).all():
        z = np.where(np.isfinite(z), z, np.float32(np.nan))
    x, y, colour = _scratch(threading.get_ident(), *z.shape)
    across, down = ray_planes(intrinsics, stride)
    np.multiply(across, z, out=x)
    np.multiply(down, z, out=y)
    bgra = colour.view(np.uint8)
    cv2.cvtColor(image, cv2.COLOR_RGB2BGRA, dst=bgra)
    bits = bgra.view(np.uint32)
    np.bitwise_and(bits, _NO_ALPHA, out=bits)
    if points.shape[2] == 4 and colour_channel == 3:
        cv2.merge([x, y, z, colour], dst=points)  # vectorised, twice as fast as:
    else:
        cv2.mixChannels([x, y, z, colour], [points], [0, 0, 1, 1, 2, 2, 3, colour_channel])
