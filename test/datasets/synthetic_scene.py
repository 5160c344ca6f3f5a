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

"""A tilted plane behind a box: every pixel's depth is known, whichever reader reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics

# n . X = d in metres, in the frame of the first camera (x right, y down, z forward).
PLANE = np.array([.3, -.2, 1.])
DISTANCE = 3.
# Two corners of the box.
NEAR, FAR = np.array([-.5, -.3, 1.5]), np.array([.4, .5, 2.1])


@dataclass(frozen=True)
class Scene:
    """
    What a camera sees.

    :param image: H x W x 3 uint8 RGB, colours that a JPEG keeps within a few levels.
    :param depth: H x W float64, metres along the optical axis, exact.
    :param box: H x W bool, where the box is in front.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float64]
    box: NDArray[np.bool_]

    def stored(self, per_metre: float, hole: int = 0) -> NDArray[np.uint16]:
        """Return the depth as 16 bit units; the first ``hole`` rows and columns meet in a 0."""
        stored = np.rint(self.depth * per_metre).astype(np.uint16)
        stored[:hole, :hole] = 0
        return stored


def metres(stored: NDArray[np.uint16], per_metre: float) -> NDArray[np.float32]:
    """Return what a reader must make of stored units: float32 metres, NaN where 0."""
    return np.where(stored == 0, np.nan, stored.astype(np.float64) / per_metre).astype(np.float32)


def render(camera: Intrinsics, scale: float = 1.,
           position: tuple[float, float, float] = (0., 0., 0.)) -> Scene:
    """
    Return the view of a pinhole camera, solved ray by ray.

    :param scale: 1 for a room (about 1 to 5 m), 10 for a road.
    :param position: of the camera in metres of the scaled scene; never rotated.
    """
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    ray = np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy,
                    np.ones(columns.shape)], -1)
    eye = np.array(position)
    plane = (DISTANCE * scale - PLANE @ eye) / (ray @ PLANE)
    with np.errstate(divide='ignore', invalid='ignore'):
        sides = np.stack([(NEAR * scale - eye) / ray, (FAR * scale - eye) / ray])
    enter, leave = sides.min(0).max(-1), sides.max(0).min(-1)
    box = (enter > 0) & (enter <= leave)
    # A ray's z is 1, so that its parameter is the depth.
    depth = np.where(box, enter, plane)
    assert (depth > 0).all(), 'this camera sees past the plane: give a narrower one'
    image = np.stack([60 + 120 * columns / camera.width, 60 + 120 * rows / camera.height,
                      np.where(box, 160., 80.)], -1)
    return Scene(image.astype(np.uint8), depth, box)
