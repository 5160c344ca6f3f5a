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

"""Points written in place, by hand and against plain geometry."""

import numpy as np
import pytest

from mde_ros.camera.cloud import ray_planes, write_points
from mde_ros.camera.geometry import depth_to_points, rays
from mde_ros.camera.intrinsics import Intrinsics

CAMERA = Intrinsics(7, 5, 10., 20., 3., 2.)
IMAGE = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def depth() -> np.ndarray:
    """Return depth with a hole and both infinities."""
    made = np.linspace(1, 5, 35, dtype=np.float32).reshape(5, 7)
    made[0, 0], made[1, 1], made[2, 2] = np.nan, np.inf, -np.inf
    return made


@pytest.mark.parametrize(('channels', 'colour'), [(4, 3), (8, 4)])
@pytest.mark.parametrize('stride', [1, 2, 3])
def test_points_are_those_of_the_geometry(channels: int, colour: int, stride: int) -> None:
    height, width = -(-5 // stride), -(-7 // stride)
    points = np.full((height, width, channels), 9, np.float32)
    write_points(points, depth(), CAMERA, IMAGE, stride=stride, colour_channel=colour)
    expected = depth_to_points(depth(), CAMERA)[::stride, ::stride]
    assert np.array_equal(points[..., :3], expected, equal_nan=True)
    bits = points.view(np.uint32)[..., colour]
    r, g, b = np.moveaxis(IMAGE[::stride, ::stride].astype(np.uint32), -1, 0)
    assert np.array_equal(bits, r << 16 | g << 8 | b)
    others = [c for c in range(3, channels) if c != colour]
    assert (points[..., others] == 9).all()


def test_a_point_by_hand() -> None:
    points = np.zeros((5, 7, 4), np.float32)
    image = np.zeros((5, 7, 3), np.uint8)
    image[4, 6] = 1, 2, 3
    write_points(points, np.full((5, 7), 2, np.float32), CAMERA, image)
    # Three columns right at fx 10, two rows down at fy 20, two metres away.
    assert points[4, 6, :3].tolist() == pytest.approx([.6, .2, 2])
    assert points.view(np.uint32)[4, 6, 3] == 0x00010203


def test_two_sizes_in_turn_do_not_mix() -> None:
    small = Intrinsics(3, 2, 10., 10., 1., .5)
    for _ in range(2):
        for camera in (CAMERA, small):
            points = np.zeros((camera.height, camera.width, 4), np.float32)
            z = np.full((camera.height, camera.width), camera.width, np.float32)
            write_points(points, z, camera, np.zeros((*z.shape, 3), np.uint8))
            assert np.array_equal(points[..., :3], depth_to_points(z, camera))


def test_planes_are_contiguous_and_cannot_be_spoiled() -> None:
    across, down = ray_planes(CAMERA, 2)
    assert np.array_equal(np.stack([across, down], -1), rays(CAMERA)[::2, ::2])
    assert across.flags.c_contiguous and not across.flags.writeable
