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

"""The mirror image is given with its own principal point, and mirrored back."""

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.evaluation.estimator_like import EstimateLike
from mde_ros.evaluation.flip_averaging import FlipAveraged, FlipEstimate


class Recorder:
    """Returns the red channel as metres, and keeps what it was given."""

    model_id = 'red'
    input_area = 77

    def __init__(self) -> None:
        self.cameras: list[Intrinsics] = []
        self.warmed = 0

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> EstimateLike:
        self.cameras.append(intrinsics)
        assert image.flags.c_contiguous
        depth = image[:, :, 0].astype(np.float32) + len(self.cameras)
        return FlipEstimate(depth, intrinsics, image, {'network': .5})

    def warm_up(self, intrinsics: Intrinsics) -> None:
        self.warmed += 1


def test_mean_of_both() -> None:
    camera = Intrinsics(5, 2, 10., 10., 1.5, .5)
    image = np.zeros((2, 5, 3), np.uint8)
    image[:, :, 0] = [10, 20, 30, 40, 50]
    inner = Recorder()
    estimator = FlipAveraged(inner)
    found = estimator.estimate(image, camera)
    # 1 more of the image itself, 2 more of its mirror image.
    np.testing.assert_array_equal(found.depth, np.tile([11.5, 21.5, 31.5, 41.5, 51.5], (2, 1)))
    assert [k.cx for k in inner.cameras] == [1.5, 2.5]  # 4 - 1.5
    assert found.intrinsics == camera and found.timings == {'network': 1.}
    np.testing.assert_array_equal(found.image, image)


def test_the_rest_is_the_estimators() -> None:
    inner = Recorder()
    estimator = FlipAveraged(inner)
    assert (estimator.model_id, estimator.input_area) == ('red', 77)
    estimator.warm_up(Intrinsics(5, 2, 10., 10., 2., .5))
    assert inner.warmed == 1
    with pytest.raises(AttributeError):
        estimator.card  # noqa: B018
