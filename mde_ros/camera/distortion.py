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

"""Lens distortion, undone by one cached remap."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError

LEAST_VALID_SHARE = .1


class Rectifier:
    """
    Turn images of a real lens into those of the pinhole with the same matrix and size.

    Depth along the optical axis is the same in both, it only moves with its pixels.

    :param intrinsics: of the images as they come, with their distortion.
    :raises IntrinsicsError: when the distortion folds nearly the whole image onto itself, as
        wrong coefficients do.
    """

    def __init__(self, intrinsics: Intrinsics) -> None:
        self.intrinsics = intrinsics
        self.rectified = intrinsics.without_distortion()
        self.identity = intrinsics.rectified
        size = intrinsics.width, intrinsics.height
        #: H x W bool: whether the real image shows what this rectified pixel looks at.
        self.valid: NDArray[np.bool_] = np.ones(size[::-1], np.bool_)
        if self.identity:
            return
        lens = np.asarray(intrinsics.distortion, np.float64)
        initialise = (cv2.fisheye.initUndistortRectifyMap
                      if intrinsics.distortion_model == 'equidistant'
                      else cv2.initUndistortRectifyMap)
        x, y = initialise(intrinsics.matrix, lens, np.eye(3), intrinsics.matrix, size,
                          cv2.CV_32FC1)
        self.valid = (x > -.5) & (x < size[0] - .5) & (y > -.5) & (y < size[1] - .5)
        if min(size) > 1:
            # Beyond its calibrated angle a polynomial turns back and shows things twice; what
            # comes after the fold is no image again, even where it is not mirrored.
            self.valid &= _orientation(x, y) > 0
            self.valid = _around(self.valid, intrinsics.cx, intrinsics.cy)
        share = float(self.valid.mean())
        if share < LEAST_VALID_SHARE:
            raise IntrinsicsError(
                f'distortion {intrinsics.distortion} ({intrinsics.distortion_model}) leaves '
                f'{share:.0%} of the image: calibrate the camera')
        # Whole pixels and 32nds as integers: remap is twice as fast on them.
        self._maps = cv2.convertMaps(x, y, cv2.CV_16SC2)
        self._nearest = cv2.convertMaps(x, y, cv2.CV_16SC2, nninterpolation=True)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """
        Return the rectified image; what the lens did not see repeats the border.

        :param image: H x W x C uint8 of the camera's size.
        :raises IntrinsicsError: for an image of another size.
        """
        self._check(image.shape)
        if self.identity:
            return image
        return np.asarray(cv2.remap(
            image, self._maps[0], self._maps[1], interpolation=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def apply_depth(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """
        Return the depth of the rectified image, NaN where the lens did not see.

        Readings are moved, never mixed: the nearest one is taken.

        :param depth: H x W float32 metres along the optical axis, registered to the image.
        :raises IntrinsicsError: for depth of another size.
        """
        self._check(depth.shape)
        if self.identity:
            return depth
        moved = np.asarray(cv2.remap(
            depth, self._nearest[0], self._nearest[1], interpolation=cv2.INTER_NEAREST),
            np.float32)
        moved[~self.valid] = np.nan
        return moved

    def _check(self, shape: tuple[int, ...]) -> None:
        if shape[:2] != (self.intrinsics.height, self.intrinsics.width):
            raise IntrinsicsError(
                f'an image of {shape[1]}x{shape[0]}, but intrinsics for '
                f'{self.intrinsics.width}x{self.intrinsics.height}: they must be of one size')


def _orientation(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the determinant of the map's Jacobian, below 0 where it is mirrored."""
    x_down, x_right = np.gradient(x)
    y_down, y_right = np.gradient(y)
    return np.asarray(x_right * y_down - x_down * y_right, np.float32)


def _around(valid: NDArray[np.bool_], cx: float, cy: float) -> NDArray[np.bool_]:
    """Return the part of a mask that is connected to the principal point."""
    height, width = valid.shape
    centre = min(max(round(cy), 0), height - 1), min(max(round(cx), 0), width - 1)
    _, labels = cv2.connectedComponents(valid.astype(np.uint8), connectivity=4)
    return np.asarray(valid & (labels == labels[centre]))
