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

"""Tables, desks with their computers, kitchen counters and benches."""

from itertools import pairwise
import math

import numpy as np

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.shapes import Finish
from mde_ros.simulation.thing import Surface, Thing


def _top_finish(look: Look, name: str) -> Finish:
    roll = look.rng.random()
    if roll < .55:
        return look.shared(name, 'wood')
    if roll < .65:
        return look.surface('stone')
    return look.shared(name + ' paint', 'white', 'white', 'grey', 'brown', 'dark')


def table(look: Look, width: float | None = None, depth: float | None = None,
          height: float | None = None, clutter: float = .3) -> Thing:
    """Return a table, 0.72 to 0.76 m high, with four legs, panels, or one column."""
    rng, parts = look.rng, Parts()
    w, d = width or rng.uniform(.8, 2.), depth or rng.uniform(.7, 1.)
    h, thick = height or rng.uniform(.72, .76), rng.uniform(.02, .045)
    top = _top_finish(look, 'table')
    legs = top if rng.random() < .5 else look.shared('table legs', 'dark', 'grey', 'white')
    parts.box(top, (0, d / 2, h - thick / 2), (w, d, thick))
    style = rng.integers(0, 4)
    if style <= 1:
        half = rng.uniform(.015, .045)
        for x in (-w / 2 + half + .02, w / 2 - half - .02):
            for y in (half + .02, d - half - .02):
                if style == 0:
                    parts.box(legs, (x, y, (h - thick) / 2), (half * 2, half * 2, h - thick))
                else:
                    parts.rod(legs, (x, y, 0), (x, y, h - thick), half, 8)
        parts.box(legs, (0, .06, h - thick - .04), (w - .1, .025, .08))
        parts.box(legs, (0, d - .06, h - thick - .04), (w - .1, .025, .08))
    elif style == 2:
        for x in (-w / 2 + .1, w / 2 - .1):
            parts.box(legs, (x, d / 2, .02), (.06, d - .1, .04))
            parts.box(legs, (x, d / 2, h / 2), (.08, .1, h - thick))
            parts.box(legs, (x, d / 2, h - thick - .02), (.05, d - .15, .04))
    else:
        for x in (-w / 2 + .02, w / 2 - .02):
            parts.box(legs, (x, d / 2, (h - thick) / 2), (.03, d - .06, h - thick))
    if rng.random() < .1:
        cover = (look.surface('fabric2') if rng.random() < .4 else
                 look.paint('pastel', 'colour', 'white', material='paint'))
        hang = min(rng.uniform(.1, .6), h - .02)
        parts.box(cover, (0, d / 2, h + .003), (w + .03, d + .03, .006))
        for x0, y0, ux, uy in ((w / 2, d, -w, 0), (-w / 2, d, 0, -d), (-w / 2, 0, w, 0),
                               (w / 2, 0, 0, d)):
            out = np.array([uy, -ux]) / math.hypot(ux, uy) * .016
            parts.sheet(cover, (x0 + out[0], y0 + out[1], h - hang), (ux, uy, 0), (0, 0, hang),
                        .05, wave=rng.uniform(0, .012))
        h += .006
    return Thing(parts, w, d, h, [Surface(-w / 2 + .03, .03, w / 2 - .03, d - .03, h, clutter)])


def round_table(look: Look) -> Thing:
    """Return a round table on one column, 0.5 to 1.2 m across."""
    rng, parts = look.rng, Parts()
    radius, h = rng.uniform(.3, .6), float(rng.choice([.45, .73, .74, .75, 1.05]))
    parts.cylinder(_top_finish(look, 'round table'), (0, radius, h - .03), radius, .03, 24)
    column = look.shared('table legs', 'dark', 'grey', 'white')
    parts.cylinder(column, (0, radius, .02), .035, h - .05, 10)
    parts.cylinder(column, (0, radius, 0), radius * .6, .025, 16)
    r = radius * .68
    return Thing(parts, 2 * radius, 2 * radius, h,
                 [Surface(-r, radius - r, r, radius + r, h, .25)])


def monitor(look: Look, parts: Parts, x: float, y: float, z: float, yaw: float) -> None:
    """Add a monitor, 0.45 to 0.7 m wide, facing +y turned by ``yaw``."""
    rng, local = look.rng, Parts()
    w = rng.uniform(.45, .7)
    h = w * rng.uniform(.56, .64)
    frame = look.shared('monitor', 'dark', 'dark', 'dark', 'grey')
    lift = rng.uniform(.1, .18)
    local.box(frame, (0, 0, lift + h / 2), (w, .035, h))
    local.sheet(look.printed('screen', 'screen'), (w / 2 - .012, .0185, lift + .02),
                (-(w - .024), 0, 0), (0, 0, h - .034), 1.)
    local.box(frame, (0, -.04, lift / 2 + .06), (.07, .03, lift + .12))
    local.box(frame, (0, -.03, .008), (.26, .19, .016))
    parts.place(local, x, y, z, yaw)


def laptop(look: Look, parts: Parts, x: float, y: float, z: float, yaw: float) -> None:
    """Add an open laptop, 0.3 to 0.38 m wide, facing +y turned by ``yaw``."""
    rng, local = look.rng, Parts()
    w, d, tilt = rng.uniform(.3, .38), rng.uniform(.21, .26), rng.uniform(.15, .45)
    case = look.paint('dark', 'grey', 'white')
    local.box(case, (0, .1, .01), (w, d, .018))
    local.sheet(look.printed('keyboard'), (w / 2 - .02, .1 + d * .2, .0195),
                (-(w - .04), 0, 0), (0, -d * .55, 0), 1.)
    hinge_y, c, s = .1 - d / 2, math.cos(tilt), math.sin(tilt)
    local.box(case, (0, hinge_y - s * d / 2, .018 + c * d / 2), (w, .008, d), roll=tilt)
    lift = .0045
    local.sheet(look.printed('screen', 'screen'),
                (w / 2 - .01, hinge_y + lift * c - s * .012, .018 + lift * s + c * .012),
                (-(w - .02), 0, 0), (0, -s * (d - .02), c * (d - .02)), 1.)
    parts.place(local, x, y, z, yaw)


def desk(look: Look, clutter: float = .3) -> Thing:
    """Return a desk with monitors or a laptop, keyboard, mouse, cables; user at the front."""
    rng = look.rng
    thing = table(look, rng.uniform(1.2, 1.8), rng.uniform(.65, .85), clutter=clutter)
    parts, w, d, h = thing.parts, thing.width, thing.depth, thing.height
    x = rng.uniform(-.3, .3) * w * .5
    if rng.random() < .75:
        count = 1 if rng.random() < .65 else 2
        for k in range(count):
            side = (k - (count - 1) / 2)
            monitor(look, parts, x + side * .62, rng.uniform(.15, .28), h,
                    side * .5 + rng.uniform(-.3, .3))
        parts.box(look.printed('keyboard'), (x, d - .22, h + .012),
                  (.44, .15, .022), yaw=rng.uniform(-.15, .15) + math.pi)
        parts.cushion(look.paint('dark', 'grey'), (x - .33, d - .2, h + .015),
                      (.06, .1, .035), .8, rows=4, columns=8)
    else:
        laptop(look, parts, x, rng.uniform(.3, .45), h, rng.uniform(-.3, .3))
    if rng.random() < .6:
        points = [(x + rng.uniform(-.2, .2), .05, h + .005)]
        for _ in range(6):
            points.append((points[-1][0] + rng.uniform(-.15, .15),
                           min(d - .05, max(.02, points[-1][1] + rng.uniform(-.1, .2))),
                           h + .005))
        for a, b in pairwise(points):
            parts.rod(look.shared('cable', 'dark', 'grey', 'white'), a, b, .004, 5)
    if rng.random() < .5:  # drawers under the desk
        side = rng.choice([-1, 1]) * (w / 2 - .26)
        box = look.shared('pedestal', 'grey', 'white', 'brown')
        parts.box(box, (side, d / 2, .3), (.42, d - .15, .56))
        for k in range(3):
            parts.box(look.shared('drawer', 'grey', 'white', 'brown'),
                      (side, d - .07, .12 + k * .18), (.4, .012, .165))
    if rng.random() < .25:  # a screen between two desks
        panel = look.surface('fabric')
        parts.box(panel, (0, -.01, h + .1), (w, .03, rng.uniform(.5, .8)))
    return Thing(parts, w, d, h, thing.surfaces)


def counter(look: Look, width: float, wall_units: bool = True, ceiling: float = 2.5) -> Thing:
    """Return a kitchen run: base units, top at 0.9 m, sink, stove, wall units at 1.45 m."""
    rng, parts = look.rng, Parts()
    d, h = rng.uniform(.58, .66), rng.uniform(.86, .94)
    front = look.shared('kitchen front', *(('wood',) if rng.random() < .3 else
                                           ('white', 'white', 'colour', 'grey', 'brown')))
    top = look.surface('stone') if rng.random() < .5 else look.shared('worktop', 'wood')
    parts.box(look.paint('dark', 'grey'), (0, d / 2 - .03, .05), (width, d - .1, .1))
    parts.box(front, (0, d / 2 - .01, (h + .06) / 2), (width, d - .04, h - .14))
    parts.box(top, (0, d / 2, h - .02), (width, d, .04))
    handle = look.shared('handle', 'grey', 'dark', 'white')
    count = max(1, round(width / .6))
    each = width / count
    for k in range(count):
        x = -width / 2 + (k + .5) * each
        parts.box(front, (x, d - .022, (h + .06) / 2), (each - .012, .022, h - .17))
        parts.box(handle, (x, d - .004, h - .14), (.14, .018, .015))
    sink = rng.uniform(-.35, .1) * width
    steel = look.surface('metal')
    parts.box(steel, (sink, d / 2 + .02, h + .002), (.5, .4, .006))
    parts.box(look.paint('grey'), (sink, d / 2 + .02, h + .003), (.42, .32, .007))
    parts.rod(steel, (sink, .1, h), (sink, .1, h + .28), .012)
    parts.rod(steel, (sink, .1, h + .28), (sink, .28, h + .26), .011)
    x = sink + .9 if sink + 1.2 < width / 2 else sink - .9
    if abs(x) + .3 < width / 2:
        parts.box(look.paint('dark'), (x, d / 2, h + .004), (.55, .5, .008))
        parts.box(look.paint('dark'), (x, d - .012, .5), (.56, .01, .5))
        if rng.random() < .5:
            parts.cylinder(steel, (x - .12, d / 2, h + .01), rng.uniform(.09, .13), .12)
    if wall_units:
        bottom, high = rng.uniform(1.38, 1.55), min(.75, ceiling - 1.6)
        parts.box(front, (0, .17, bottom + high / 2), (width, .33, high))
        for k in range(count):
            x = -width / 2 + (k + .5) * each
            parts.box(front, (x, .345, bottom + high / 2), (each - .012, .02, high - .02))
            parts.box(handle, (x + each * .35, .36, bottom + .08), (.015, .015, .12))
        parts.sheet(look.surface('wall2'), (width / 2, .004, h), (-width, 0, 0),
                    (0, 0, bottom - h))
    return Thing(parts, width, d, h,
                 [Surface(-width / 2 + .03, .04, width / 2 - .03, d - .03, h, .22, .45,
                          'kitchen')])
