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

"""What stands together: a desk with its chair, a table with chairs around it, a large plant."""

import math

from mde_ros.simulation.clutter import plant
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.people import person
from mde_ros.simulation.seats import office_chair, stool, wooden_chair
from mde_ros.simulation.tables import desk, round_table, table
from mde_ros.simulation.thing import Thing


def count_for(plan: Layout, per_square_metre: float, least: int = 0, most: int = 12) -> int:
    """Draw how many things a room of this area gets."""
    area = plan.length * plan.width * 1.4  # real rooms are full
    return int(min(most, max(least, plan.look.rng.poisson(per_square_metre * area))))


def big_plant(plan: Layout) -> Thing:
    """Return a plant of 0.6 to 1.6 m in a pot on the floor."""
    parts, inner = Parts(), Parts()
    scale = plan.look.rng.uniform(2., 4.)
    plant(plan.look, inner, scale)
    parts.place(inner, 0., .3)
    return Thing(parts, .6, .6, .45 * scale)


def desk_group(plan: Layout, free: bool = False) -> bool:
    """Place a desk with its chair; in the open, often two desks face each other."""
    rng, look = plan.look.rng, plan.look
    thing = desk(look, rng.uniform(.15, .6))
    place = plan.anywhere(thing, .5, True) if free else plan.against_wall(thing)
    if place is None:
        return False
    if free and rng.random() < .6:
        twin = desk(look, rng.uniform(.15, .6))
        plan.in_front(twin, place, 0., -.03, math.pi)
    chair = office_chair(look) if rng.random() < .8 else wooden_chair(look)
    plan.in_front(chair, place, rng.uniform(-.25, .25), thing.depth + rng.uniform(.5, .8),
                  math.pi + rng.normal(0, .5))
    if rng.random() < .08:
        plan.in_front(person(look, True), place, .5, thing.depth + .75)
    return True


def dining_group(plan: Layout, clutter: float = .3) -> bool:
    """Place a table with chairs around it."""
    rng, look = plan.look.rng, plan.look
    round_top = rng.random() < .3
    thing = round_table(look) if round_top else table(look, clutter=clutter)
    place = plan.anywhere(thing, .35, True)
    if place is None:
        return False
    seat = wooden_chair if rng.random() < .8 else stool
    if round_top:
        middle, count = thing.depth / 2, int(rng.integers(2, 5))
        for k in range(count):
            angle = k * 2 * math.pi / count + rng.uniform(-.2, .2)
            far = middle + .32
            plan.in_front(seat(look), place, far * math.sin(angle),
                          middle + far * math.cos(angle), math.pi - angle)
    else:
        count = max(1, int(thing.width / .65))
        for k in range(count):
            u = (k - (count - 1) / 2) * thing.width / count
            if rng.random() < .85:
                plan.in_front(seat(look), place, u, thing.depth + rng.uniform(.2, .4),
                              math.pi + rng.normal(0, .2))
            if rng.random() < .85:
                plan.in_front(seat(look), place, u, -rng.uniform(.2, .4), rng.normal(0, .2))
    return True
