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

"""Shelves, cabinets, wardrobes, fridges, racks, cartons."""

import numpy as np

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.shapes import Finish
from mde_ros.simulation.thing import Surface, Thing

TOP_CARTONS = .28  # metres above the top board of a rack


def books(look: Look, parts: Parts, x0: float, x1: float, y: float, z: float, room: float,
          yaw_lying: bool = True) -> None:
    """Fill a board from x0 to x1 with standing books, backs at ``y`` towards +y."""
    rng = look.rng
    x, fullness = x0, rng.uniform(.4, 1.)
    common = min(room - .02, rng.uniform(.2, .31))
    while x < x0 + (x1 - x0) * fullness - .05:
        if rng.random() < .06:
            x += rng.uniform(.03, .15)
            continue
        thick = rng.uniform(.012, .07)
        high = min(room - .01, common * rng.uniform(.75, 1.))
        deep = rng.uniform(.14, .22)
        finish = (look.printed('spine') if rng.random() < .45 else
                  look.paint('colour', 'dark', 'white', 'grey', 'brown', 'colour'))
        lean = rng.uniform(.08, .25) if rng.random() < .05 else 0.
        parts.box(finish, (x + thick / 2, y - deep / 2 - rng.uniform(0, .03), z + high / 2),
                  (thick - .001, deep, high), pitch=lean)
        x += thick
    if yaw_lying and x1 - x > .3 and rng.random() < .5:
        level = z
        for _ in range(int(rng.integers(1, 5))):
            thick = rng.uniform(.015, .05)
            if level + thick > z + room:
                break
            parts.box(look.printed('package'), ((x + x1) / 2, y - .12, level + thick / 2),
                      (.22, .16, thick), yaw=rng.uniform(-.2, .2))
            level += thick


def shelf(look: Look) -> Thing:
    """Return a bookcase, 0.6 to 1.2 m wide, to 2.2 m high, with books and boxes."""
    rng, parts = look.rng, Parts()
    w, d, h = rng.uniform(.6, 1.2), rng.uniform(.26, .4), float(rng.choice([.85, 1.2, 1.8, 2.05]))
    finish = (look.shared('shelf', 'wood') if rng.random() < .6 else
              look.shared('shelf paint', 'white', 'grey', 'dark', 'brown'))
    for x in (-w / 2 + .01, w / 2 - .01):
        parts.box(finish, (x, d / 2, h / 2), (.02, d, h))
    if rng.random() < .8:
        parts.box(finish, (0, .006, h / 2), (w, .01, h))
    count = max(2, round(h / rng.uniform(.3, .4)))
    surfaces = [Surface(-w / 2 + .03, .03, w / 2 - .03, d - .03, h, .25, .4, 'shelf')]
    for k in range(count + 1):
        z = .06 + k * (h - .08) / count
        parts.box(finish, (0, d / 2, z), (w - .03, d - .01, .02))
        if k == count:
            break
        room = (h - .08) / count - .03
        roll = rng.random()
        if roll < .6:
            books(look, parts, -w / 2 + .03, w / 2 - .03, d - .03, z + .011, room)
        elif roll < .92:
            surfaces.append(Surface(-w / 2 + .04, .05, w / 2 - .04, d - .03, z + .011, .45,
                                    room, 'shelf'))
    return Thing(parts, w, d, h, surfaces)


def cabinet(look: Look, height: float | None = None) -> Thing:
    """Return a closed cabinet, a drawer unit or a wardrobe."""
    rng, parts = look.rng, Parts()
    h = height or float(rng.choice([.55, .75, .85, 1.2, 1.9, 2.1]))
    w, d = rng.uniform(.45, 1.2), rng.uniform(.38, .6)
    if h > 1.5:
        w = max(w, .8)
    finish = (look.shared('cabinet', 'wood') if rng.random() < .5 else
              look.shared('cabinet paint', 'white', 'grey', 'brown', 'dark', 'colour'))
    base = rng.uniform(.03, .12)
    parts.box(finish, (0, d / 2, (h + base) / 2), (w, d, h - base))
    parts.box(look.paint('dark', 'grey'), (0, d / 2, base / 2), (w - .06, d - .06, base))
    handle = look.shared('handle', 'grey', 'dark', 'white')
    columns = max(1, round(w / rng.uniform(.4, .6)))
    rows = max(1, round(h / rng.uniform(.2, .5))) if h < 1.3 and rng.random() < .6 else 1
    each_w, each_h = w / columns, (h - base) / rows
    for i in range(columns):
        for j in range(rows):
            x, z = -w / 2 + (i + .5) * each_w, base + (j + .5) * each_h
            parts.box(finish, (x, d + .009, z), (each_w - .008, .018, each_h - .008))
            if rows > 1:
                parts.box(handle, (x, d + .026, z + each_h * .2), (.12, .016, .014))
            else:
                side = each_w * .4 * (1 if i % 2 == 0 else -1)
                parts.box(handle, (x + side, d + .026, z), (.016, .016, .14))
    return Thing(parts, w, d + .02, h,
                 [Surface(-w / 2 + .03, .03, w / 2 - .03, d - .02, h, .3, .5, 'shelf')])


def fridge(look: Look) -> Thing:
    """Return a fridge, 0.6 m wide, 0.85 to 1.9 m high."""
    rng, parts = look.rng, Parts()
    h = float(rng.choice([.85, 1.6, 1.75, 1.9]))
    finish = look.surface('metal') if rng.random() < .35 else look.paint('white', 'grey')
    parts.box(finish, (0, .3, h / 2 + .02), (.6, .6, h - .04))
    parts.box(look.paint('dark', 'grey'), (0, .3, .02), (.56, .54, .04))
    split = h * rng.uniform(.3, .7)
    for low, high in ((.05, split), (split + .01, h)):
        parts.box(finish, (0, .62, (low + high) / 2), (.595, .045, high - low - .005))
        parts.box(look.shared('handle', 'grey', 'dark'), (.25, .66, (low + high) / 2),
                  (.02, .03, min(.4, (high - low) * .6)))
    for _ in range(int(rng.integers(0, 6))):
        parts.sheet(look.printed('paper'),
                    (rng.uniform(-.1, .25), .6435, rng.uniform(.5, max(.55, h - .35))),
                    (-.13, 0, 0), (0, 0, .18), 1.)
    return Thing(parts, .6, .68, h, [Surface(-.27, .05, .27, .55, h, .4, .4, 'shelf')])


def carton(look: Look, parts: Parts, x: float, y: float, z: float, size: tuple[float, ...],
           yaw: float) -> None:
    """Add one carton standing on z."""
    rng = look.rng
    finish = look.printed('cardboard') if rng.random() < .75 else look.printed('package')
    w, d, h = size
    parts.box(finish, (x, y, z + h / 2), (w, d, h), yaw=yaw)
    if rng.random() < .25:  # open flaps
        for side in (-1, 1):
            parts.box(finish, (x + side * w * .62, y, z + h + .02), (w * .3, d, .006),
                      pitch=side * .5)


def carton_stack(look: Look) -> Thing:
    """Return a few cartons, stacked."""
    rng, parts = look.rng, Parts()
    w, d, z = rng.uniform(.3, .65), rng.uniform(.25, .5), 0.
    for _ in range(int(rng.integers(1, 5))):
        h = rng.uniform(.15, .45)
        size = (w * rng.uniform(.7, 1.), d * rng.uniform(.7, 1.), h)
        carton(look, parts, rng.uniform(-.03, .03), d / 2, z, size, rng.uniform(-.15, .15))
        z += h
    return Thing(parts, w + .1, d + .05, z)


def pallet(look: Look) -> Thing:
    """Return a pallet, 1.2 by 0.8 m, with cartons in layers or empty."""
    rng, parts = look.rng, Parts()
    wood = look.surface('wood')
    for y in (.06, .4, .74):
        parts.box(wood, (0, y, .05), (1.2, .1, .1))
    for x in np.linspace(-.55, .55, 7):
        parts.box(wood, (x, .4, .122), (.1, .8, .022))
    z, finish = .133, look.printed('cardboard')
    nx, ny, high = int(rng.integers(2, 5)), int(rng.integers(2, 4)), rng.uniform(.15, .4)
    for _ in range(int(rng.integers(0, 1 + int(1.6 / high)))):
        for i in range(nx):
            for j in range(ny):
                parts.box(finish, (-.6 + (i + .5) * 1.2 / nx, (j + .5) * .8 / ny, z + high / 2),
                          (1.2 / nx - .01, .8 / ny - .01, high - .005))
        z += high
    return Thing(parts, 1.2, .8, z)


def rack(look: Look, width: float | None = None, depth: float | None = None,
         height: float | None = None) -> Thing:
    """Return a warehouse or lab rack with open boards full of cartons and bins."""
    rng, parts = look.rng, Parts()
    w, d = width or rng.uniform(.9, 2.4), depth or rng.uniform(.4, .8)
    h = height or rng.uniform(1.5, 2.4)
    post = look.shared('rack post', 'grey', 'colour', 'dark', 'colour')
    board = look.shared('rack board', 'grey', 'brown', 'white')
    for x in (-w / 2 + .02, w / 2 - .02):
        for y in (.02, d - .02):
            parts.box(post, (x, y, h / 2), (.04, .04, h))
    count = int(rng.integers(3, 6)) if h < 2.5 else 1 + round(h / rng.uniform(1., 1.6))
    for k in range(count):
        z = .1 + k * (h - .15) / (count - 1)
        parts.box(board, (0, d / 2, z), (w, d, .035))
        room = (h - .15) / (count - 1) - .05 if k < count - 1 else TOP_CARTONS
        x = -w / 2 + .08
        while x < w / 2 - .3:
            if rng.random() < .2:
                x += rng.uniform(.1, .3)
                continue
            size = (rng.uniform(.2, .55), rng.uniform(.25, d - .08),
                    min(room, rng.uniform(.12, .45) if h < 2.5 else rng.uniform(.3, .9)))
            if x + size[0] > w / 2 - .05:
                break
            if rng.random() < .7:
                carton(look, parts, x + size[0] / 2, d / 2, z + .018, size,
                       rng.uniform(-.06, .06))
            else:
                bin_finish: Finish = look.paint('colour', 'grey', 'dark', 'white')
                parts.box(bin_finish, (x + size[0] / 2, d / 2, z + .018 + size[2] * .4),
                          (size[0], size[1], size[2] * .8))
            x += size[0] + rng.uniform(.01, .1)
    return Thing(parts, w, d, h + TOP_CARTONS + .02)
