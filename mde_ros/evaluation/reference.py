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

"""Reference depth where the prediction is: borders cut, rectified when the estimator did."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame


# Maps of one camera are worth keeping; a data set has few.
_rectifier = lru_cache(maxsize=4)(Rectifier)


def reference_depth(frame: Frame, rectified: Intrinsics, border: int = 0) -> NDArray[np.float32]:
    """
    Return the frame's reference depth, H x W metres, pixel for pixel under its prediction.

    :param frame: with depth, registered to its image.
    :param rectified: the pinhole that the prediction belongs to.
    :param border: pixels along each side of the *camera's* image that have no true reading.
    """
    assert frame.depth is not None
    depth = frame.depth
    if border:
        inner = np.full_like(depth, np.nan)
        inner[border:-border, border:-border] = depth[border:-border, border:-border]
        depth = inner
    if not frame.intrinsics.rectified and rectified.rectified:
        # The nearest reading is taken: a mean across an edge is a depth that is nowhere.
        depth = _rectifier(frame.intrinsics).apply_depth(depth)
    return depth
