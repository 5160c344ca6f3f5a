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

"""Floors that turn with the picture, and floors that are only expected."""

import math

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.anchors.camera_height import CameraHeight, Floor
from mde_ros.estimation.estimator import Estimate
from mde_ros.onsite.floor_roll import are_seen, followed, roll_of, turned

CAMERA = Intrinsics(160, 120, 130., 130., 79.5, 59.5)


def floor(roll: float) -> Floor:
    """Return a floor below a camera that looks down by 30 degrees, turned by ``roll``."""
    angle, pitch = math.radians(roll), math.radians(30)
    return Floor(1., np.array([math.sin(angle) * math.cos(pitch),
                               math.cos(angle) * math.cos(pitch), math.sin(pitch)]), .8)


class Expecting:
    """Estimates a floor in one direction, whatever it is shown."""

    def __init__(self, roll: float | None) -> None:
        self.roll = roll

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        """Return the depth of the floor, of a wall without one."""
        if self.roll is None:
            return Estimate(np.full((120, 160), np.nan, np.float32), intrinsics, image, {})
        v, u = np.mgrid[:120, :160]
        rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy,
                         np.ones(u.shape)], -1)
        depth = 1 / np.maximum(rays @ floor(self.roll).down, .05)
        return Estimate(depth.astype(np.float32), intrinsics, image, {})


def test_a_picture_is_turned_about_its_principal_point() -> None:
    off = Intrinsics(11, 11, 10., 10., 7., 4.)
    image = np.zeros((11, 11, 3), np.uint8)
    image[4, 7] = image[1, 7] = 255  # the principal point, and what is three pixels above it
    found = turned(image, off, 90.)
    assert found[4, 7].all() and found[4, 4].all()  # counter-clockwise: to its left
    assert not found[1, 7].any()


def test_gravity_turns_with_the_picture() -> None:
    assert roll_of(floor(0)) == pytest.approx(0)
    assert roll_of(floor(12)) == pytest.approx(12)
    assert roll_of(floor(-20)) == pytest.approx(-20)


@pytest.mark.parametrize(('says', 'share'), [(12., 1.), (0., 0.), (6., .5), (-12., -1.)])
def test_the_share_of_the_turn(says: float, share: float) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    found = followed(Expecting(says), image, CAMERA, floor(0.), CameraHeight(1.))
    assert found == pytest.approx(share, abs=.05)


def test_no_floor_in_the_turned_picture() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    assert math.isnan(followed(Expecting(None), image, CAMERA, floor(0.), CameraHeight(1.)))


def test_when_floors_are_seen() -> None:
    assert are_seen([.9, .8, 1.1, .1])
    assert not are_seen([.1, .2, .9, -.1])
    # Gone when the picture is turned: not followed.
    assert are_seen([1., 1., math.nan]) and not are_seen([1., math.nan, math.nan])
    assert not are_seen([])
