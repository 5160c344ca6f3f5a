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

"""Frames of a data set on one sheet: pictures and coloured depth, with their scale."""

from collections.abc import Sequence
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import Frame
from mde_ros.evaluation.colour import DepthColouriser, ticks

SHEET_FRAMES = 12
TILE = 240  # width of one picture
PAIRS = 2  # pairs of picture and depth in a row
GAP, LINE, BAR = 8, 18, 30
PAPER, INK = 255, (40, 40, 40)
FONT = cv2.FONT_HERSHEY_SIMPLEX
# Depths outside these percentiles of all frames get the colours of the ends.
PERCENTILES = 1., 99.


def contact_sheet(frames: Sequence[Frame]) -> NDArray[np.uint8]:
    """
    Return a sheet of frames, H x W x 3 uint8 RGB, two in a row, each beside its depth.

    All depths have one scale, which stands at the top; black is no reading. Frames without
    depth have a grey field beside them.

    :param frames: at least one.
    """
    colours = DepthColouriser(*_range(frames))
    rows = [_row([_pair(frame, colours) for frame in frames[start:start + PAIRS]])
            for start in range(0, len(frames), PAIRS)]
    return np.concatenate([_scale(colours, rows[0].shape[1]), *rows])


def _range(frames: Sequence[Frame]) -> tuple[float, float]:
    """Return the depths of the first and the last colour."""
    depths = [frame.depth[::4, ::4].ravel() for frame in frames if frame.depth is not None]
    known = np.concatenate([np.empty(0, np.float32), *depths])
    known = known[np.isfinite(known) & (known > 0)]
    if not known.size:
        return 1., 10.
    low, high = np.percentile(known, PERCENTILES)
    return float(low), max(float(high), 1.05 * float(low))


def _scale(colours: DepthColouriser, width: int) -> NDArray[np.uint8]:
    """Return a bar of the colours with depths written on it."""
    ratio = math.log(colours.maximum / colours.minimum)
    positions = np.linspace(0, 1, width - 2 * GAP)
    depths = (colours.minimum * np.exp(ratio * positions)).astype(np.float32)
    bar = np.full((BAR + LINE, width, 3), PAPER, np.uint8)
    strip = colours.apply(np.repeat(depths[None], BAR - 2 * GAP, 0))
    bar[GAP:BAR - GAP, GAP:width - GAP] = strip
    for depth in ticks(colours.minimum, colours.maximum):
        text = f'{depth:.3g} m'
        size = cv2.getTextSize(text, FONT, .4, 1)[0][0]
        middle = GAP + math.log(depth / colours.minimum) / ratio * (width - 2 * GAP)
        _write(bar, text, int(np.clip(middle - size / 2, GAP, width - GAP - size)), BAR + 4)
        cv2.line(bar, (int(middle), GAP), (int(middle), BAR - GAP), INK, 1)
    return bar


def _row(pairs: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    height = max(pair.shape[0] for pair in pairs)
    row = np.full((height, PAIRS * pairs[0].shape[1], 3), PAPER, np.uint8)
    for place, pair in enumerate(pairs):
        left = place * pair.shape[1]
        row[:pair.shape[0], left:left + pair.shape[1]] = pair
    return row


def _pair(frame: Frame, colours: DepthColouriser) -> NDArray[np.uint8]:
    """Return picture and depth side by side above their caption."""
    height = max(1, round(TILE * frame.intrinsics.height / frame.intrinsics.width))
    tile = np.full((height + LINE + GAP, 2 * TILE + 2 * GAP, 3), PAPER, np.uint8)
    shrinks = frame.image.shape[1] > TILE
    tile[:height, GAP:GAP + TILE] = cv2.resize(
        frame.image, (TILE, height),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    right = slice(GAP + TILE, GAP + 2 * TILE)
    caption = frame.name
    if frame.depth is None:
        tile[:height, right] = 200
        caption += '  no depth'
    else:
        # Nearest pixels: depths and holes are not mixed.
        small = cv2.resize(frame.depth, (TILE, height), interpolation=cv2.INTER_NEAREST)
        tile[:height, right] = colours.apply(small)
        known = frame.depth[np.isfinite(frame.depth)]
        if known.size:
            caption += f'  {np.median(known):.2f} m, {known.size / frame.depth.size:.0%}'
    _write(tile, _shortened(caption, 2 * TILE), GAP, height + LINE - 6)
    return tile


def _shortened(text: str, width: int) -> str:
    """Return the end of a text that fits: names of frames differ at their ends."""
    if cv2.getTextSize(text, FONT, .4, 1)[0][0] <= width:
        return text
    while cv2.getTextSize('...' + text, FONT, .4, 1)[0][0] > width:
        text = text[1:]
    return '...' + text


def _write(image: NDArray[np.uint8], text: str, left: int, baseline: int) -> None:
    # Only what the font has; OpenCV draws '?' for the rest.
    cv2.putText(image, text.encode('ascii', 'replace').decode(), (left, baseline), FONT, .4, INK,
                1, cv2.LINE_AA)
