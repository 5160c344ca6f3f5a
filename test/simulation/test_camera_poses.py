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

"""Cameras and poses: ranges, free places, views worth keeping."""

import math

import numpy as np
import pytest

from mde_ros.simulation.camera_poses import draw_camera, draw_poses, worth_keeping
from mde_ros.simulation.room import build_room, Room


@pytest.fixture(scope='module')
def room() -> Room:
    return build_room(0)


def test_drawn_cameras_are_like_real_ones() -> None:
    rng = np.random.default_rng(0)
    cameras = [draw_camera(rng, 320, 240) for _ in range(300)]
    ratios = np.array([camera.fx / 320 for camera in cameras])
    assert .6 <= ratios.min() < ratios.max() <= 1.2
    assert .75 < np.median(ratios) < 1.05
    assert all(.98 < camera.fy / camera.fx < 1.02 for camera in cameras)
    assert abs(np.mean([camera.cx for camera in cameras]) - 159.5) < 1
    assert 1 < np.std([camera.cx for camera in cameras]) < 6


def test_a_given_focal_length_is_kept() -> None:
    camera = draw_camera(np.random.default_rng(0), 640, 480, 525.)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (525., 525., 319.5, 239.5)


def test_poses_are_of_robots_and_of_hands(room: Room) -> None:
    source = draw_poses(np.random.default_rng(1), room.plan)
    drawn = [next(source) for _ in range(250)]
    assert {kind for kind, _ in drawn} == {'close', 'room', 'robot', 'floor', 'high'}
    for kind, pose in drawn:
        assert room.plan.free_at(pose.x, pose.y, pose.z, .1)
        if kind == 'floor':
            assert .3 <= pose.z <= 1.3
            assert -46 < math.degrees(pose.pitch) < -19
        if kind == 'high':
            assert 1.8 <= pose.z <= min(3.2, room.plan.height - .1)
            assert -46 < math.degrees(pose.pitch) < -7
        if kind == 'robot':
            assert .15 <= pose.z <= 1.3
            assert abs(math.degrees(pose.roll)) < 6


def test_what_is_worth_keeping() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
    depth = np.linspace(1, 4, 120 * 160).reshape(120, 160).astype(np.float32)
    assert worth_keeping(image, depth)
    assert not worth_keeping(np.full_like(image, 90), depth), 'one colour'
    assert not worth_keeping(image, np.full_like(depth, 2.)), 'one flat wall'
    assert not worth_keeping(image, depth * .2), 'too near'
    hole = depth.copy()
    hole[:50] = np.nan
    assert not worth_keeping(image, hole), 'hardly any reading'
    near = depth.copy()
    near[:10] = .1
    assert not worth_keeping(image, near), 'something right before the lens'
