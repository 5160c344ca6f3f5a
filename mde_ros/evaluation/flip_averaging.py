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

"""Averages the depth of an image with that of its mirror image, as some papers report."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.evaluation.estimator_like import EstimateLike, EstimatorLike


@dataclass(frozen=True)
class FlipEstimate:
    """The averaged estimate; see mde_ros.estimation.estimator.Estimate."""

    depth: NDArray[np.float32]
    intrinsics: Intrinsics
    image: NDArray[np.uint8]
    timings: dict[str, float]


class FlipAveraged:
    """
    An estimator that runs twice a frame; no robot does.

    The mirror image is that of the rectified one, with the principal point mirrored too.

    :param estimator: see mde_ros.estimation.estimator.DepthEstimator.
    """

    def __init__(self, estimator: EstimatorLike) -> None:
        self._estimator = estimator
        self.model_id = estimator.model_id

    def __getattr__(self, name: str) -> Any:
        """Return what else the estimator says of itself, such as card and device."""
        if name == '_estimator':  # before __init__, as when unpickling
            raise AttributeError(name)
        return getattr(self._estimator, name)

    def warm_up(self, intrinsics: Intrinsics) -> None:
        """Run once, unmeasured."""
        self._estimator.warm_up(intrinsics)

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> EstimateLike:
        """Return the mean of both depths in metres; timings are of both together."""
        first = self._estimator.estimate(image, intrinsics)
        camera = first.intrinsics
        mirrored = self._estimator.estimate(
            np.ascontiguousarray(first.image[:, ::-1]),
            replace(camera, cx=camera.width - 1 - camera.cx))
        # float32 halves are exact, so that equal depths stay what they are.
        depth = (first.depth + mirrored.depth[:, ::-1]) * np.float32(.5)
        return FlipEstimate(depth, camera, first.image, {
            stage: seconds + mirrored.timings.get(stage, 0.)
            for stage, seconds in first.timings.items()})
