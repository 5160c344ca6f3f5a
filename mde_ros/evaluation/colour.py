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

"""Depth as colours for people: near is warm, far is cold, by log depth, black is no reading."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError

# Colour maps by name; in each, low is near. OpenCV's, so that matplotlib is not needed here.
MAPS = {
    'turbo': cv2.COLORMAP_TURBO,
    'viridis': cv2.COLORMAP_VIRIDIS,
    'magma': cv2.COLORMAP_MAGMA,
    'gray': -1,
}


class ColourError(MdeError):
    """A depth range or a colour map that cannot be drawn."""


def colour_table(colour_map: str = 'turbo') -> NDArray[np.uint8]:
    """
    Return 256 x 3 RGB: entry 0 is black (no reading), 1 the farthest, 255 the nearest depth.

    :raises ColourError: for an unknown name.
    """
    code = MAPS.get(colour_map)
    if code is None:
        raise ColourError(f"colour map '{colour_map}': use one of {', '.join(MAPS)}")
    steps = np.arange(256, dtype=np.uint8)
    if code < 0:
        table = np.repeat(steps[:, None], 3, axis=1)
        # Far grey must differ from the black of no reading.
        table = (40 + table.astype(np.uint16) * 215 // 255).astype(np.uint8)
    else:
        table = np.ascontiguousarray(cv2.applyColorMap(steps[:, None], code)[:, 0, ::-1])
    table[0] = 0
    return table


class DepthColouriser:
    """
    Colours depth images of one range again and again without allocating.

    :param minimum: depth of the warmest colour, metres; nearer depths get it too.
    :param maximum: depth of the coldest colour, metres; farther depths get it too.
    :raises ColourError: unless 0 < minimum < maximum and the map is known.
    """

    def __init__(self, minimum: float, maximum: float, colour_map: str = 'turbo') -> None:
        """Build the table once."""
        if not (0 < minimum < maximum and math.isfinite(maximum)):
            raise ColourError(
                f'depth range {minimum} to {maximum} m: 0 < minimum < maximum is needed')
        self.minimum, self.maximum = float(minimum), float(maximum)
        self._table = colour_table(colour_map).reshape(256, 1, 3)
        # index = 255 at the minimum, 1 at the maximum, linear in log depth.
        self._slope = -254 / math.log(maximum / minimum)
        self._offset = 255 - self._slope * math.log(minimum)
        self._buffer = np.empty((0, 0), np.float32)

    def indices(self, depth: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return H x W entries of the table for depth in metres; 0 where there is no reading."""
        if self._buffer.shape != depth.shape:
            self._buffer = np.empty(depth.shape, np.float32)
        buffer = self._buffer
        with np.errstate(divide='ignore', invalid='ignore'):
            np.log(depth, out=buffer)
            buffer *= self._slope
            buffer += self._offset + .5
            np.clip(buffer, 1, 255, out=buffer)
            # NaN stays NaN through the clip and compares false; zero and below are no depth.
            valid = depth > 0
            np.copyto(buffer, 0, where=~valid)
        return buffer.astype(np.uint8)

    def apply(self, depth: NDArray[np.float32],
              out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """
        Return H x W x 3 RGB for H x W depth in metres.

        NaN, zero and negative depths are black; +inf has the farthest colour (REP 117).

        :param out: H x W x 3 uint8, C-contiguous, to write into.
        """
        # A three-channel table in RGB order: applyColorMap only looks up.
        return cv2.applyColorMap(self.indices(depth), self._table, out)


def colour_depth(depth: NDArray[np.float32], minimum: float = .3, maximum: float = 10.,
                 colour_map: str = 'turbo') -> NDArray[np.uint8]:
    """
    Return H x W x 3 RGB for H x W depth in metres: near warm, far cold, black no reading.

    For a stream of images keep a :class:`DepthColouriser`.

    :raises ColourError: unless 0 < minimum < maximum and the map is known.
    """
    return DepthColouriser(minimum, maximum, colour_map).apply(depth)


def ticks(minimum: float, maximum: float) -> list[float]:
    """Return round depths (1, 2, 5 times powers of ten) within a range, for a legend."""
    first, last = math.floor(math.log10(minimum)), math.ceil(math.log10(maximum))
    steps = [base * 10. ** power for power in range(first, last + 1) for base in (1, 2, 5)]
    # A billionth of slack: 0.1 * 3 and the like must not lose the end of the range.
    inside = [step for step in steps if minimum * (1 - 1e-9) <= step <= maximum * (1 + 1e-9)]
    return inside or [minimum, maximum]


def legend(height: int, minimum: float = .3, maximum: float = 10.,
           colour_map: str = 'turbo', width: int = 64) -> NDArray[np.uint8]:
    """
    Return a height x width x 3 RGB colour bar, far above near below, ticks in metres.

    :raises ColourError: unless 0 < minimum < maximum and the map is known.
    """
    rows = np.linspace(math.log(maximum), math.log(minimum), height)
    bar = np.full((height, width, 3), 255, np.uint8)
    strip = np.repeat(np.exp(rows)[:, None], max(8, width // 4), axis=1).astype(np.float32)
    bar[:, :strip.shape[1]] = colour_depth(strip, minimum, maximum, colour_map)
    span = math.log(maximum / minimum)
    for depth in ticks(minimum, maximum):
        row = round((height - 1) * math.log(maximum / depth) / span)
        cv2.putText(bar, f'{depth:g} m', (strip.shape[1] + 4, min(height - 3, max(10, row + 4))),
                    cv2.FONT_HERSHEY_SIMPLEX, .35, (30, 30, 30), 1, cv2.LINE_AA)
    return bar
