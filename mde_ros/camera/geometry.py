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

"""Rays of a camera's pixels, and depth to points."""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError

# Beyond it (89.9 degrees off the axis) no plane has a point; OpenCV marks such rays with 1e6.
_LARGEST_TANGENT = 1e3
# Undistortion has no closed form; these iterations reach a thousandth of a pixel on any lens
# whose distortion can be undone at all.
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-10)


class GeometryError(MdeError):
    """Depth and intrinsics that do not belong together."""


@lru_cache(maxsize=16)
def rays(intrinsics: Intrinsics) -> NDArray[np.float32]:
    """
    Return x/z and y/z of every pixel's ray in the optical frame (x right, y down, z forward).

    Distortion is undone: these are the rays of the real lens, NaN where it sees sideways or
    backwards.

    :returns: H x W x 2 float32, read-only, cached for each camera.
    """
    u, v = np.meshgrid(np.arange(intrinsics.width, dtype=np.float64),
                       np.arange(intrinsics.height, dtype=np.float64))
    if intrinsics.rectified:
        found = np.stack([(u - intrinsics.cx) / intrinsics.fx,
                          (v - intrinsics.cy) / intrinsics.fy], -1)
    else:
        pixels = np.stack([u, v], -1).reshape(-1, 1, 2)
        lens = np.asarray(intrinsics.distortion, np.float64)
        if intrinsics.distortion_model == 'equidistant':
            found = cv2.fisheye.undistortPoints(
                pixels, intrinsics.matrix, lens, criteria=_CRITERIA)
        else:
            # The function that takes the criteria has another name in OpenCV 4.
            undistort = getattr(cv2, 'undistortPointsIter', cv2.undistortPoints)
            found = undistort(pixels, intrinsics.matrix, lens, R=None, P=None,
                              criteria=_CRITERIA)
        found = found.reshape(*u.shape, 2)
        found[np.abs(found).max(-1) > _LARGEST_TANGENT] = np.nan
    result: NDArray[np.float32] = np.ascontiguousarray(found, np.float32)
    result.setflags(write=False)
    return result


@lru_cache(maxsize=16)
def ray_length_factor(intrinsics: Intrinsics) -> NDArray[np.float32]:
    """
    Return distance along the ray over depth along the optical axis for every pixel.

    :returns: H x W float32, at least 1, read-only, cached for each camera.
    """
    x, y = np.moveaxis(rays(intrinsics), -1, 0)
    result: NDArray[np.float32] = np.sqrt(1 + x * x + y * y)
    result.setflags(write=False)
    return result


def depth_to_points(depth: NDArray[np.float32],
                    intrinsics: Intrinsics) -> NDArray[np.float32]:
    """
    Return the point of every pixel in the optical frame.

    :param depth: H x W float32, metres along the optical axis.
    :returns: H x W x 3 float32 metres, NaN in all three where the depth is not finite.
    :raises GeometryError: when depth is not of the camera's size.
    """
    check_size(depth, intrinsics)
    z = np.where(np.isfinite(depth), depth, np.float32(np.nan))
    points = np.empty((*depth.shape, 3), np.float32)
    np.multiply(rays(intrinsics), z[..., None], out=points[..., :2])
    points[..., 2] = z
    return points


def check_size(depth: NDArray[Any], intrinsics: Intrinsics) -> None:
    """
    Check that depth is an image of this camera.

    :raises GeometryError: naming both sizes.
    """
    if depth.shape != (intrinsics.height, intrinsics.width):
        raise GeometryError(
            f'depth of shape {depth.shape} with intrinsics for {intrinsics.width}x'
            f'{intrinsics.height}: give the intrinsics of this image size')
