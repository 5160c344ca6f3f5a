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

"""What belongs into large rooms: classrooms, warehouses, halls."""

from collections.abc import Callable
import math

from mde_ros.simulation.groups import big_plant, count_for, desk_group
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.people import person
from mde_ros.simulation.seats import office_chair, sofa, stool, wooden_chair
from mde_ros.simulation.storage import cabinet, carton_stack, pallet, rack, shelf
from mde_ros.simulation.tables import monitor, table
from mde_ros.simulation.thing import Thing


def classroom(plan: Layout) -> None:
    """Fill a classroom: rows of benches with computers and chairs, all facing one wall."""
    rng, look = plan.look.rng, plan.look
    wide, deep = rng.uniform(1.2, 1.8), rng.uniform(.6, .8)
    machines = rng.random() < .6
    aisle, pitch = rng.uniform(.5, .9), deep + rng.uniform(.85, 1.2)
    columns = max(1, int((plan.length - .8 + aisle) / (wide + aisle)))
    height = rng.uniform(.72, .76)
    for row in range(max(1, int((plan.width - 2.2) / pitch))):
        for column in range(columns):
            x = .5 + wide / 2 + column * (wide + aisle)
            bench = table(look, wide, deep, height, rng.uniform(.05, .3))
            if machines:
                for k in (-.25, .25):
                    if rng.random() < .8:
                        monitor(look, bench.parts, k * wide, rng.uniform(.15, .25), height,
                                rng.normal(0, .15))
            y = .9 + row * pitch + rng.normal(0, .02)
            if not plan.put(bench, x, y, 0.):
                continue
            for k in (-.25, .25):
                if rng.random() < .85:
                    sitter = rng.random() < .12
                    seat = (person(look, True) if sitter else
                            wooden_chair(look) if rng.random() < .7 else office_chair(look))
                    plan.in_front(seat, (x, y, 0.), k * wide, deep + rng.uniform(.4, .6),
                                  math.pi + rng.normal(0, .15))
    plan.against_wall(table(look, clutter=.3), plan.walls[0])
    for _ in range(count_for(plan, .03, 0, 3)):
        plan.against_wall(cabinet(look) if rng.random() < .5 else shelf(look))
    plan.litter(.04)


def warehouse(plan: Layout) -> None:
    """Fill a warehouse: rows of tall racks with aisles, pallets, cartons on the floor."""
    rng, look = plan.look.rng, plan.look
    tall = rng.uniform(2., max(2.1, min(plan.height - .7, 5.5)))
    bay, deep = rng.uniform(1.8, 2.7), rng.uniform(.8, 1.1)
    aisle, y = rng.uniform(1.6, 3.2), rng.uniform(.1, 1.5)
    while y + deep < plan.width - .1:
        x = rng.uniform(.3, 2.)
        while x + bay < plan.length - .3:
            if rng.random() < .88:
                plan.put(rack(look, bay, deep, tall), x + bay / 2, y, 0.)
            x += bay + .03
        y += deep + aisle
    for _ in range(count_for(plan, .05, 1, 10)):
        plan.anywhere(pallet(look) if rng.random() < .6 else carton_stack(look), .2)
    plan.litter(.02)


def hall(plan: Layout) -> None:
    """Fill a hall sparsely: an open floor, benches and machines along the walls."""
    rng, look = plan.look.rng, plan.look
    for _ in range(count_for(plan, .03, 1, 6)):
        plan.against_wall(table(look, rng.uniform(1.2, 2.4), clutter=rng.uniform(.1, .6)))
    makers: list[Callable[[], Thing]] = [
        lambda: cabinet(look), lambda: rack(look), lambda: shelf(look), lambda: sofa(look),
        lambda: big_plant(plan), lambda: carton_stack(look)]
    for _ in range(count_for(plan, .03, 0, 6)):
        plan.against_wall(makers[int(rng.integers(0, len(makers)))]())
    for _ in range(count_for(plan, .02, 0, 5)):
        desk_group(plan, True)
    for _ in range(count_for(plan, .03, 0, 6)):
        plan.anywhere(office_chair(look) if rng.random() < .5 else stool(look))
    plan.litter(.02)
