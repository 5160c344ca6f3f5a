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

"""One room from one seed: shell, furniture, clutter, people and lights."""

from dataclasses import dataclass

import numpy as np

from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.fixtures import ceiling_lamps, dress_walls
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.lights import Lamp, room_lights
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.people import person
from mde_ros.simulation.recipes import HEIGHTS, RECIPES, SHARES, SIZES
from mde_ros.simulation.thing import Footprint
from mde_ros.simulation.walls import build_shell


@dataclass
class Room:
    """
    A furnished room in its own frame: x in [0, length], y in [0, width], z up, metres.

    :param ambient: light from everywhere, red, green, blue.
    """

    kind: str
    seed: int
    plan: Layout
    look: Look
    lamps: list[Lamp]
    ambient: tuple[float, float, float]


def build_room(seed: int, kind: str | None = None) -> Room:
    """
    Return the room of a seed; the same seed gives the same room.

    :param kind: one of the room types, or None to draw one.
    :raises SimulationError: for an unknown room type.
    """
    rng = np.random.default_rng(seed)
    drawn = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    kind = kind or drawn
    if kind not in RECIPES:
        raise SimulationError(f"--room {kind}: use one of {', '.join(RECIPES)}")
    l0, l1, w0, w1 = SIZES[kind]
    # Small rooms are the common ones.
    length, width = l0 + (l1 - l0) * rng.random() ** 1.4, w0 + (w1 - w0) * rng.random() ** 1.4
    height = rng.uniform(2.3, 2.8) if rng.random() < .7 else rng.uniform(2.7, 4.)
    if kind in HEIGHTS:
        height = rng.uniform(*HEIGHTS[kind])
    look, parts = Look(rng, kind), Parts()
    walls = build_shell(look, length, width, height, parts, kind)
    plan = Layout(look, length, width, height, walls, parts)
    if rng.random() < .25 and kind != 'corridor':
        _corner_block(plan)
    RECIPES[kind](plan)
    for _ in range(int(rng.poisson(.35))):
        plan.anywhere(person(look), .05)
    dress_walls(look, walls, parts, kind)
    places = ceiling_lamps(look, length, width, height, parts)
    lamps, ambient = room_lights(rng, plan, places)
    return Room(kind, seed, plan, look, lamps, ambient)


def _corner_block(plan: Layout) -> None:
    """Add a full-height block in a corner or a free-standing column."""
    rng = plan.look.rng
    if rng.random() < .4:
        side = rng.uniform(.25, .5)
        x, y = rng.uniform(1., plan.length - 1.), rng.uniform(1., plan.width - 1.)
        x0, x1, y0, y1 = x - side / 2, x + side / 2, y - side / 2, y + side / 2
    else:
        wide, deep = rng.uniform(.4, plan.length * .4), rng.uniform(.4, plan.width * .4)
        x0 = 0. if rng.random() < .5 else plan.length - wide
        y0 = 0. if rng.random() < .5 else plan.width - deep
        x1, y1 = x0 + wide, y0 + deep
    for wall, a, b, near in ((plan.walls[0], x0, x1, y0),
                             (plan.walls[2], plan.length - x1, plan.length - x0,
                              plan.width - y1),
                             (plan.walls[1], y0, y1, plan.length - x1),
                             (plan.walls[3], plan.width - y1, plan.width - y0, x0)):
        if near < .9 and any(a < t[1] and t[0] < b for t in wall.taken):
            return
    finish, h = plan.look.surface('wall'), plan.height
    parts = plan.parts
    for origin, u in (((x1, y1), (x0 - x1, 0)), ((x0, y0), (x1 - x0, 0)),
                      ((x1, y0), (0, y1 - y0)), ((x0, y1), (0, y0 - y1))):
        parts.sheet(finish, (*origin, 0.), (*u, 0.), (0, 0, h), .45)
    plan.solids.append(Footprint(x0, y0, x1, y1, h - .03))
