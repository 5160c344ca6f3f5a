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

"""The axes of a camera."""

import math

from hypothesis import given, strategies as st
import numpy as np

from mde_ros.simulation.pose import Pose

ANGLES = st.floats(-3, 3)


def test_a_level_camera_looks_along_x() -> None:
    right, down, forward = Pose(1, 2, 3, 0, 0).axes()
    np.testing.assert_allclose(forward, [1, 0, 0])
    np.testing.assert_allclose(right, [0, -1, 0])
    np.testing.assert_allclose(down, [0, 0, -1])


def test_yaw_turns_left_pitch_looks_up_roll_turns_clockwise() -> None:
    np.testing.assert_allclose(Pose(0, 0, 0, math.pi / 2, 0).axes()[2], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(Pose(0, 0, 0, 0, math.pi / 6).axes()[2],
                               [math.sqrt(.75), 0, .5], atol=1e-12)
    # Seen from behind, a quarter turn clockwise brings the camera's right side down.
    np.testing.assert_allclose(Pose(0, 0, 0, 0, 0, math.pi / 2).axes()[0], [0, 0, -1], atol=1e-12)


@given(ANGLES, ANGLES, ANGLES)
def test_axes_are_a_right_handed_frame(yaw: float, pitch: float, roll: float) -> None:
    axes = np.stack(Pose(0, 0, 0, yaw, pitch, roll).axes())
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert math.isclose(np.linalg.det(axes), 1)
