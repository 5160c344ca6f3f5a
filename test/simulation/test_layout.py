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

"""Furniture is placed on free floor, backs at the wall, fronts into the room."""

import math

import numpy as np
import pytest

from mde_ros.simulation.layout import Layout
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Surface, Thing
from mde_ros.simulation.walls import make_walls


@pytest.fixture
def plan(look: Look) -> Layout:
    """Return an empty room of 5 x 4 x 2.5 m."""
    return Layout(look, 5., 4., 2.5, make_walls(5., 4., 2.5), Parts())


def crate(look: Look, width: float = 1., depth: float = .5, height: float = .7) -> Thing:
    """Return a box that marks its front with a metal plate."""
    parts = Parts()
    parts.box(look.surface('wood'), (0, depth / 2, height / 2), (width, depth, height))
    parts.box(look.surface('metal'), (0, depth - .005, height / 2), (.1, .01, .1))
    return Thing(parts, width, depth, height)


def test_nothing_is_put_into_another_thing(plan: Layout, look: Look) -> None:
    assert plan.put(crate(look), 2., 2., 0.)
    assert not plan.put(crate(look), 2.4, 2.2, 0.)
    assert plan.put(crate(look), 3.1, 2., 0.)
    assert len(plan.solids) == 2


@pytest.mark.parametrize(('x', 'y', 'yaw'), [(.3, 2., 0.), (2., 3.7, 0.), (2., .2, math.pi)])
def test_nothing_is_put_into_a_wall(plan: Layout, look: Look, x: float, y: float,
                                    yaw: float) -> None:
    assert not plan.put(crate(look), x, y, yaw)


def test_nothing_is_higher_than_the_room(plan: Layout, look: Look) -> None:
    assert not plan.put(crate(look, height=2.6), 2., 2., 0.)


@pytest.mark.parametrize('side', range(4))
def test_backs_are_at_the_wall_and_fronts_look_into_the_room(
        plan: Layout, look: Look, side: int) -> None:
    wall = plan.walls[side]
    assert plan.against_wall(crate(look), wall) is not None
    wood, metal = (piece.vertices.mean(0) for piece in plan.parts.pieces)
    inward = np.array([-math.sin(wall.yaw), math.cos(wall.yaw), 0])
    assert (metal - wood) @ inward == pytest.approx(.245)
    assert (plan.parts.pieces[0].vertices[:, :2] @ inward[:2]
            - np.array(wall.origin) @ inward[:2]).min() == pytest.approx(.015)


def test_doors_and_windows_stay_free(plan: Layout, look: Look) -> None:
    wall = plan.walls[0]
    wall.blocked.append((0., 5.))
    assert plan.against_wall(crate(look), wall) is None
    other = plan.walls[2]
    other.windows.append((0., 5., 1., 2.))
    assert plan.against_wall(crate(look, height=1.8), other) is None
    assert plan.against_wall(crate(look, height=.7), other) is not None


def test_a_full_room_takes_nothing_more(plan: Layout, look: Look) -> None:
    assert plan.put(crate(look, 4.9, 3.9), 2.5, .05, 0.)
    assert plan.against_wall(crate(look)) is None
    assert plan.anywhere(crate(look)) is None


def test_cluttered_surfaces_are_targets(plan: Layout, look: Look) -> None:
    thing = crate(look)
    thing.surfaces.append(Surface(-.5, 0., .5, .5, .7, .9))
    assert plan.put(thing, 2., 3., math.pi)
    assert plan.targets == [pytest.approx((2., 2.75, .7))]


def test_a_camera_stays_out_of_things_and_walls(plan: Layout, look: Look) -> None:
    plan.put(crate(look), 2., 2., 0.)
    assert not plan.free_at(2., 2.2, .5, .1)
    assert not plan.free_at(2., 2.2, .75, .1)
    assert plan.free_at(2., 2.2, .85, .1)
    assert not plan.free_at(.1, 1., 1., .2)
    assert not plan.free_at(1., 1., 2.45, .1)


def test_litter_lies_on_the_floor(plan: Layout) -> None:
    plan.litter(.5)
    assert plan.solids
    for piece in plan.parts.pieces:
        assert -.06 < piece.vertices[:, 2].min() < .7
