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

"""The floor tells the scale, frame by frame."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.estimation.anchors.camera_height import Floor
from mde_ros.estimation.estimator import Estimate
from mde_ros.onsite.mounted_camera import (
    direction_of, find_mount, floor_log_scale, floor_scales, Mount, MountPrior, site_anchors)

CAMERA = Intrinsics(160, 120, 130., 130., 79.5, 59.5)
PITCH, HEIGHT = math.radians(20), .6
DOWN = np.array([0., math.cos(PITCH), math.sin(PITCH)])


def scene(wall: float = 4., side: float = .3, down: NDArray[np.float64] = DOWN
          ) -> NDArray[np.float32]:
    """Return depth over a floor, a wall in front and a near box on the left."""
    v, u = np.mgrid[:120, :160]
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy,
                     np.ones(u.shape)], -1)
    descent = rays @ down
    floor = np.where(descent > 1e-3, HEIGHT / np.maximum(descent, 1e-3), np.inf)
    depth = np.minimum(floor, wall)
    depth[:, :int(160 * side)] = np.minimum(depth[:, :int(160 * side)], .8)
    return depth.astype(np.float32)


def floor_of(angle: float, share: float = .7, height: float = .8) -> Floor:
    """Return a floor whose normal is rolled by some degrees."""
    roll = math.radians(angle)
    return Floor(height, np.array([math.sin(roll) * DOWN[1], math.cos(roll) * DOWN[1], DOWN[2]]),
                 share)


@pytest.mark.parametrize('factor', [.5, 1., 1.9])
def test_the_scale_of_a_frame(factor: float) -> None:
    mount = Mount(DOWN, HEIGHT, True, 9)
    scale, support = floor_log_scale(scene() * np.float32(factor), CAMERA, mount)
    assert scale == pytest.approx(-math.log(factor), abs=.01) and support > .4


def test_a_wall_alone_has_no_scale() -> None:
    mount = Mount(DOWN, HEIGHT, True, 9)
    wall = np.full((120, 160), .4, np.float32)
    assert floor_log_scale(wall, CAMERA, mount)[1] < floor_log_scale(
        scene(), CAMERA, mount)[1] / 2
    nothing = floor_log_scale(np.full((120, 160), np.nan, np.float32), CAMERA, mount)
    assert math.isnan(nothing[0]) and nothing[1] == 0


def test_the_mount_is_what_the_clearer_half_agrees_on() -> None:
    # Sixteen floors, those with little to see tilted.
    floors = [floor_of(0, .8, .7)] * 8 + [floor_of(25, .45, 2.)] * 8
    mount = find_mount([*floors, None])
    assert mount is not None and not mount.known and mount.frames == 8
    np.testing.assert_allclose(mount.down, DOWN, atol=1e-9)
    assert mount.height == .7
    known = find_mount(floors, HEIGHT)
    assert known is not None and known.known and known.height == HEIGHT


def test_no_mount_in_the_hand_or_without_floor() -> None:
    assert find_mount([floor_of(0)] * 7 + [None] * 50) is None
    assert find_mount([floor_of(angle) for angle in range(-60, 60, 6)]) is None


class Scaled:
    """Estimates the scene, each frame at a scale of its own, mirrored and turned as it is."""

    #: Degrees that are seen of one degree of the picture's turn.
    follows = 1.

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        """Return the depth that the picture, or its mirror image, asks for."""
        # Brightness says the scale; blue goes from left to right.
        slope = [float(cv2.Sobel(image[..., 2], cv2.CV_64F, *axis)[20:-20, 20:-20].mean())
                 for axis in ((1, 0), (0, 1))]
        if slope[0] < 0:
            mirrored = self.estimate(np.ascontiguousarray(image[:, ::-1]), intrinsics)
            return Estimate(mirrored.depth[:, ::-1], intrinsics, image, {})
        turn = self.follows * math.atan2(-slope[1], slope[0])
        down = np.array([math.sin(turn) * DOWN[1], math.cos(turn) * DOWN[1], DOWN[2]])
        percent, number = image[60, 80, :2]
        return Estimate(scene(3 + number / 10, down=down) * np.float32(percent / 100), intrinsics,
                        image, {})


def frames() -> list[Frame]:
    """Return frames that ask for scales between 0.8 and 1.6."""
    found = []
    for number, percent in enumerate((80, 90, 100, 110, 120, 130, 140, 150, 155, 160)):
        image = np.empty((120, 160, 3), np.uint8)
        image[..., 0], image[..., 1] = percent, number
        image[..., 2] = np.linspace(0, 255, 160)
        found.append(Frame(str(percent), 0, image, CAMERA))
    return found


def test_anchors_have_the_height_that_is_given() -> None:
    mount, anchors = site_anchors(Scaled(), frames(), MountPrior(HEIGHT))
    assert mount is not None and len(anchors) == 10
    np.testing.assert_allclose(mount.down, DOWN, atol=.03)
    for name, depth in anchors.items():
        number = [f.name for f in frames()].index(name)
        truth = scene(wall=3 + number / 10)[::2, ::2]
        assert np.median(depth / truth) == pytest.approx(1, abs=.06)


def test_without_a_height_all_frames_agree() -> None:
    mount, anchors = site_anchors(Scaled(), frames())
    assert mount is not None and not mount.known
    scales = [float(np.median(depth / scene(3 + i / 10)[::2, ::2]))
              for i, depth in enumerate(anchors.values())]
    assert np.std(np.log(scales)) < .02 and .8 <= np.mean(scales) <= 1.6


def test_a_frame_without_floor_has_what_the_others_have_in_common() -> None:
    class Once(Scaled):
        def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
            found = super().estimate(image, intrinsics)
            if image[60, 80, 0] == 100:  # close to a wall
                found.depth[:] = .4
            return found
    mount, anchors = site_anchors(Once(), frames(), MountPrior(HEIGHT, 20.))
    assert mount is not None and mount.frames == 9 and len(anchors) == 10
    common = float(np.median([-math.log(int(f.name) / 100) for f in frames() if f.name != '100']))
    np.testing.assert_allclose(anchors['100'], .4 * math.exp(common), rtol=.02)


@pytest.mark.parametrize('follows', [0., .3, -1.])
def test_a_floor_that_does_not_turn_with_the_picture_is_no_floor(follows: float) -> None:
    blind = Scaled()
    blind.follows = follows
    mount, anchors = site_anchors(blind, frames(), MountPrior(HEIGHT))
    assert mount is None
    np.testing.assert_allclose(  # labels stay as they are
        np.median(anchors['150'] / scene(3 + 7 / 10)[::2, ::2]), 1.5, rtol=.01)
    # Who gives the direction is believed.
    assert site_anchors(blind, frames(), MountPrior(HEIGHT, 20.))[0] is not None


def test_without_a_mount_labels_stay_as_they_are() -> None:
    class Wall(Scaled):
        def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
            return Estimate(np.full((120, 160), 2., np.float32), intrinsics, image, {})
    mount, anchors = site_anchors(Wall(), frames())
    assert mount is None and len(anchors) == 10
    np.testing.assert_allclose(anchors['100'], 2.)
    # Nobody looks for the floor that is there.
    mount, anchors = site_anchors(Scaled(), frames(), None)
    assert mount is None
    np.testing.assert_allclose(
        np.median(anchors['150'] / scene(3 + 7 / 10)[::2, ::2]), 1.5, rtol=.01)


def test_labels_are_averaged_with_the_mirrored_picture() -> None:
    class Leaning(Scaled):
        """Sees twice the depth in the right half, whatever is there."""

        def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
            depth = np.ones((120, 160), np.float32)
            depth[:, 80:] = 2
            return Estimate(depth, intrinsics, image, {})
    _, anchors = site_anchors(Leaning(), frames()[:1], None)
    np.testing.assert_allclose(next(iter(anchors.values())), math.sqrt(2), rtol=1e-3)


def test_what_is_known_of_the_mount_is_taken() -> None:
    np.testing.assert_allclose(direction_of(20), DOWN, atol=1e-12)
    np.testing.assert_allclose(direction_of(0, 90), [1, 0, 0], atol=1e-12)
    # Floors that nobody could agree on do not matter then.
    floors = [floor_of(angle) for angle in range(-60, 60, 6)]
    mount = find_mount(floors, HEIGHT, direction_of(20))
    assert mount is not None and mount.known and mount.height == HEIGHT
    np.testing.assert_allclose(mount.down, DOWN)
    tilted = find_mount([floor_of(0)] * 8, None, direction_of(25))
    assert tilted is not None and not tilted.known and tilted.height == .8
    np.testing.assert_allclose(tilted.down, direction_of(25))
    found, anchors = site_anchors(Scaled(), frames(), MountPrior(HEIGHT, 20.))
    assert found is not None and len(anchors) == 10
    np.testing.assert_allclose(found.down, DOWN)


def test_scales_of_frames() -> None:
    scales = floor_scales(Scaled(), frames(), Mount(DOWN, HEIGHT, True, 9))
    expected = -np.log([int(frame.name) / 100 for frame in frames()])
    np.testing.assert_allclose(scales, expected, atol=.02)
