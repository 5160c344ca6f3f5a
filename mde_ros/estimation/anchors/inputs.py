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

"""What anchors are measured on: frames, and whatever estimates their depth."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError


class AnchorError(MdeError):
    """A scale that cannot be told from what was given; the message says what is missing."""


class FrameLike(Protocol):
    """See :class:`mde_ros.datasets.frame.Frame`."""

    @property
    def name(self) -> str:
        """Return the name, unique among the frames."""

    @property
    def stamp_ns(self) -> int:
        """Return when it was taken, 0 when unknown."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """Return H x W x 3 RGB."""

    @property
    def intrinsics(self) -> Intrinsics:
        """Return the camera of this image, with its distortion."""


class EstimateLike(Protocol):
    """See :class:`mde_ros.estimation.estimator.Estimate`."""

    @property
    def depth(self) -> NDArray[np.float32]:
        """Return H x W metres along the optical axis, NaN where there is none."""

    @property
    def intrinsics(self) -> Intrinsics:
        """Return the rectified pinhole of the depth."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """Return the rectified image."""


class EstimatorLike(Protocol):
    """See :class:`mde_ros.estimation.estimator.DepthEstimator`."""

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> EstimateLike:
        """Return the depth of one image."""
