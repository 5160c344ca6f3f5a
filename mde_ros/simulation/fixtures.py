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

"""What hangs on walls and ceilings: posters, boards, radiators, lamps, pipes, wall shelves."""

import numpy as np

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.storage import books
from mde_ros.simulation.walls import Wall


def _hang(look: Look, wall: Wall, local: Parts, kind: str, wide: float, high: float,
          z: float) -> bool:
    """Hang one thing where the wall is free; return whether a place was found."""
    rng = look.rng
    if wall.length < wide + .3:
        return False
    for _ in range(8):
        s = rng.uniform(.1, wall.length - wide - .1)
        if not wall.free(s, s + wide, z, z + high):
            continue
        wall.taken.append((s, s + wide, z, z + high))
        middle = s + wide / 2
        if kind == 'board':
            rim = look.paint('grey', 'white', 'brown')
            local.box(rim, (middle, .01, z + high / 2), (wide, .02, high))
            local.sheet(look.printed('board'), (s + wide - .02, .0215, z + .02),
                        (.04 - wide, 0, 0), (0, 0, high - .04))
            local.box(rim, (middle, .05, z), (wide * .8, .07, .015))
        elif kind == 'shelf':
            finish = look.shared('wall shelf', 'wood')
            local.box(finish, (middle, .12, z + .012), (wide, .24, .022))
            books(look, local, s + .02, s + wide - .02, .22, z + .024, high - .05)
        elif kind == 'switch':
            local.box(look.paint('white'), (middle, .005, z + high / 2), (wide, .012, high))
        elif kind == 'clock':
            turn = np.array([[1., 0, 0], [0, 0, 1.], [0, -1., 0]])
            local.lathe(look.paint('white', 'dark'), (middle, 0, z + high / 2),
                        [(wide / 2, 0), (wide / 2, .04), (0, .04)], 18, turn)
        else:
            framed = rng.random() < .5 or kind == 'art'
            if framed:
                local.box(look.paint('dark', 'brown', 'white', 'grey'),
                          (middle, .01, z + high / 2), (wide, .022, high))
            edge = .025 if framed else 0.
            local.sheet(look.printed(kind), (s + wide - edge, .0225 if framed else .004, z + edge),
                        (2 * edge - wide, 0, 0), (0, 0, high - 2 * edge))
        return True
    return False


def dress_walls(look: Look, walls: list[Wall], parts: Parts, kind: str) -> None:
    """Hang posters, pictures, boards, shelves, switches, clocks, radiators."""
    rng = look.rng
    likes = {'office': ('poster', 'board', 'paper', 'shelf'), 'lab': ('poster', 'board', 'paper'),
             'corridor': ('poster', 'board', 'art', 'paper'), 'kitchen': ('art', 'shelf', 'paper'),
             'living': ('art', 'art', 'shelf'), 'bedroom': ('art', 'poster', 'shelf'),
             'storage': ('paper', 'poster'), 'cafe': ('board', 'board', 'art', 'poster'),
             'classroom': ('board', 'board', 'poster', 'paper'), 'warehouse': ('paper',),
             'hall': ('poster', 'board', 'art')}[kind]
    for wall in walls:
        local = Parts()
        for s0, s1, z0, _ in wall.windows:
            if rng.random() < .6 and z0 > .7:
                finish = look.shared('radiator', 'white', 'white', 'grey')
                local.box(finish, ((s0 + s1) / 2, .07, .38), (s1 - s0 - .1, .05, .5))
                for s in np.arange(s0 + .1, s1 - .1, .06):
                    local.box(finish, (s, .1, .38), (.025, .02, .48))
        for _ in range(int(rng.poisson(wall.length * .5))):
            what = str(rng.choice(likes))
            if what == 'board':
                wide, high, z = rng.uniform(.9, 2.4), rng.uniform(.8, 1.2), rng.uniform(.85, 1.1)
            elif what == 'shelf':
                wide, high, z = rng.uniform(.5, 1.2), .35, rng.uniform(1.25, 1.7)
            elif what == 'paper':
                wide, high, z = .21, .297, rng.uniform(1.1, 1.7)
            else:
                wide, high = rng.uniform(.3, 1.), rng.uniform(.35, 1.1)
                z = rng.uniform(1., 1.3)
            _hang(look, wall, local, what, wide, high, z)
        for _ in range(int(rng.integers(0, 3))):
            _hang(look, wall, local, 'switch', .08, .08, float(rng.choice([.3, 1.1])))
        if rng.random() < .12:
            _hang(look, wall, local, 'clock', .3, .3, 2.)
        if rng.random() < .15:
            pipe = look.paint('white', 'grey', 'colour')
            z = rng.choice([.15, wall.height - .15])
            local.rod(pipe, (0., .08, z), (wall.length, .08, z), rng.uniform(.01, .05))
        parts.place(local, *wall.origin, 0., wall.yaw)


def ceiling_lamps(look: Look, length: float, width: float, height: float,
                  parts: Parts) -> list[tuple[float, float, float]]:
    """Add lamps in a regular pattern; return their places."""
    rng = look.rng
    style = str(rng.choice(['panel', 'tube', 'globe', 'spot']))
    nx = max(1, round(length / rng.uniform(2., 3.5)))
    ny = max(1, round(width / rng.uniform(2., 3.5)))
    if style == 'globe':
        nx = ny = 1
    lit = look.paint('white', material='lamp')
    rim = look.paint('white', 'grey')
    places = []
    for i in range(nx):
        for j in range(ny):
            x, y = (i + .5) * length / nx, (j + .5) * width / ny
            z = height - .02
            if style == 'panel':
                parts.box(rim, (x, y, height - .02), (.64, .64, .04))
                parts.box(lit, (x, y, height - .035), (.58, .58, .02))
            elif style == 'tube':
                parts.box(rim, (x, y, height - .04), (1.25, .2, .06))
                parts.rod(lit, (x - .6, y, height - .09), (x + .6, y, height - .09), .02)
            elif style == 'globe':
                drop = rng.uniform(.15, .8) if height > 2.6 else .15
                parts.rod(rim, (x, y, height), (x, y, height - drop), .006)
                parts.cushion(lit, (x, y, height - drop - .15), (.35, .35, .3), 1.)
                z = height - drop - .35
            else:
                parts.cylinder(lit, (x, y, height - .015), .06, .012)
            places.append((x, y, z - .1))
    if height > 2.7 and rng.random() < .3:  # ducts and beams
        finish = look.paint('grey', 'white', 'dark', 'brown')
        for _ in range(int(rng.integers(1, 4))):
            y = rng.uniform(.3, width - .3)
            parts.box(finish, (length / 2, y, height - .15), (length, rng.uniform(.1, .4), .3))
    return places
