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

"""One atlas of printed things: screens, papers, posters, packages, book spines, boards, views."""

import cv2
import numpy as np

from mde_ros.simulation.textures import noise, Picture

CELL = 128
GRID = 8
# kind: number of cells of the atlas it owns, in this order.
KINDS = {'screen': 6, 'paper': 6, 'poster': 9, 'package': 14, 'spine': 10, 'board': 3,
         'keyboard': 2, 'cardboard': 4, 'art': 4, 'outdoor': 4, 'cloth': 2}
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)
LETTERS = np.array(list('ABCDEFGHIKLMNOPRSTUVWaeiounrstl0123456789'))


def _colour(rng: np.random.Generator, low: float = 0., high: float = 1.) -> tuple[int, ...]:
    # Print is mostly muted: pull every colour towards its own grey.
    colour = rng.uniform(low, high, 3)
    grey = rng.uniform(0, .8)
    return tuple(int(v) for v in (colour * (1 - grey) + colour.mean() * grey) * 255)


def _word(rng: np.random.Generator, length: int) -> str:
    return ''.join(rng.choice(LETTERS, length))


def _lines(picture: Picture, rng: np.random.Generator, box: tuple[int, int, int, int],
           ink: tuple[int, ...], pitch: int) -> None:
    """Draw rows of text-like dashes into (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    for y in range(y0, y1, pitch):
        x, end = x0, x0 + int((x1 - x0) * rng.uniform(.5, 1))
        while x < end:
            length = int(rng.integers(3, 12))
            cv2.line(picture, (x, y), (min(x + length, end), y), ink, max(1, pitch // 4))
            x += length + 3


def _blank(rng: np.random.Generator, low: float, high: float) -> Picture:
    return np.full((CELL, CELL, 3), _colour(rng, low, high), np.uint8)


def screen(rng: np.random.Generator) -> Picture:
    """Return a monitor's content: off, windows of text, or a picture."""
    if rng.random() < .4:
        return np.full((CELL, CELL, 3), int(rng.integers(5, 40)), np.uint8)
    picture = _blank(rng, .02, .6)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.integers(0, 70, 2)
        w, h = rng.integers(30, 90, 2)
        dark = rng.random() < .4
        ground = int(rng.integers(15, 50) if dark else rng.integers(200, 250))
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), (ground,) * 3, -1)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + 6)), _colour(rng), -1)
        _lines(picture, rng, (int(x) + 4, int(y) + 12, int(x + w) - 4, min(126, int(y + h))),
               (255 - ground,) * 3, int(rng.integers(5, 9)))
    return picture


def paper(rng: np.random.Generator) -> Picture:
    """Return a printed or written page."""
    picture = np.full((CELL, CELL, 3), int(rng.integers(225, 256)), np.uint8)
    _lines(picture, rng, (12, 14, 116, 118), (int(rng.integers(0, 110)),) * 3,
           int(rng.integers(6, 12)))
    if rng.random() < .4:
        x, y = (int(v) for v in rng.integers(10, 70, 2))
        cv2.rectangle(picture, (x, y), (x + 45, y + 35), _colour(rng), -1)
    return picture


def package(rng: np.random.Generator) -> Picture:
    """Return a package or a book cover: blocks of colour, big letters, small text."""
    picture = _blank(rng, 0, 1)
    for _ in range(int(rng.integers(1, 5))):
        x, y = (int(v) for v in rng.integers(-20, 110, 2))
        size = tuple(int(v) for v in rng.integers(15, 90, 2))
        if rng.random() < .6:
            cv2.rectangle(picture, (x, y), (x + size[0], y + size[1]), _colour(rng), -1)
        else:
            cv2.ellipse(picture, (x, y), size, float(rng.uniform(0, 180)), 0, 360,
                        _colour(rng), -1)
    for _ in range(int(rng.integers(1, 3))):
        cv2.putText(picture, _word(rng, int(rng.integers(3, 8))),
                    (int(rng.integers(0, 30)), int(rng.integers(25, 110))),
                    FONTS[int(rng.integers(0, 3))], float(rng.uniform(.6, 1.6)), _colour(rng),
                    int(rng.integers(1, 4)), cv2.LINE_AA)
    _lines(picture, rng, (8, int(rng.integers(80, 110)), 120, 124), _colour(rng), 6)
    return picture


def poster(rng: np.random.Generator) -> Picture:
    """Return a poster: a title over columns and figures, or a plain notice."""
    if rng.random() < .3:
        return package(rng)
    picture = _blank(rng, .7, 1)
    cv2.rectangle(picture, (0, 0), (CELL, int(rng.integers(12, 30))), _colour(rng), -1)
    for column in range(2):
        x = 6 + column * 62
        _lines(picture, rng, (x, 38, x + 52, 122), (40, 40, 40), 6)
        y = int(rng.integers(40, 85))
        cv2.rectangle(picture, (x, y), (x + 50, y + 34), _colour(rng), -1)
        cv2.circle(picture, (x + 25, y + 17), int(rng.integers(5, 16)), _colour(rng), -1)
    return picture


def spine(rng: np.random.Generator) -> Picture:
    """Return the back of a book, the title running along v."""
    picture = _blank(rng, 0, .9)
    ink = _colour(rng, .5, 1)
    for y in rng.integers(4, 124, int(rng.integers(0, 4))):
        cv2.rectangle(picture, (0, int(y)), (CELL, int(y) + int(rng.integers(2, 10))), ink, -1)
    label = np.zeros((64, CELL, 3), np.uint8)
    cv2.putText(label, _word(rng, 6), (6, 44), FONTS[1], 1., ink, 2, cv2.LINE_AA)
    turned = cv2.resize(cv2.rotate(label, cv2.ROTATE_90_CLOCKWISE), (CELL, CELL))
    return np.where(turned > 0, turned, picture)


def board(rng: np.random.Generator) -> Picture:
    """Return a whiteboard or a blackboard with handwriting."""
    white = rng.random() < .75
    picture = np.full((CELL, CELL, 3), 235 if white else 40, np.uint8)
    inks = ((30, 30, 30), (20, 40, 170), (180, 30, 30)) if white else ((230, 230, 220),) * 3
    for _ in range(int(rng.integers(0, 12))):
        start = rng.integers(5, 100, 2)
        path = start + np.cumsum(rng.integers(-6, 9, (int(rng.integers(5, 20)), 2)), 0)
        cv2.polylines(picture, [path.astype(np.int32)], False, inks[int(rng.integers(0, 3))], 1,
                      cv2.LINE_AA)
    return picture


def keyboard(rng: np.random.Generator) -> Picture:
    """Return rows of keys."""
    dark = rng.random() < .7
    picture = np.full((CELL, CELL, 3), 20 if dark else 190, np.uint8)
    for row in range(5):
        for column in range(14):
            cv2.rectangle(picture, (3 + column * 9, 6 + row * 24), (9 + column * 9, 26 + row * 24),
                          (50,) * 3 if dark else (235,) * 3, -1)
    return picture


def cardboard(rng: np.random.Generator) -> Picture:
    """Return a carton with tape and a label."""
    tone = np.array([.72, .55, .38]) * rng.uniform(.7, 1.15)
    light = 1 + .06 * noise(rng, 4, 64, size=CELL)
    picture = (np.clip(tone * light[..., None], 0, 1) * 255).astype(np.uint8)
    cv2.rectangle(picture, (54, 0), (74, CELL), tuple(int(v) for v in tone * 215), -1)
    if rng.random() < .7:
        cv2.rectangle(picture, (12, 70), (48, 100), (235, 235, 230), -1)
        _lines(picture, rng, (15, 76, 46, 98), (30, 30, 30), 6)
    return picture


def art(rng: np.random.Generator) -> Picture:
    """Return a framed picture: clouds of two colours."""
    a, b = rng.uniform(0, 1, (2, 3))
    mix = np.clip(noise(rng, 3, octaves=4, size=CELL) * 1.5 + .5, 0, 1)[..., None]
    a, b = a * .3 + a.mean() * .7, b * .5 + b.mean() * .5
    picture = ((a * mix + b * (1 - mix)) * 255).astype(np.uint8)
    if rng.random() < .6:
        cv2.rectangle(picture, (0, 0), (CELL - 1, CELL - 1), _colour(rng),
                      int(rng.integers(6, 24)))
    return picture


def outdoor(rng: np.random.Generator) -> Picture:
    """Return what a window shows: overexposed sky over buildings or trees, or night."""
    night = rng.random() < .12
    tint = rng.uniform(.9, 1., 3)
    top = tint * (rng.uniform(.0, .12) if night else rng.uniform(.85, 1.))
    low = rng.uniform(.85, 1., 3) * (rng.uniform(.0, .1) if night else rng.uniform(.3, .9))
    mix = np.clip(np.linspace(-.3, 1.3, CELL)[:, None] + .2 * noise(rng, 5, octaves=3, size=CELL),
                  0, 1)[..., None]
    return ((top * (1 - mix) + low * mix) * 255).astype(np.uint8)[::-1].copy()


def cloth(rng: np.random.Generator) -> Picture:
    """Return a printed shirt."""
    picture = _blank(rng, 0, 1)
    for y in range(0, CELL, int(rng.choice([8, 16, 32, 128]))):
        cv2.rectangle(picture, (0, y), (CELL, y + 3), _colour(rng), -1)
    return picture


def make_atlas(rng: np.random.Generator) -> Picture:
    """Return the atlas, 1024 x 1024 x 3."""
    atlas = np.zeros((CELL * GRID, CELL * GRID, 3), np.uint8)
    index = 0
    for kind, count in KINDS.items():
        draw = globals()[kind]
        for _ in range(count):
            y, x = divmod(index, GRID)
            atlas[y * CELL:(y + 1) * CELL, x * CELL:(x + 1) * CELL] = draw(rng)
            index += 1
    return atlas


def atlas_cell(kind: str, number: int) -> tuple[float, float, float, float]:
    """Return (u0, v0, u1, v1) of a cell; v0 belongs to the lower edge of the thing."""
    first = 0
    for name, count in KINDS.items():
        if name == kind:
            break
        first += count
    y, x = divmod(first + number % KINDS[kind], GRID)
    edge = 1.5 / CELL
    return ((x + edge) / GRID, (y + 1 - edge) / GRID, (x + 1 - edge) / GRID, (y + edge) / GRID)
