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

"""Lamps, daylight and ambient light of a room."""

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mde_ros.simulation.layout import Layout

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Lamp:
    """
    One light source.

    :param direction: of a spot lamp, with its half angle ``cutoff`` in degrees; a lamp without
        cutoff shines everywhere and casts no shadow.
    """

    position: tuple[float, float, float]
    direction: tuple[float, float, float]
    diffuse: Colour
    cutoff: float | None
    shadow: bool


def black_body(kelvin: float) -> Colour:
    """Return the colour of a lamp of 2000 to 12000 K, its largest channel 1."""
    # A fit good to a few per cent, enough for lamps: red falls and blue rises with temperature.
    t = kelvin / 100
    red = 255. if t <= 66 else 329.7 * (t - 60) ** -.1332
    green = 99.47 * math.log(t) - 161.12 if t <= 66 else 288.12 * (t - 60) ** -.0755
    blue = 255. if t >= 66 else 138.52 * math.log(max(t - 10, 1.)) - 305.04
    values = np.clip([red, green, blue], 0, 255) / 255
    values = values / values.max()
    return float(values[0]), float(values[1]), float(values[2])


def _scaled(colour: Colour, power: float) -> Colour:
    return colour[0] * power, colour[1] * power, colour[2] * power


def room_lights(rng: np.random.Generator, plan: 'Layout',
                places: list[tuple[float, float, float]]) -> tuple[list[Lamp], Colour]:
    """Return the lamps (at most five) and the ambient light, about 1 in sum."""
    tone = black_body(rng.uniform(2700, 6500))
    ambient_level = rng.uniform(.22, .55)
    lamps: list[Lamp] = []
    power = rng.uniform(.35, .8)
    chosen = [places[int(k)] for k in
              rng.choice(len(places), min(len(places), int(rng.integers(1, 3))), replace=False)]
    for number, place in enumerate(chosen):
        lean = rng.uniform(-.15, .15, 2)
        lamps.append(Lamp(place, (float(lean[0]), float(lean[1]), -1.),
                          _scaled(tone, power / len(chosen)), float(rng.uniform(65, 80)),
                          number == 0 or bool(rng.random() < .3)))
    middle = (plan.length * rng.uniform(.3, .7), plan.width * rng.uniform(.3, .7),
              plan.height * rng.uniform(.5, .85))
    lamps.append(Lamp(middle, (0, 0, -1), _scaled(tone, rng.uniform(.15, .45)), None, False))
    for wall in plan.walls:
        if wall.windows and len(lamps) < 5:
            s0, s1, _, z1 = wall.windows[0]
            x, y = wall.point((s0 + s1) / 2, .05)
            inward = (-math.sin(wall.yaw), math.cos(wall.yaw), -rng.uniform(.3, .9))
            daylight = black_body(rng.uniform(5000, 9000))
            lamps.append(Lamp((x, y, z1), inward, _scaled(daylight, rng.uniform(.2, .8)),
                              float(rng.uniform(60, 80)), bool(rng.random() < .5)))
    mixed = [.5 + .5 * value for value in tone]
    return lamps, (mixed[0] * ambient_level, mixed[1] * ambient_level, mixed[2] * ambient_level)
