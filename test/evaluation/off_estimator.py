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

"""An estimator that knows the truth of the tiny data set and is off by a factor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError


@dataclass
class Answer:
    """An estimate."""

    depth: NDArray[np.float32]
    intrinsics: Intrinsics
    image: NDArray[np.uint8]
    timings: dict[str, float]


class Off:
    """An estimator that is off by a factor; frames are told by their blue channel, 40 n."""

    def __init__(self, factor: float, broken: int = -1) -> None:
        self.factor, self.broken, self.model_id = factor, broken, f'off by {factor}'

    def warm_up(self, intrinsics: Intrinsics) -> None:
        pass

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Answer:
        number = int(image[0, 0, 0]) // 40
        if number == self.broken:
            raise MdeError('broken')
        truth = 1 + .05 * np.indices((48, 64))[0] + .1 * number
        return Answer((truth * self.factor).astype(np.float32), intrinsics, image, {})
