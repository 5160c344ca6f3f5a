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

"""From MuJoCo's flat light to a photograph: contact shadows, exposure, tone."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Pictures that come out too dark or too bright.
DARK_SHARE, BRIGHT_SHARE = .07, .08
_DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))


def occlusion(depth: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """
    Return how much each pixel lies in a crease or beside a near thing, 0 to 1.

    1/z is linear on a plane, so the mean of two opposite neighbours exceeds the middle only
    where the surface is hollow.
    """
    inverse = np.nan_to_num(1 / depth, nan=.02).astype(np.float32)
    total = np.zeros_like(inverse)
    edge = cv2.copyMakeBorder(inverse, radius, radius, radius, radius, cv2.BORDER_REFLECT)
    h, w = inverse.shape
    for dx, dy in _DIRECTIONS:
        dx, dy = dx * radius, dy * radius
        a = edge[radius + dy:radius + dy + h, radius + dx:radius + dx + w]
        b = edge[radius - dy:radius - dy + h, radius - dx:radius - dx + w]
        hollow = np.maximum((a + b) / (2 * inverse) - 1.004, 0)
        # A thing far in front is another matter than a crease.
        total += hollow / (hollow + .03) * np.exp(-hollow / .25)
    return cv2.blur(total / len(_DIRECTIONS), (3, 3))


def bloom(light: NDArray[np.float32], scale: int, strength: float) -> NDArray[np.float32]:
    """
    Return the picture with the glow of a lens around what is brighter than white.

    :param light: H x W x 3, 1 is white.
    :param scale: pixels per 1/160 of the width.
    :param strength: share of the excess that is scattered.
    """
    excess = np.clip(light - .95, 0, 1)
    if strength <= 0 or not excess.any():
        return light
    small = cv2.resize(excess, None, fx=.25, fy=.25, interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(small, (0, 0), 2. * scale)
    return light + strength * cv2.resize(glow, light.shape[1::-1])


def expose(image: NDArray[np.uint8], depth: NDArray[np.float32],
           rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture as an automatic camera would take it."""
    scale = max(1, image.shape[1] // 160)
    shade = np.zeros(depth.shape, np.float32)
    for radius, weight in ((2 * scale, .3), (6 * scale, .4)):
        shade += weight * occlusion(depth, radius)
    light = image.astype(np.float32) / 255
    # Dither: the gain below would show the steps of eight bits.
    light += rng.uniform(-.5 / 255, .5 / 255, light.shape).astype(np.float32)
    light *= (1 - rng.uniform(.5, 1.) * shade)[..., None]
    light = np.maximum(light, 0) ** np.float32(rng.uniform(.62, .85))
    level = float(light.mean())
    gain = np.clip(rng.uniform(.34, .58) / max(level, .02), .7, 2.6)
    # Automatic exposure is fooled by windows and lamps, or reaches its limits.
    roll = rng.random()
    if roll < DARK_SHARE:
        gain *= rng.uniform(.35, .75)
    elif roll > 1 - BRIGHT_SHARE:
        gain *= rng.uniform(1.2, 1.9)
    glowing = bloom(np.asarray(light * gain, np.float32), scale, rng.uniform(0, .5))
    return (np.clip(glowing, 0, 1) * 255 + .5).astype(np.uint8)
