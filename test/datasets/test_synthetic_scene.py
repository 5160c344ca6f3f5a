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

"""The synthetic scene itself, against numbers worked out by hand."""

import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.camera.intrinsics import Intrinsics

CAMERA = Intrinsics(64, 48, 60., 60., 32., 24.)


def test_depths_by_hand() -> None:
    scene = render(CAMERA)
    # The optical axis meets the front of the box, the corner (-32/60, -24/60) the plane.
    assert scene.depth[24, 32] == pytest.approx(1.5)
    assert scene.depth[0, 0] == pytest.approx(3 / (1 - .3 * 32 / 60 + .2 * 24 / 60))
    assert scene.box[24, 32] and not scene.box[0, 0]
    # x = -20/60 * 1.5 = -0.5 is the left edge of the box.
    assert scene.box[24, 13] and not scene.box[24, 11]


def test_scale_and_position() -> None:
    between = Intrinsics(64, 48, 61.3, 61.3, 31.7, 24.2)  # no ray grazes an edge exactly
    assert np.allclose(render(between, 10.).depth, 10 * render(between).depth)
    # 0.2 m forward the front of the box is 1.3 m away.
    assert render(CAMERA, position=(0., 0., .2)).depth[24, 32] == pytest.approx(1.3)
    # 0.3 m to the right its left edge, x = -0.8, is at column 32 - 60 * 0.8 / 1.5 = 0.
    moved = render(CAMERA, position=(.3, 0., 0.))
    assert moved.box[24, 1]
    assert moved.depth[24, 1] == pytest.approx(1.5)


def test_stored_units() -> None:
    stored = render(CAMERA).stored(1000, hole=3)
    assert stored[24, 32] == 1500
    assert (stored[:3, :3] == 0).all() and stored[3, 3]
    assert metres(stored, 1000)[24, 32] == np.float32(1.5)
    assert np.isnan(metres(stored, 1000)[2, 2])
