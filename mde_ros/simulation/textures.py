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

"""Procedural pictures of surfaces: wood, carpet, tiles, plaster, fabric, stone and the like."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SIZE = 256


def noise(rng: np.random.Generator, cells_x: int, cells_y: int | None = None,
          octaves: int = 1, size: int = SIZE) -> NDArray[np.float32]:
    """Return size x size smooth noise of about -1 to 1 that repeats without a seam."""
    total = np.zeros((size, size), np.float32)
    weight, amplitude = 0., 1.
    nx, ny = cells_x, cells_y or cells_x
    for _ in range(octaves):
        grid = rng.uniform(-1, 1, (min(ny, size), min(nx, size))).astype(np.float32)
        padded = np.pad(grid, 2, mode='wrap')
        step_y, step_x = size / grid.shape[0], size / grid.shape[1]
        big = cv2.resize(padded, None, fx=step_x, fy=step_y, interpolation=cv2.INTER_CUBIC)
        y0, x0 = round(2 * step_y), round(2 * step_x)
        total += amplitude * big[y0:y0 + size, x0:x0 + size]
        weight += amplitude
        nx, ny, amplitude = nx * 2, ny * 2, amplitude * .6
    return total / weight


def _tinted(colour: NDArray[np.float64], light: NDArray[np.float32]) -> Picture:
    """Return a colour (0 to 1) times a light field about 1, as a picture."""
    return (np.clip(colour[None, None] * light[..., None], 0, 1) * 255).astype(np.uint8)


def plaster(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return painted plaster: nearly flat, fine grain, faint stains."""
    grain = rng.normal(0, rng.uniform(.003, .02), (SIZE, SIZE)).astype(np.float32)
    return _tinted(colour, 1 + grain + rng.uniform(.01, .06) * noise(rng, 3, octaves=4))


def concrete(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return concrete or linoleum: clouds, specks and scratches."""
    light = 1 + rng.uniform(.04, .14) * noise(rng, 4, octaves=6)
    light += rng.normal(0, .025, light.shape).astype(np.float32)
    picture = _tinted(colour, light)
    for _ in range(int(rng.integers(0, 12))):
        p, q = rng.integers(0, SIZE, (2, 2))
        q = p + (q - p) // 4
        shade = tuple(int(v) for v in colour * 255 * rng.uniform(.6, 1.15))
        cv2.line(picture, tuple(map(int, p)), tuple(map(int, q)), shade, 1, cv2.LINE_AA)
    return picture


def carpet(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return carpet: strong fine noise, sometimes stripes or squares."""
    light = 1 + rng.normal(0, rng.uniform(.05, .2), (SIZE, SIZE)).astype(np.float32)
    light = cv2.GaussianBlur(light, (0, 0), .7)
    kind = rng.integers(0, 4)
    if kind == 0:
        lines = rng.uniform(.75, 1.25, int(rng.choice([8, 16, 32]))).astype(np.float32)
        light *= cv2.resize(lines[None], (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
    elif kind == 1:
        half = SIZE // 2
        light[:half, :half] *= 1.12
        light[half:, half:] *= 1.12
    return _tinted(colour, light + .06 * noise(rng, 4, octaves=3))


def wood(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return the grain of one board along x."""
    rings = noise(rng, 2, int(rng.integers(8, 24)), octaves=4)
    warp = noise(rng, 2, 4, octaves=2)
    grain = np.sin((rings * 1.5 + warp * rng.uniform(.5, 2)) * rng.uniform(3, 7))
    light = 1 + rng.uniform(.03, .12) * grain + .04 * noise(rng, 8, 128)
    return _tinted(colour, light.astype(np.float32))


def planks(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return a floor of boards with joints, or parquet blocks."""
    picture = wood(rng, colour).astype(np.float32)
    rows = int(rng.choice([4, 8, 8, 16]))
    height = SIZE // rows
    length = SIZE // int(rng.choice([1, 2, 4]))
    spread, dark = rng.uniform(.04, .2), rng.uniform(.45, .85)
    for row in range(rows):
        shift = int(rng.integers(0, length))
        y = row * height
        for start in range(-length, SIZE, length):
            x0, x1 = max(0, start + shift), min(SIZE, start + shift + length)
            if x1 <= x0:
                continue
            picture[y:y + height, x0:x1] *= 1 + rng.uniform(-spread, spread)
            picture[y:y + height, x0:x0 + 1] *= dark
        picture[y:y + 1] *= dark
    return np.clip(picture, 0, 255).astype(np.uint8)


def tiles(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return square tiles with grout, plain or chequered."""
    count = int(rng.choice([1, 2, 4, 8]))
    side = SIZE // count
    light = 1 + rng.uniform(.01, .08) * noise(rng, 8, octaves=4)
    shade = rng.uniform(.95, 1.05, (count, count)).astype(np.float32)
    if count > 1 and rng.random() < .3:
        shade[::2, ::2] *= rng.uniform(.3, .8)
        shade[1::2, 1::2] = shade[::2, ::2]
    light *= cv2.resize(shade, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
    picture = _tinted(colour, light)
    grout = tuple(int(v) for v in np.clip(colour * rng.uniform(.5, 1.2) * 255, 0, 255))
    width = int(rng.integers(1, 4))
    for k in range(count):
        picture[k * side:k * side + width] = grout
        picture[:, k * side:k * side + width] = grout
    return picture


def brick(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return a wall of bricks in running bond."""
    rows, columns = 8, 4
    light = 1 + .1 * noise(rng, 16, octaves=3)
    picture = _tinted(colour, light).astype(np.float32)
    mortar = np.clip(colour * .5 + .3, 0, 1) * 255
    height, width = SIZE // rows, SIZE // columns
    spread = rng.uniform(.02, .25)
    for row in range(rows):
        for column in range(columns + 1):
            x0 = column * width - (width // 2 if row % 2 else 0)
            block = picture[row * height:(row + 1) * height, max(0, x0):x0 + width]
            block *= 1 + rng.uniform(-spread, spread)
            picture[row * height:(row + 1) * height, max(0, x0):max(0, x0) + 3] = mortar
        picture[row * height:row * height + 3] = mortar
    return np.clip(picture, 0, 255).astype(np.uint8)


def fabric(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return woven cloth: plain, striped or plaid."""
    weave = np.ones((SIZE, SIZE), np.float32)
    weave[::2] *= rng.uniform(.85, 1)
    weave[:, ::2] *= rng.uniform(.85, 1)
    picture = _tinted(colour, weave * (1 + .08 * noise(rng, 6, octaves=4))).astype(np.float32)
    other = rng.uniform(.1, 1, 3) * 255
    kind = rng.random()
    for axis in range(0 if kind > .5 else 1 if kind > .25 else 2):
        period = int(rng.choice([16, 32, 64]))
        band = (np.arange(SIZE) % period) < period * rng.uniform(.1, .5)
        mask = (band[None] if axis else band[:, None]) * rng.uniform(.2, .7)
        picture = picture * (1 - mask[..., None]) + other * mask[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def stone(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return marble veins or terrazzo specks."""
    if rng.random() < .5:
        veins = 1 - np.abs(noise(rng, 3, octaves=5)) * 2
        return _tinted(colour, (1 - .25 * np.clip(veins, 0, 1) ** 6).astype(np.float32))
    picture = _tinted(colour, 1 + .03 * noise(rng, 16))
    for _ in range(int(rng.integers(150, 500))):
        centre = tuple(int(v) for v in rng.integers(0, SIZE, 2))
        shade = tuple(int(v) for v in np.clip(
            colour * rng.uniform(.3, 1.4) * rng.uniform(.9, 1.1, 3), 0, 1) * 255)
        cv2.circle(picture, centre, int(rng.integers(1, 4)), shade, -1)
    return picture


def acoustic(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return a panel of a suspended ceiling: holes and a metal grid."""
    picture = _tinted(colour, 1 + .03 * noise(rng, 32))
    holes = rng.random((SIZE, SIZE)) < rng.uniform(0, .06)
    picture[holes] = (picture[holes] * .7).astype(np.uint8)
    edge = tuple(int(v) for v in np.clip(colour * rng.uniform(.75, 1.1), 0, 1) * 255)
    picture[:4] = edge
    picture[:, :4] = edge
    return picture


def metal(rng: np.random.Generator, colour: NDArray[np.float64]) -> Picture:
    """Return brushed sheet metal."""
    return _tinted(colour, 1 + .06 * noise(rng, 4, 200) + .05 * noise(rng, 3, octaves=3))


PATTERNS: dict[str, Callable[[np.random.Generator, NDArray[np.float64]], Picture]] = {
    'plaster': plaster, 'concrete': concrete, 'carpet': carpet, 'wood': wood, 'planks': planks,
    'tiles': tiles, 'brick': brick, 'fabric': fabric, 'stone': stone, 'acoustic': acoustic,
    'metal': metal,
}
