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

"""Chairs, stools, sofas and beds at their real sizes."""

import math

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Surface, Thing


def office_chair(look: Look) -> Thing:
    """Return a swivel chair: five-star base with castors, seat at 0.42 to 0.52 m."""
    rng, parts = look.rng, Parts()
    seat_z, y = rng.uniform(.42, .52), .33
    cover = look.shared('office chair', 'dark', 'dark', 'colour', 'grey')
    frame = look.shared('office chair frame', 'dark', 'grey')
    turn = rng.uniform(0, 1)
    for k in range(5):
        angle = turn + k * 2 * math.pi / 5
        end = (.28 * math.cos(angle), y + .28 * math.sin(angle), .075)
        parts.rod(frame, (0, y, .11), end, .022, 6)
        parts.cushion(frame, (end[0], end[1], .03), (.055, .055, .06), 1., rows=4, columns=8)
    parts.cylinder(frame, (0, y, .1), .03, seat_z - .12, 8)
    parts.cushion(cover, (0, y, seat_z - .03), (.5, .48, .09), .4)
    tilt = rng.uniform(.05, .25)
    high = rng.uniform(.42, .65)
    parts.rod(frame, (0, y - .2, seat_z - .03), (0, y - .27, seat_z + .2), .02, 6)
    parts.cushion(cover, (0, y - .26, seat_z + .14 + high / 2), (.46, .08, high), .45,
                  roll=tilt)
    if rng.random() < .65:
        for side in (-1, 1):
            parts.rod(frame, (side * .24, y, seat_z - .03), (side * .28, y, seat_z + .2), .015, 6)
            parts.box(frame, (side * .28, y, seat_z + .21), (.06, .26, .03))
    return Thing(parts, .62, .66, seat_z + .1 + high)


def wooden_chair(look: Look) -> Thing:
    """Return a four-legged chair, seat at 0.45 m, back to 0.8 to 1 m."""
    rng, parts = look.rng, Parts()
    width, depth, seat, top = (rng.uniform(.4, .46), rng.uniform(.4, .46),
                               rng.uniform(.44, .47), rng.uniform(.78, 1.))
    metal = rng.random() < .3
    frame = (look.shared('chair legs', 'grey', 'dark') if metal else
             look.shared('chair', 'wood') if rng.random() < .8 else look.paint('white', 'dark'))
    seat_finish = look.shared('chair seat', 'colour', 'dark', 'brown') if metal else frame
    leg = .012 if metal else .02
    for x in (-width / 2 + .03, width / 2 - .03):
        for y, end in ((.05, top), (depth - .01, seat)):
            if metal:
                parts.rod(frame, (x, y, 0), (x, y - (.04 if end == top else 0), end), leg, 6)
            else:
                parts.box(frame, (x, y, end / 2), (leg * 2, leg * 2, end))
    parts.box(seat_finish, (0, depth / 2 + .02, seat - .015), (width, depth, .03))
    style = rng.integers(0, 3)
    if style == 0:
        parts.box(seat_finish, (0, .04, top - .16), (width, .02, rng.uniform(.15, .32)))
    elif style == 1:
        for z in (top - .05, top - .16, top - .27):
            parts.box(seat_finish, (0, .05, z), (width - .04, .018, .06))
    else:
        parts.box(seat_finish, (0, .05, top - .04), (width, .025, .07))
        for k in range(4):
            parts.box(seat_finish, ((k - 1.5) * .085, .05, (seat + top) / 2),
                      (.025, .018, top - seat - .06))
    if rng.random() < .12:  # a jacket over the back
        parts.cushion(look.surface('fabric3'), (0, .05, top - .25), (width + .1, .16, .6), .5)
    return Thing(parts, width, depth + .05, top)


def stool(look: Look) -> Thing:
    """Return a stool or a bar stool."""
    rng, parts = look.rng, Parts()
    height = float(rng.choice([.45, .65, .75]))
    finish = look.shared('stool', 'dark', 'brown', 'colour', 'white')
    for k in range(4):
        angle = math.pi / 4 + k * math.pi / 2
        parts.rod(look.shared('stool leg', 'grey', 'dark'),
                  (.19 * math.cos(angle), .2 + .19 * math.sin(angle), 0),
                  (.11 * math.cos(angle), .2 + .11 * math.sin(angle), height - .04), .013, 6)
    parts.cylinder(finish, (0, .2, height - .05), .17, .05)
    return Thing(parts, .38, .4, height)


def sofa(look: Look, seats: int | None = None) -> Thing:
    """Return an armchair or a sofa: seat at 0.42 m, 0.85 m deep, back to 0.8 m."""
    rng, parts = look.rng, Parts()
    count = seats or int(rng.integers(1, 4))
    arm, depth, seat = rng.uniform(.1, .22), rng.uniform(.8, .98), rng.uniform(.38, .45)
    inner = count * rng.uniform(.55, .75)
    width, back = inner + 2 * arm, rng.uniform(.72, .92)
    cover = look.shared('sofa', 'fabric') if rng.random() < .75 else look.paint('dark', 'brown')
    parts.box(cover, (0, depth / 2, seat / 2 + .02), (width, depth, seat - .14))
    parts.cushion(cover, (0, .12, back / 2 + .05), (width, .24, back - .05), .25)
    arm_z = rng.uniform(.55, .66)
    for x in (-width / 2 + .08, width / 2 - .08):
        for y in (.08, depth - .08):
            parts.box(look.shared('sofa feet', 'dark', 'brown'), (x, y, .05), (.05, .05, .1))
    for side in (-1, 1):
        parts.cushion(cover, (side * (width - arm) / 2, depth / 2, arm_z / 2 + .04),
                      (arm, depth, arm_z), .25)
    each = inner / count
    for k in range(count):
        x = (k - (count - 1) / 2) * each
        parts.cushion(cover, (x, depth / 2 + .08, seat), (each - .01, depth - .22, .17), .3)
        parts.cushion(cover, (x, .28, seat + .25), (each - .03, .18, .42), .4, roll=.15)
    for _ in range(int(rng.integers(0, 3))):
        finish = look.surface('fabric2') if rng.random() < .5 else look.paint('colour', 'pastel')
        parts.cushion(finish, (rng.uniform(-inner, inner) / 2.5, .42, seat + .25),
                      (.42, .15, .42), .5, yaw=rng.uniform(-.6, .6), roll=.35)
    if rng.random() < .25:
        parts.cushion(look.surface('fabric3'),
                      (rng.uniform(-inner, inner) / 3, depth * .6, seat + .12),
                      (rng.uniform(.4, .8), .6, .12), .6, yaw=rng.uniform(0, 3))
    return Thing(parts, width, depth, back,
                 [Surface(-inner / 2, .42, inner / 2, depth - .1, seat + .085, .05, .4, 'soft')])


def bed(look: Look) -> Thing:
    """Return a bed, 2 m long, 0.9 to 1.8 m wide, mattress top at 0.45 to 0.6 m."""
    rng, parts = look.rng, Parts()
    width, length, top = float(rng.choice([.9, 1.4, 1.6, 1.8])), 2.05, rng.uniform(.42, .6)
    frame = look.surface('wood')
    parts.box(frame, (0, length / 2, .2), (width, length, .2))
    for x in (-width / 2 + .05, width / 2 - .05):
        for y in (.05, length - .05):
            parts.box(frame, (x, y, .06), (.07, .07, .12))
    head = rng.uniform(.7, 1.05)
    parts.box(frame, (0, .02, head / 2), (width, .05, head))
    parts.cushion(look.paint('white'), (0, length / 2 + .02, top - .12), (width, length, .24), .2)
    cover = look.surface(str(rng.choice(['fabric', 'fabric2'])))
    parts.cushion(cover, (0, length / 2 + .25, top - .03),
                  (width + .1, length - .5, .2), .3)
    count = 1 if width < 1.2 else 2
    for k in range(count):
        parts.cushion(look.paint('white', 'pastel'),
                      ((k - (count - 1) / 2) * width / 2, .3, top + .07), (.62, .4, .17), .5,
                      yaw=rng.uniform(-.15, .15))
    for _ in range(int(rng.integers(0, 4))):
        parts.cushion(look.surface('fabric3'),
                      (rng.uniform(-.25, .25) * width, rng.uniform(.8, 1.6), top + .1),
                      (rng.uniform(.3, .55), rng.uniform(.3, .5), rng.uniform(.1, .2)), .7,
                      yaw=rng.uniform(0, 3))
    return Thing(parts, width + .06, length, top + .12,
                 [Surface(-width / 2 + .1, .7, width / 2 - .1, length - .1, top + .08, .08, .6,
                          'soft')])
