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

"""What belongs into an office, a kitchen, a corridor and so on."""

from collections.abc import Callable
import math

from mde_ros.simulation.groups import big_plant, count_for, desk_group, dining_group
from mde_ros.simulation.large_rooms import classroom, hall, warehouse
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.seats import bed, office_chair, sofa, stool, wooden_chair
from mde_ros.simulation.storage import cabinet, carton_stack, fridge, rack, shelf
from mde_ros.simulation.tables import counter, table
from mde_ros.simulation.thing import Thing


def office(plan: Layout) -> None:
    """Fill an office."""
    rng, look = plan.look.rng, plan.look
    for _ in range(count_for(plan, .12, 1, 7)):
        desk_group(plan)
    for _ in range(count_for(plan, .05, 0, 5)):
        desk_group(plan, True)
    for _ in range(count_for(plan, .1, 1, 6)):
        plan.against_wall(shelf(look) if rng.random() < .6 else cabinet(look))
    if rng.random() < .3:
        dining_group(plan)
    plan.litter(.12)


def lab(plan: Layout) -> None:
    """Fill a laboratory: benches, racks, machines, stools."""
    rng, look = plan.look.rng, plan.look
    for _ in range(count_for(plan, .12, 1, 6)):
        bench = table(look, rng.uniform(1.2, 2.4), .75, float(rng.choice([.75, .9])),
                      rng.uniform(.3, .7))
        place = plan.against_wall(bench) if rng.random() < .6 else plan.anywhere(bench, .5, True)
        if place and rng.random() < .7:
            plan.in_front(office_chair(look) if rng.random() < .6 else stool(look), place,
                          rng.uniform(-.5, .5), bench.depth + .5, math.pi + rng.normal(0, .7))
    for _ in range(count_for(plan, .06, 0, 4)):
        desk_group(plan)
    for _ in range(count_for(plan, .08, 0, 4)):
        plan.against_wall(rack(look) if rng.random() < .5 else cabinet(look))
    for _ in range(count_for(plan, .04, 0, 3)):
        plan.anywhere(office_chair(look))
    plan.litter(.15)


def corridor(plan: Layout) -> None:
    """Fill a corridor sparsely."""
    rng, look = plan.look.rng, plan.look
    for _ in range(count_for(plan, .08, 0, 5)):
        makers: list[Callable[[], Thing]] = [
            lambda: cabinet(look), lambda: carton_stack(look), lambda: wooden_chair(look),
            lambda: big_plant(plan), lambda: shelf(look)]
        plan.against_wall(makers[int(rng.integers(0, len(makers)))]())
    if rng.random() < .4:
        plan.litter(.1)


def kitchen(plan: Layout) -> None:
    """Fill a kitchen: runs of units, fridge, a table with chairs."""
    rng, look = plan.look.rng, plan.look
    for _ in range(int(rng.integers(1, 4))):
        wall = plan.walls[int(rng.integers(0, 4))]
        width = rng.uniform(1.2, max(1.3, min(4.5, wall.length - .7)))
        plan.against_wall(counter(look, width, not wall.windows and rng.random() < .8,
                                  plan.height), wall, .01)
    plan.against_wall(fridge(look))
    for _ in range(count_for(plan, .07, 1, 4)):
        dining_group(plan, rng.uniform(.1, .5))
    for _ in range(count_for(plan, .05, 0, 3)):
        plan.against_wall(cabinet(look) if rng.random() < .6 else shelf(look))
    plan.litter(.1)


def living(plan: Layout) -> None:
    """Fill a living room: sofas about a low table, shelves, television, plants."""
    rng, look = plan.look.rng, plan.look
    if rng.random() < .5:
        x, y = plan.length * rng.uniform(.3, .6), plan.width * rng.uniform(.3, .6)
        plan.parts.box(look.surface('rug'), (x, y, .006), (rng.uniform(1.4, 2.6),
                                                           rng.uniform(1.2, 2.), .012))
    for _ in range(int(rng.integers(1, 4))):
        place = plan.against_wall(sofa(look)) if rng.random() < .7 else plan.anywhere(sofa(look))
        if place and rng.random() < .7:
            low = table(look, rng.uniform(.7, 1.2), rng.uniform(.45, .7), rng.uniform(.36, .48),
                        rng.uniform(.2, .6))
            plan.in_front(low, place, 0., 1.25 + low.depth, math.pi)
    stand = cabinet(look, rng.uniform(.4, .6))
    place = plan.against_wall(stand)
    if place:
        screen, w = Parts(), rng.uniform(.8, 1.4)
        screen.box(look.paint('dark'), (0, .2, stand.height + .08 + w * .29), (w, .05, w * .58))
        screen.sheet(look.printed('screen', 'screen'),
                     (w / 2 - .015, .2255, stand.height + .095), (.03 - w, 0, 0),
                     (0, 0, w * .58 - .03), 1.)
        screen.box(look.paint('dark'), (0, .2, stand.height + .05), (.3, .15, .1))
        plan.parts.place(screen, place[0], place[1], 0., place[2])
    for _ in range(count_for(plan, .1, 1, 5)):
        plan.against_wall(shelf(look) if rng.random() < .6 else cabinet(look))
    if rng.random() < .5:
        dining_group(plan)
    for _ in range(int(rng.integers(0, 3))):
        plan.against_wall(big_plant(plan))
    plan.litter(.1)


def bedroom(plan: Layout) -> None:
    """Fill a bedroom: bed, night tables, wardrobe, desk."""
    rng, look = plan.look.rng, plan.look
    thing = bed(look)
    place = plan.against_wall(thing)
    if place:
        for side in (-1, 1):
            if rng.random() < .7:
                small = cabinet(look, rng.uniform(.45, .6))
                plan.in_front(small, place, side * (thing.width / 2 + small.width / 2 + .05), 0.,
                              0.)
    plan.against_wall(cabinet(look, rng.uniform(1.8, 2.1)))
    if rng.random() < .6:
        desk_group(plan)
    for _ in range(count_for(plan, .1, 0, 3)):
        plan.against_wall(shelf(look) if rng.random() < .5 else cabinet(look))
    if rng.random() < .4:
        plan.anywhere(wooden_chair(look) if rng.random() < .5 else sofa(look, 1))
    plan.litter(.15)


def storage(plan: Layout) -> None:
    """Fill a store: racks along walls and in aisles, cartons on the floor."""
    rng, look = plan.look.rng, plan.look
    for _ in range(count_for(plan, .18, 2, 9)):
        thing = rack(look)
        if rng.random() < .75:
            plan.against_wall(thing)
        else:
            plan.anywhere(thing, .6, True)
    for _ in range(count_for(plan, .12, 1, 8)):
        if rng.random() < .6:
            plan.against_wall(carton_stack(look))
        else:
            plan.anywhere(carton_stack(look))
    if rng.random() < .4:
        plan.against_wall(table(look, clutter=.5))
    plan.litter(.15)


def cafe(plan: Layout) -> None:
    """Fill a cafe: a bar, tables with chairs, plants."""
    rng, look = plan.look.rng, plan.look
    plan.against_wall(counter(look, rng.uniform(1.8, 3.5), rng.random() < .4, plan.height))
    for _ in range(count_for(plan, .14, 2, 9)):
        dining_group(plan, rng.uniform(.1, .35))
    for _ in range(int(rng.integers(0, 3))):
        plan.against_wall(sofa(look))
    for _ in range(int(rng.integers(0, 3))):
        plan.against_wall(big_plant(plan) if rng.random() < .5 else shelf(look))


RECIPES: dict[str, Callable[[Layout], None]] = {
    'office': office, 'lab': lab, 'corridor': corridor, 'kitchen': kitchen, 'living': living,
    'bedroom': bedroom, 'storage': storage, 'cafe': cafe, 'classroom': classroom,
    'warehouse': warehouse, 'hall': hall}
# Length, width: lower and upper bounds in metres.
SIZES = {'office': (3., 9., 2.8, 7.), 'lab': (4., 12., 3.5, 8.), 'corridor': (5., 14., 1.4, 2.6),
         'kitchen': (2.8, 6., 2.5, 5.), 'living': (3.5, 7.5, 3., 6.),
         'bedroom': (2.8, 5.5, 2.6, 4.5), 'storage': (3.5, 12., 3., 8.), 'cafe': (5., 11., 4., 8.),
         'classroom': (5., 10., 5., 9.), 'warehouse': (8., 19., 6., 14.),
         'hall': (6., 16., 5., 12.)}
# Heights where they differ from those of rooms.
HEIGHTS = {'warehouse': (4., 8.), 'hall': (2.6, 5.), 'classroom': (2.5, 3.6)}
SHARES = {'office': .21, 'lab': .13, 'corridor': .1, 'kitchen': .12, 'living': .12,
          'bedroom': .07, 'storage': .05, 'cafe': .06, 'classroom': .06, 'warehouse': .04,
          'hall': .04}
