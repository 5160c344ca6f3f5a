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

"""Depth of one camera as another camera beside it sees it."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics


@lru_cache(maxsize=4)
def lens_rays(camera: Intrinsics) -> NDArray[np.float64]:
    """Return (x/z, y/z) of every pixel, H x W x 2, the lens's distortion undone."""
    columns, rows = np.meshgrid(np.arange(camera.width, dtype=np.float64),
                                np.arange(camera.height, dtype=np.float64))
    pixels = np.stack([columns, rows], -1)
    if camera.rectified:
        return (pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    rays: NDArray[np.float64] = cv2.undistortPoints(
        pixels.reshape(-1, 1, 2), camera.matrix, np.array(camera.distortion))
    return rays.reshape(camera.height, camera.width, 2)


def register_depth(depth: NDArray[np.float32], camera: Intrinsics, target: Intrinsics,
                   rotation: NDArray[np.float64], translation: NDArray[np.float64]
                   ) -> NDArray[np.float32]:
    """
    Project every reading into another camera; the nearest one wins where several meet.

    Nothing is interpolated: a reading goes to the pixel whose centre is nearest, and pixels
    that none falls into stay without a reading (a target of higher resolution gets gaps).

    :param depth: H x W float32 of ``camera``, metres along its axis, NaN = no reading.
    :param camera: of the depth; its distortion (plumb_bob) is undone.
    :param target: a camera without distortion.
    :param rotation: 3 x 3, from the depth camera's axes to the target's.
    :param translation: 3, metres: a point p of the depth camera is at R p + t in the target.
    :return: target.height x target.width float32, metres along the target's axis.
    """
    known = np.isfinite(depth) & (depth > 0)
    z = depth[known].astype(np.float64)
    points = np.concatenate([lens_rays(camera)[known] * z[:, None], z[:, None]], 1)
    x, y, z = (points @ np.asarray(rotation).T + np.asarray(translation)).T
    ahead = z > 0
    x, y, z = x[ahead], y[ahead], z[ahead]
    column = np.rint(x / z * target.fx + target.cx)
    row = np.rint(y / z * target.fy + target.cy)
    inside = (column >= 0) & (column < target.width) & (row >= 0) & (row < target.height)
    # Written from far to near, so that the nearest stays.
    order = np.argsort(-z[inside], kind='stable')
    out = np.full((target.height, target.width), np.nan, np.float32)
    out[row[inside][order].astype(int), column[inside][order].astype(int)] = z[inside][order]
    return out
