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

"""The path of a robot: free of collisions, smooth, at a robot's speed."""

import math

import numpy as np
import pytest

from mde_ros.simulation.drive import ACCELERATION, free_floor, plan_drive, plan_path
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Footprint
from mde_ros.simulation.walls import make_walls


@pytest.fixture
def plan(look: Look) -> Layout:
    """Return a room of 6 x 4 m that a wall with a gap of 1 m divides."""
    plan = Layout(look, 6., 4., 2.5, make_walls(6., 4., 2.5), Parts())
    plan.solids.append(Footprint(2.9, 0, 3.1, 3., 2.))
    return plan


def test_free_floor_keeps_the_radius(plan: Layout) -> None:
    free = free_floor(plan, .35)
    assert free.shape == (40, 60)
    assert not free[:3].any()
    assert not free[10, 26:34].any()
    assert free[10, 24]
    assert free[34, 30], 'the gap is free'


def test_a_closed_door_leaves_the_larger_half(plan: Layout) -> None:
    plan.solids.append(Footprint(2.3, 2.8, 3.1, 4., 2.))
    free = free_floor(plan, .35)
    assert free[:, 40:].any()
    assert not free[:, :20].any()


@pytest.mark.parametrize('seed', range(5))
def test_the_robot_hits_nothing(plan: Layout, seed: int) -> None:
    path = plan_path(np.random.default_rng(seed), plan, 20.)
    assert path is not None
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.max() < .021
    assert steps.sum() > 16  # rounding shortens corners
    for x, y in path:
        assert plan.free_at(x, y, .5, .2)


@pytest.mark.parametrize('rate', [10., 30.])
def test_a_drive_is_smooth(plan: Layout, rate: float) -> None:
    for seed in range(4):
        poses = plan_drive(np.random.default_rng(seed), plan, 120, rate)
        assert poses is not None
        assert len(poses) == 120
        places = np.array([(pose.x, pose.y) for pose in poses])
        speeds = np.linalg.norm(np.diff(places, axis=0), axis=1) * rate
        assert speeds.max() < 1.25
        assert speeds.max() > .3
        assert np.abs(np.diff(speeds)).max() * rate < 3 * ACCELERATION + .5
        turns = np.diff(np.unwrap([pose.yaw for pose in poses])) * rate
        assert np.abs(turns).max() < 2.
        heights = np.array([pose.z for pose in poses])
        assert .39 < heights.min() < heights.max() < 1.01
        assert np.ptp(heights) < .02
        assert all(math.radians(-23) < pose.pitch < math.radians(-2) for pose in poses)


def test_the_robot_looks_where_it_goes(plan: Layout) -> None:
    poses = plan_drive(np.random.default_rng(3), plan, 200, 20.)
    assert poses is not None
    ahead = [math.cos(pose.yaw) * (after.x - pose.x) + math.sin(pose.yaw) * (after.y - pose.y)
             for pose, after in zip(poses, poses[1:])]
    assert np.mean(np.array(ahead) > 0) > .9


def test_a_full_room_has_no_drive(plan: Layout) -> None:
    plan.solids.append(Footprint(0, 0, 6, 4, 1.))
    assert plan_path(np.random.default_rng(0), plan, 5.) is None
    assert plan_drive(np.random.default_rng(0), plan, 10, 10.) is None
