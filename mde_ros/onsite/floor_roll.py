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

"""
Whether a network sees the floors that it estimates, or only expects them.

Before a picture of which it makes nothing, such as one of thick fog, a network says what most of
its training pictures looked like: a floor below, always in the same direction. Turning the picture
tells: a floor that is seen turns with it.
"""

from collections.abc import Sequence
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.anchors.camera_height import CameraHeight, fit_floor, Floor
from mde_ros.estimation.anchors.inputs import EstimatorLike

# Degrees by which pictures are turned; share of them that floors have to follow.
TURN, LEAST_FOLLOWED = 12., .5


def turned(image: NDArray[np.uint8], intrinsics: Intrinsics, degrees: float = TURN
           ) -> NDArray[np.uint8]:
    """Return a pinhole's picture turned counter-clockwise about its principal point."""
    warp = cv2.getRotationMatrix2D((intrinsics.cx, intrinsics.cy), degrees, 1.)
    return np.asarray(cv2.warpAffine(
        image, warp, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REFLECT), np.uint8)


def roll_of(floor: Floor) -> float:
    """Return by how many degrees gravity is turned counter-clockwise in the picture."""
    return math.degrees(math.atan2(floor.down[0], floor.down[1]))


def followed(estimator: EstimatorLike, image: NDArray[np.uint8], intrinsics: Intrinsics,
             floor: Floor, prior: CameraHeight) -> float:
    """
    Return the share of a turn of the picture that its floor follows; NaN where there is none then.

    :param image: H x W x 3 uint8 RGB of a pinhole.
    :param floor: of the picture as it is.
    """
    estimate = estimator.estimate(turned(image, intrinsics), intrinsics)
    found = fit_floor(estimate.depth, estimate.intrinsics, prior)
    return math.nan if found is None else (roll_of(found) - roll_of(floor)) / TURN


def are_seen(shares: Sequence[float]) -> bool:
    """Return whether floors are seen, from what :func:`followed` says of pictures with a floor."""
    # A floor that is gone when the picture is turned did not follow.
    return bool(shares) and float(np.median(np.nan_to_num(shares))) >= LEAST_FOLLOWED
