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

"""Where a camera is and where it looks."""

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pose:
    """
    A camera in a room: metres and radians, z up.

    :param yaw: of the optical axis about z, 0 along x.
    :param pitch: positive looks up.
    :param roll: positive turns the camera clockwise seen from behind it.
    """

    x: float
    y: float
    z: float
    yaw: float
    pitch: float
    roll: float = 0.

    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the unit vectors right, down and forward of the optical frame."""
        cy, sy = math.cos(self.yaw), math.sin(self.yaw)
        cp, sp = math.cos(self.pitch), math.sin(self.pitch)
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        forward = np.array([cy * cp, sy * cp, sp])
        level = np.array([sy, -cy, 0.])
        up = np.cross(level, forward)
        return cr * level - sr * up, -(sr * level + cr * up), forward
