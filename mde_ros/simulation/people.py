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

"""Figures of people, standing, walking or sitting, 1.5 to 1.95 m tall."""

import math

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Thing


def person(look: Look, sitting: bool = False) -> Thing:
    """Return a clothed figure; the height of its joints follows its stature."""
    rng, parts = look.rng, Parts()
    tall = rng.uniform(1.5, 1.95)
    skin, hair = look.paint('skin', material='paint'), look.paint('dark', 'brown', 'grey')
    shirt = (look.printed('cloth') if rng.random() < .4 else
             look.paint('colour', 'dark', 'white', 'grey', material='paint'))
    trousers = look.paint('dark', 'dark', 'grey', 'colour', material='paint')
    shoes = look.paint('dark', 'white', 'brown')
    hip = .47 if sitting else .52 * tall
    y, reach = .25, .24 * tall
    for side in (-1, 1):
        x = side * .09
        if sitting:
            knee, foot = (x, y + .42, hip + .03), (x, y + .42, .06)
        else:
            swing = rng.uniform(-.15, .2) * side
            knee, foot = (x, y + swing * .6, .28 * tall), (x, y + swing, .06)
        parts.rod(trousers, (x, y, hip), knee, .075, 9)
        parts.rod(trousers, knee, foot, .055, 9)
        parts.cushion(shoes, (foot[0], foot[1] + .07, .04), (.1, .27, .09), .6, rows=5, columns=8)
        shoulder = (side * .19, y, hip + .31 * tall - .05)
        elbow = (side * rng.uniform(.24, .32), y + rng.uniform(-.05, .15),
                 shoulder[2] - .17 * tall)
        lift = rng.uniform(-.9, 1.)
        hand = (elbow[0] - side * .05, elbow[1] + reach * .6 * math.cos(lift) * .8,
                elbow[2] + reach * .6 * math.sin(lift) - .05)
        parts.rod(shirt, shoulder, elbow, .048, 8)
        parts.rod(skin if rng.random() < .5 else shirt, elbow, hand, .038, 8)
        parts.cushion(skin, hand, (.08, .09, .1), .8, rows=5, columns=8)
    chest = .31 * tall
    parts.cushion(shirt, (0, y, hip + chest / 2 - .02),
                  (rng.uniform(.36, .46), rng.uniform(.22, .3), chest + .12), .65)
    parts.cushion(trousers, (0, y, hip), (.34, .24, .22), .7)
    neck = hip + chest
    parts.cylinder(skin, (0, y, neck - .03), .055, .1, 10)
    parts.cushion(skin, (0, y + .01, neck + .16), (.155, .19, .235), .9)
    parts.cushion(hair, (0, y - .02, neck + .2), (.17, .19, .2), .9)
    return Thing(parts, .6, .6 if not sitting else .8, neck + .3)
