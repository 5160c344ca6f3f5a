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

"""Small things on tables, shelves and floors: cups, books, boxes, bottles, fruit, papers."""

from collections.abc import Callable
from itertools import pairwise
import math

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.tables import laptop
from mde_ros.simulation.thing import Surface

# A maker adds one item at the origin and returns the radius of its footprint.
Maker = Callable[[Look, Parts], float]


def mug(look: Look, parts: Parts) -> float:
    """Add a mug, 8 to 10 cm."""
    rng = look.rng
    r, h = rng.uniform(.035, .047), rng.uniform(.075, .11)
    finish = look.paint('white', 'colour', 'dark', material='gloss')
    parts.lathe(finish, (0, 0, 0), [(0, 0), (r, 0), (r, h), (r - .004, h), (r - .005, .01),
                                    (0, .01)], 12)
    turn = rng.uniform(0, 6)
    c, s = math.cos(turn), math.sin(turn)
    points = [(r + a, z) for a, z in ((0, .8), (.025, .75), (.03, .5), (.022, .28), (0, .22))]
    for (a, z0), (b, z1) in pairwise(points):
        parts.rod(finish, (a * c, a * s, z0 * h), (b * c, b * s, z1 * h), .005, 5)
    return r + .03


def bottle(look: Look, parts: Parts) -> float:
    """Add a bottle, 18 to 32 cm."""
    rng = look.rng
    r, h = rng.uniform(.028, .045), rng.uniform(.18, .32)
    finish = look.paint('colour', 'dark', 'white', 'leaf', material='gloss')
    parts.lathe(finish, (0, 0, 0), [(0, 0), (r, 0), (r, h * .6), (r * .8, h * .7),
                                    (r * .35, h * .8), (r * .35, h), (0, h)], 12)
    parts.lathe(look.printed('package'), (0, 0, h * .15), [(r + .001, 0), (r + .001, h * .35)], 12)
    return r


def can(look: Look, parts: Parts) -> float:
    """Add a can or a jar."""
    rng = look.rng
    r, h = rng.uniform(.03, .055), rng.uniform(.07, .16)
    parts.lathe(look.printed('package'), (0, 0, 0), [(r, 0), (r, h)], 14)
    parts.cylinder(look.paint('grey', 'white', 'colour'), (0, 0, 0), r * .97, h + .004)
    return r


def box(look: Look, parts: Parts) -> float:
    """Add a package: cereal, tea, tissues, electronics."""
    rng = look.rng
    size = (rng.uniform(.06, .24), rng.uniform(.04, .16), rng.uniform(.04, .28))
    roll = rng.random()
    finish = (look.printed('package') if roll < .7 else look.printed('cardboard') if roll < .85
              else look.paint('white', 'dark', 'colour'))
    parts.box(finish, (0, 0, size[2] / 2), size, yaw=rng.uniform(0, 6))
    return math.hypot(size[0], size[1]) / 2


def book_stack(look: Look, parts: Parts) -> float:
    """Add one to six lying books."""
    rng, z = look.rng, 0.
    for _ in range(int(rng.integers(1, 6))):
        thick = rng.uniform(.008, .045)
        cover = look.printed('package') if rng.random() < .7 else look.paint()
        parts.box(cover, (0, 0, z + thick / 2),
                  (rng.uniform(.13, .22), rng.uniform(.18, .3), thick),
                  yaw=rng.uniform(-.3, .3))
        z += thick
    return .16


def papers(look: Look, parts: Parts) -> float:
    """Add sheets of paper."""
    rng = look.rng
    for k in range(int(rng.integers(1, 5))):
        parts.box(look.printed('paper'), (rng.uniform(-.06, .06), rng.uniform(-.06, .06),
                                          .001 + k * .0015), (.21, .297, .001),
                  yaw=rng.uniform(0, 6))
    return .15


def bowl(look: Look, parts: Parts) -> float:
    """Add a bowl, sometimes with fruit."""
    rng = look.rng
    r, h = rng.uniform(.06, .14), rng.uniform(.04, .09)
    finish = look.paint('white', 'colour', 'brown', 'pastel', material='gloss')
    parts.lathe(finish, (0, 0, 0), [(0, 0), (r * .5, 0), (r * .85, h * .5), (r, h),
                                    (r - .006, h), (r * .8, h * .5), (r * .45, .012),
                                    (0, .012)], 16)
    if rng.random() < .4:
        for k in range(int(rng.integers(2, 6))):
            parts.cushion(look.paint('colour', 'leaf'),
                          (r * .45 * math.cos(k * 1.3), r * .45 * math.sin(k * 1.3), h * .8),
                          (.075, .075, .075), 1., rows=6, columns=8)
    return r


def plate(look: Look, parts: Parts) -> float:
    """Add a plate."""
    r = look.rng.uniform(.08, .14)
    parts.lathe(look.paint('white', 'pastel', 'colour', material='gloss'), (0, 0, 0),
                [(0, 0), (r * .6, 0), (r, .02), (r - .002, .023), (r * .6, .006), (0, .006)], 18)
    return r


def pen_cup(look: Look, parts: Parts) -> float:
    """Add a cup of pens."""
    rng = look.rng
    parts.cylinder(look.paint('dark', 'grey', 'colour'), (0, 0, 0), .04, .1, 10)
    for _ in range(int(rng.integers(2, 6))):
        tip = rng.uniform(-.05, .05, 2)
        parts.rod(look.paint('colour', 'dark'), (tip[0] * .4, tip[1] * .4, .09),
                  (tip[0], tip[1], .17), .004, 5)
    return .05


def plant(look: Look, parts: Parts, scale: float = 1.) -> float:
    """Add a pot plant."""
    rng = look.rng
    r, h = .07 * scale, .13 * scale
    parts.cylinder(look.paint('white', 'brown', 'dark', 'colour'), (0, 0, 0), r * .75, h, 12, r)
    for _ in range(int(rng.integers(6, 16))):
        turn, lean, long = rng.uniform(0, 6.3), rng.uniform(.1, 1.1), rng.uniform(.1, .35) * scale
        tip = (long * math.sin(lean) * math.cos(turn), long * math.sin(lean) * math.sin(turn),
               h + long * math.cos(lean) + .05 * scale)
        green = look.paint('leaf')
        parts.rod(green, (0, 0, h), tip, .004 * scale, 5)
        parts.cushion(green, tip, (.1 * scale, .045 * scale, .012 * scale), 1., yaw=turn,
                      pitch=rng.uniform(-.6, .6), rows=4, columns=8)
    return .15 * scale


def desk_lamp(look: Look, parts: Parts) -> float:
    """Add a jointed lamp."""
    rng = look.rng
    finish = look.paint('dark', 'white', 'colour', 'grey')
    turn = rng.uniform(0, 6)
    c, s = math.cos(turn), math.sin(turn)
    parts.cylinder(finish, (0, 0, 0), .09, .02)
    parts.rod(finish, (0, 0, .02), (-.1 * c, -.1 * s, .3), .008, 6)
    parts.rod(finish, (-.1 * c, -.1 * s, .3), (.15 * c, .15 * s, .42), .008, 6)
    parts.lathe(finish, (.18 * c, .18 * s, .34), [(.07, 0), (.03, .1), (0, .1)], 12)
    return .1


def phone(look: Look, parts: Parts) -> float:
    """Add a phone, a remote control or another small flat thing."""
    rng = look.rng
    parts.box(look.paint('dark', 'grey', 'colour'), (0, 0, .012),
              (rng.uniform(.04, .09), rng.uniform(.1, .18), .022), yaw=rng.uniform(0, 6))
    return .08


def bag(look: Look, parts: Parts) -> float:
    """Add a backpack or a bag, 0.3 to 0.5 m."""
    rng = look.rng
    finish = look.paint('dark', 'dark', 'grey', 'colour') if rng.random() < .7 else \
        look.surface('fabric3')
    h, turn = rng.uniform(.3, .5), rng.uniform(0, 6)
    parts.cushion(finish, (0, 0, h / 2), (.32, .2, h), .55, yaw=turn)
    c, s = math.cos(turn), math.sin(turn)
    parts.cushion(finish, (.1 * -s, .1 * c, h * .35), (.24, .1, h * .5), .55, yaw=turn)
    return .2


def waste_bin(look: Look, parts: Parts) -> float:
    """Add a waste bin."""
    rng = look.rng
    r, h = rng.uniform(.1, .18), rng.uniform(.25, .6)
    parts.lathe(look.paint('dark', 'grey', 'colour', 'white'), (0, 0, 0),
                [(0, 0), (r * .8, 0), (r, h), (r - .01, h), (r * .78, .03), (0, .03)], 14)
    return r


def cloth_heap(look: Look, parts: Parts) -> float:
    """Add crumpled cloth."""
    rng = look.rng
    finish = look.surface(str(rng.choice(['fabric', 'fabric2', 'fabric3'])))
    for _ in range(int(rng.integers(2, 5))):
        parts.cushion(finish, (rng.uniform(-.1, .1), rng.uniform(-.1, .1), .05),
                      (rng.uniform(.2, .4), rng.uniform(.15, .3), rng.uniform(.06, .16)), .8,
                      yaw=rng.uniform(0, 6), roll=rng.uniform(-.2, .2))
    return .25


def open_laptop(look: Look, parts: Parts) -> float:
    """Add an open laptop."""
    laptop(look, parts, 0, 0, 0, look.rng.uniform(0, 6))
    return .22


ITEMS: dict[str, tuple[list[Maker], list[float]]] = {
    'table': ([mug, bottle, can, box, book_stack, papers, bowl, pen_cup, plant, desk_lamp, phone,
               open_laptop, plate, cloth_heap, bag],
              [3, 2, 2, 5, 4, 4, 1, 1, .7, .6, 2, .7, .7, .3, .3]),
    'kitchen': ([mug, bottle, can, box, bowl, plate, plant, cloth_heap, book_stack],
                [4, 4, 4, 4, 2, 2, .5, .4, .5]),
    'shelf': ([box, can, bottle, plant, book_stack, bowl, mug], [5, 2, 2, 1, 2, 1, 1]),
    'soft': ([cloth_heap, book_stack, phone, bag, box], [3, 1, 1, 1, 1]),
    'floor': ([bag, waste_bin, box, cloth_heap, bottle, book_stack, plant],
              [3, 3, 3, 1, 1, .7, 1]),
}


def scatter(look: Look, surface: Surface, parts: Parts) -> int:
    """Put things on a surface without overlaps until its share is covered; return how many."""
    rng = look.rng
    makers, weights = ITEMS[surface.kind]
    chance = [w / sum(weights) for w in weights]
    area = max(0., surface.x1 - surface.x0) * max(0., surface.y1 - surface.y0)
    wanted, covered = area * surface.clutter * rng.uniform(.2, 1.8), 0.
    done: list[tuple[float, float, float]] = []
    for _ in range(60):
        if covered >= wanted:
            break
        item = Parts()
        radius = makers[int(rng.choice(len(makers), p=chance))](look, item)
        high = max(float(piece.vertices[:, 2].max()) for piece in item.pieces)
        if high > surface.room:
            continue
        margin = radius * .7
        if surface.x1 - surface.x0 < 2 * margin or surface.y1 - surface.y0 < 2 * margin:
            continue
        x = rng.uniform(surface.x0 + margin, surface.x1 - margin)
        y = rng.uniform(surface.y0 + margin, surface.y1 - margin)
        if any(math.hypot(x - a, y - b) < .9 * (radius + r) for a, b, r in done):
            continue
        done.append((x, y, radius))
        covered += math.pi * radius ** 2
        parts.place(item, x, y, surface.z)
    return len(done)
