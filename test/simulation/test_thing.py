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

"""Footprints of things on the floor, by hand."""

import math

import pytest

from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Footprint, footprint, Thing


@pytest.mark.parametrize(('yaw', 'bounds'), [
    (0., (9., 20., 11., 20.5)),
    (math.pi / 2, (9.5, 19., 10., 21.)),
    (math.pi, (9., 19.5, 11., 20.)),
    (-math.pi / 2, (10., 19., 10.5, 21.)),
])
def test_bounds_of_a_turned_thing(yaw: float, bounds: tuple[float, ...]) -> None:
    thing = Thing(Parts(), 2., .5, .7)
    found = footprint(thing, 10., 20., yaw)
    assert (found.x0, found.y0, found.x1, found.y1) == pytest.approx(bounds)
    assert found.z1 == .7


def test_overlap_counts_the_gap() -> None:
    a, b = Footprint(0, 0, 1, 1, 1), Footprint(1.1, 0, 2, 1, 1)
    assert not a.overlaps(b)
    assert a.overlaps(b, .2)
    assert b.overlaps(a, .2)
    assert not a.overlaps(b, .05)
    assert not a.overlaps(Footprint(0, 5, 1, 6, 1), 1.)


def test_contains_grows_by_the_margin() -> None:
    solid = Footprint(0, 0, 1, 1, .75)
    assert solid.contains(.5, .5, .5, 0)
    assert not solid.contains(.5, .5, .8, 0)
    assert solid.contains(.5, .5, .8, .1)
    assert not solid.contains(1.05, .5, .5, 0)
    assert solid.contains(1.05, .5, .5, .1)
