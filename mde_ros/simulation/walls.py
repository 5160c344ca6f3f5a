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

"""The shell of a room: floor, ceiling, walls with doors, windows and niches."""

from dataclasses import dataclass, field
from itertools import pairwise
import math

import numpy as np

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.shapes import Finish

# (s0, s1, z0, z1) of a wall.
Rectangle = tuple[float, float, float, float]


@dataclass
class Wall:
    """
    One wall in its own frame: x along the wall, +y into the room, z up.

    :param origin: (x, y) of the wall's start in the room; ``yaw`` turns its frame.
    :param blocked: (s0, s1) in front of which no furniture may stand (doors, passages).
    :param taken: (s0, s1, z0, z1) already used by openings and hangings.
    """

    length: float
    height: float
    origin: tuple[float, float]
    yaw: float
    blocked: list[tuple[float, float]] = field(default_factory=list)
    windows: list[Rectangle] = field(default_factory=list)
    taken: list[Rectangle] = field(default_factory=list)

    def point(self, s: float, out: float = 0.) -> tuple[float, float]:
        """Return room coordinates of the point ``s`` along the wall, ``out`` metres before it."""
        c, n = math.cos(self.yaw), math.sin(self.yaw)
        return self.origin[0] + c * s - n * out, self.origin[1] + n * s + c * out

    def free(self, s0: float, s1: float, z0: float, z1: float, gap: float = .05) -> bool:
        """Return whether a rectangle of the wall is unused."""
        return s0 > .05 and s1 < self.length - .05 and z1 < self.height - .03 and not any(
            s0 < b + gap and a < s1 + gap and z0 < d + gap and c < z1 + gap
            for a, b, c, d in self.taken)


def make_walls(length: float, width: float, height: float) -> list[Wall]:
    """Return the four walls of a room of length x (x) and width (y)."""
    return [Wall(length, height, (0., 0.), 0.), Wall(width, height, (length, 0.), math.pi / 2),
            Wall(length, height, (length, width), math.pi),
            Wall(width, height, (0., width), -math.pi / 2)]


def _panel(parts: Parts, finish: Finish, wall: Wall, s0: float, s1: float, z0: float,
           z1: float, y: float = 0.) -> None:
    parts.sheet(finish, (s1, y, z0), (s0 - s1, 0, 0), (0, 0, z1 - z0), .45,
                offset=(wall.length - s1, z0))


def _frame(parts: Parts, finish: Finish, s0: float, s1: float, z0: float, z1: float,
           wide: float = .06, deep: float = .14, sill: bool = True) -> None:
    """Add a frame around an opening, covering the thickness of the wall."""
    y = .012 - deep / 2
    for s in (s0 - wide / 2 + .02, s1 + wide / 2 - .02):
        parts.box(finish, (s, y, (z0 + z1) / 2), (wide, deep, z1 - z0))
    parts.box(finish, ((s0 + s1) / 2, y, z1 + wide / 2 - .02),
              (s1 - s0 + 2 * wide - .04, deep, wide))
    if sill:
        parts.box(finish, ((s0 + s1) / 2, y + .04, z0), (s1 - s0 + .1, deep + .06, .035))


def _beyond(parts: Parts, look: Look, s0: float, s1: float, top: float, deep: float,
            side: float) -> None:
    """Add the inside of a space behind an opening: a corridor, or a niche when side is 0."""
    a, b = s0 - side, s1 + side
    high = top if side == 0 else max(top + .3, 2.4)
    wall, y = look.surface(str(look.rng.choice(['wall', 'wall2']))), -deep
    parts.sheet(wall, (b, y, 0), (a - b, 0, 0), (0, 0, high))
    parts.sheet(wall, (a, y, 0), (0, -y, 0), (0, 0, high))
    parts.sheet(wall, (b, 0, 0), (0, y, 0), (0, 0, high))
    parts.sheet(look.surface('floor'), (a, y, 0), (b - a, 0, 0), (0, -y, 0))
    parts.sheet(look.surface('ceiling'), (a, y, high), (0, -y, 0), (b - a, 0, 0))


def _door(parts: Parts, look: Look, wall: Wall, s: float) -> Rectangle:
    """Add a door, closed, open, or an open passage; return its rectangle."""
    rng = look.rng
    wide, high = float(rng.choice([.8, .85, .9, .9, 1.2])), rng.uniform(1.98, 2.1)
    s0, s1 = s, s + wide
    leaf = look.shared('door', *(('wood',) if rng.random() < .5 else
                                 ('white', 'grey', 'brown', 'colour', 'white')))
    if rng.random() < .9:
        frame = look.shared('door frame', 'white', 'brown', 'grey', 'dark')
        _frame(parts, frame, s0, s1, 0., high, sill=False)
    roll = rng.random()
    metal = look.shared('handle', 'grey', 'dark', 'white')
    if roll < .6:
        parts.box(leaf, ((s0 + s1) / 2, -.05, high / 2), (wide, .045, high))
        if rng.random() < .5:
            for z, h in ((.5, .7), (1.45, .8)):
                parts.box(leaf, ((s0 + s1) / 2, -.024, z), (wide * .65, .015, h))
        hinge = s0 + .07 if rng.random() < .5 else s1 - .07
        parts.rod(metal, (hinge, -.03, 1.03), (hinge, .03, 1.03), .011, 6)
        parts.rod(metal, (hinge, .03, 1.03),
                  (hinge + (.11 if hinge < s0 + .2 else -.11), .03, 1.03), .011, 6)
    else:
        _beyond(parts, look, s0, s1, high, rng.uniform(1.2, 5.), rng.uniform(.3, 2.))
        if roll < .85:
            angle = rng.uniform(1.2, 1.7) if rng.random() < .5 else -rng.uniform(1., 1.6)
            c, n = math.cos(angle), math.sin(angle)
            parts.box(leaf, (s0 + .02 + c * wide / 2, n * wide / 2, high / 2),
                      (wide - .03, .04, high - .01), yaw=angle)
    return s0, s1, 0., high


def _window(parts: Parts, look: Look, wall: Wall, s0: float, s1: float) -> Rectangle:
    """Add a window with frame, mullions, sill, and sometimes blinds or curtains."""
    rng = look.rng
    z0, z1 = rng.uniform(.75, 1.05), min(wall.height - .15, rng.uniform(1.9, 2.4))
    frame = look.shared('window frame', 'white', 'white', 'grey', 'dark', 'brown')
    _frame(parts, frame, s0, s1, z0, z1)
    parts.sheet(look.printed('outdoor', 'view'), (s1, -.1, z0), (s0 - s1, 0, 0),
                (0, 0, z1 - z0))
    count = max(1, round((s1 - s0) / rng.uniform(.6, 1.2)))
    for k in range(1, count):
        s = s0 + k * (s1 - s0) / count
        parts.box(frame, (s, -.07, (z0 + z1) / 2), (.06, .07, z1 - z0))
    roll = rng.random()
    if roll < .2:  # blinds
        low = rng.uniform(z0, z1 - .2)
        finish = look.paint('white', 'grey', 'pastel')
        for z in np.arange(low, z1, .05):
            parts.box(finish, ((s0 + s1) / 2, -.03, z), (s1 - s0 - .03, .036, .003), roll=.6)
    elif roll < .55:  # curtains
        cloth, bottom = look.shared('curtain', 'fabric'), .03 if rng.random() < .6 else z0 - .1
        for a, b in ((s0 - .25, s0 + rng.uniform(.05, .5)), (s1 - rng.uniform(.05, .5), s1 + .25)):
            parts.sheet(cloth, (b, .09, bottom), (a - b, 0, 0), (0, 0, z1 + .1 - bottom), .03,
                        wave=rng.uniform(.015, .035))
        parts.rod(frame, (s0 - .35, .09, z1 + .1), (s1 + .35, .09, z1 + .1), .012)
    return s0, s1, z0, z1


def build_shell(look: Look, length: float, width: float, height: float, parts: Parts,
                kind: str) -> list[Wall]:
    """Add floor, ceiling, walls, doors, windows, skirting; return the walls."""
    rng = look.rng
    walls = make_walls(length, width, height)
    if not look.mirror:  # the renderer adds a floor that reflects
        parts.sheet(look.surface('floor'), (0, 0, 0), (length, 0, 0), (0, width, 0), .4)
    parts.sheet(look.surface('ceiling'), (0, 0, height), (0, width, 0), (length, 0, 0), .45)
    doors, windows = int(rng.integers(1, 4)), int(rng.integers(0, 4))
    if kind == 'corridor':
        doors, windows = int(rng.integers(3, 8)), int(rng.integers(0, 2))
    accent = int(rng.integers(0, 6))
    skirting = look.paint('white', 'brown', 'grey', 'dark') if rng.random() < .7 else None
    order = [int(k) for k in rng.choice(4, doors)]
    for index, wall in enumerate(walls):
        local = Parts()
        holes: list[Rectangle] = []
        for _ in range(order.count(index)):
            if wall.length < 1.8:
                continue
            s = rng.uniform(.25, wall.length - 1.45)
            if all(s > b + .3 or s + 1.2 < a - .3 for a, b, _, _ in holes):
                hole = _door(local, look, wall, s)
                holes.append(hole)
                wall.blocked.append((hole[0] - .1, hole[1] + .1))
        if windows and rng.random() < .6 and wall.length > 1.6:
            windows -= 1
            for _ in range(int(rng.integers(1, 4))):
                wide = rng.uniform(.7, min(3., wall.length - .8))
                s = rng.uniform(.35, wall.length - wide - .35)
                if all(s > b + .35 or s + wide < a - .35 for a, b, _, _ in holes):
                    window = _window(local, look, wall, s, s + wide)
                    holes.append(window)
                    wall.windows.append(window)
        if rng.random() < .12 and wall.length > 2.5:
            s = rng.uniform(.3, wall.length - 2.)
            wide, high = rng.uniform(.6, 1.6), rng.uniform(1.9, height - .1)
            if all(s > b + .2 or s + wide < a - .2 for a, b, _, _ in holes):
                _beyond(local, look, s, s + wide, high, rng.uniform(.3, 1.5), 0.)
                holes.append((s, s + wide, 0., high))
                wall.blocked.append((s, s + wide))
        wall.taken += holes
        finish = look.surface('wall2' if index == accent else 'wall')
        cuts_s = sorted({0., wall.length, *(v for h in holes for v in h[:2])})
        cuts_z = sorted({0., height, *(v for h in holes for v in h[2:])})
        for a, b in pairwise(cuts_s):
            for c, d in pairwise(cuts_z):
                s, z = (a + b) / 2, (c + d) / 2
                if not any(h[0] < s < h[1] and h[2] < z < h[3] for h in holes):
                    _panel(local, finish, wall, a, b, c, d)
        if skirting is not None:
            edges = [0., *(v for h in sorted(holes) if h[2] == 0 for v in h[:2]), wall.length]
            for a, b in zip(edges[::2], edges[1::2]):
                if b - a > .02:
                    local.box(skirting, ((a + b) / 2, .007, .045), (b - a, .014, .09))
        parts.place(local, *wall.origin, 0., wall.yaw)
    return walls
