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

"""What is evaluated and what the node runs: anything with the depth estimator's signature."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.anchors import inputs


class EstimateLike(inputs.EstimateLike, Protocol):
    """What an estimator returns: see mde_ros.estimation.estimator.Estimate."""

    @property
    def timings(self) -> dict[str, float]:
        """Return seconds by stage."""


class EstimatorLike(inputs.EstimatorLike, Protocol):
    """What estimates: see mde_ros.estimation.estimator.DepthEstimator."""

    @property
    def model_id(self) -> str:
        """Return name and hash of the weights."""

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> EstimateLike:
        """Return depth of one image."""

    def warm_up(self, intrinsics: Intrinsics) -> None:
        """Run once, unmeasured."""
