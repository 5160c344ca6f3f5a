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

"""An estimator that stands in for the network in the tests of ``mde evaluate``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.estimator import Estimate


class RowEstimator:
    """Knows the frames of the fixture but for 0.1 m a frame: 1 m at the top, 3.35 m below."""

    model_id = 'rows-00000000'
    made: list[tuple[Any, dict[str, Any]]] = []

    def __init__(self, weights: str, **options: Any) -> None:
        self.made.append((weights, options))

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        rows = np.arange(image.shape[0], dtype=np.float32)[:, None]
        depth = np.repeat(1 + .05 * rows, image.shape[1], axis=1)
        return Estimate(depth, intrinsics, image, {'network': .02})

    def warm_up(self, intrinsics: Intrinsics) -> None:
        pass
