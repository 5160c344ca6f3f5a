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

"""Frames before and after, side by side on one sheet, with errors and scales."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation.colour import DepthColouriser, ticks
from mde_ros.evaluation.compare import Comparison
from mde_ros.evaluation.contact_sheet import FONT, GAP, INK, LINE, PAPER
from mde_ros.evaluation.report import colour_error, ERROR_END, error_table

TILE = 240  # width of one picture
# Best, middle and worst gains, and one between each two.
ROWS = 5
BAR = 10
# Depths outside these percentiles of all rows get the colours of the ends.
PERCENTILES = 1., 99.


@dataclass(frozen=True)
class PictureRow:
    """
    What one row shows.

    :param title: under the row.
    :param image: h x w x 3 uint8 RGB.
    :param truth: h x w metres, NaN without reading; None where there is no reference.
    :param before: h x w metres, and ``after`` likewise.
    """

    title: str
    image: NDArray[np.uint8]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    truth: NDArray[np.float32] | None = None


def comparison_rows(comparison: Comparison, most: int = ROWS) -> list[PictureRow]:
    """Return the frames from the largest gain to the largest loss, evenly spaced."""
    ranked = comparison.gains()
    places = np.unique(np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round())
    rows = []
    scores = {old.name: (old, new) for old, new in comparison.pairs}
    for place in places.astype(int):
        name = ranked[place][1]
        old, new = (one.picture(name) for one in comparison.material)
        values = [f'{column.replace("_", " ")} {before:.3f} -> {after:.3f}'
                  for column in ('raw', 'median_scaled')
                  for before, after in [[one.columns[column].abs_rel for one in scores[name]]]]
        rows.append(PictureRow(f'{name}: Abs Rel {", ".join(values)}', old.image, old.prediction,
                               new.prediction, old.truth))
    return rows


def comparison_sheet(rows: Sequence[PictureRow]) -> NDArray[np.uint8]:
    """
    Return a sheet H x W x 3 uint8 RGB: image, reference, before, after, and the errors of both.

    Without a reference: image, before, after, and the change in depth. All rows share one scale
    of depth, which stands at the top beside that of errors: red is too far (or farther than
    before), blue too near.

    :param rows: at least one.
    """
    colours = DepthColouriser(*_range(rows))
    bodies = [_row(row, colours) for row in rows]
    width = max(body.shape[1] for body in bodies)
    bars = _scales(colours, width, 'same' if rows[0].truth is None else 'right')
    return np.concatenate([bars, *(_widened(body, width) for body in bodies)])


def _range(rows: Sequence[PictureRow]) -> tuple[float, float]:
    depths = [depth[::2, ::2].ravel() for row in rows
              for depth in (row.truth, row.before, row.after) if depth is not None]
    known = np.concatenate(depths)
    known = known[np.isfinite(known) & (known > 0)]
    low, high = np.percentile(known, PERCENTILES) if known.size else (1., 10.)
    return float(low), max(float(high), 1.05 * float(low))


def _row(row: PictureRow, colours: DepthColouriser) -> NDArray[np.uint8]:
    height = max(1, round(TILE * row.image.shape[0] / row.image.shape[1]))

    def error(depth: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.uint8]:
        return colour_error(depth, truth, 1e-3, 1e3)

    if row.truth is None:
        pictures = {'image': row.image, 'before': colours.apply(row.before),
                    'after': colours.apply(row.after), 'change': error(row.after, row.before)}
    else:
        pictures = {'image': row.image, 'reference': colours.apply(row.truth),
                    'before': colours.apply(row.before), 'after': colours.apply(row.after),
                    'error before': error(row.before, row.truth),
                    'error after': error(row.after, row.truth)}
    body = np.full((height + 2 * LINE + GAP, len(pictures) * (TILE + GAP) + GAP, 3), PAPER,
                   np.uint8)
    for place, (title, picture) in enumerate(pictures.items()):
        left = GAP + place * (TILE + GAP)
        photo = title == 'image' and picture.shape[1] > TILE
        body[LINE:LINE + height, left:left + TILE] = cv2.resize(
            picture, (TILE, height),
            interpolation=cv2.INTER_AREA if photo else cv2.INTER_NEAREST)
        _write(body, title, left, LINE - 5)
    _write(body, row.title, GAP, LINE + height + LINE - 5)
    return body


def _scales(colours: DepthColouriser, width: int, middle: str) -> NDArray[np.uint8]:
    """Return the bars of depth and of errors, half the width each."""
    sheet = np.full((BAR + GAP + LINE, width, 3), PAPER, np.uint8)
    half = width // 2
    low, high = colours.minimum, colours.maximum
    depths = np.geomspace(low, high, half - 2 * GAP).astype(np.float32)
    sheet[GAP:GAP + BAR, GAP:half - GAP] = colours.apply(depths[None])
    for depth in ticks(low, high):
        place = np.log(depth / low) / np.log(high / low)
        _write(sheet, f'{depth:g} m', GAP + int(place * (half - 2 * GAP)), GAP + BAR + LINE - 5,
               half - GAP)
    table = error_table()
    across = np.linspace(0, len(table) - 1, half - 2 * GAP).round().astype(int)
    sheet[GAP:GAP + BAR, half + GAP:half + GAP + across.size] = table[across]
    for share in (-ERROR_END, 0., ERROR_END):
        place = (share / ERROR_END + 1) / 2
        _write(sheet, f'{share:+.0%}' if share else middle,
               half + GAP + int(place * (half - 2 * GAP)), GAP + BAR + LINE - 5, width - GAP)
    return sheet


def _widened(body: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    return cv2.copyMakeBorder(body, 0, 0, 0, width - body.shape[1], cv2.BORDER_CONSTANT,
                              value=(PAPER,) * 3)


def _write(image: NDArray[np.uint8], text: str, left: int, baseline: int,
           most: int | None = None) -> None:
    text = text.encode('ascii', 'replace').decode()
    if most is not None:
        left = min(left, most - cv2.getTextSize(text, FONT, .4, 1)[0][0])
    cv2.putText(image, text, (left, baseline), FONT, .4, INK, 1, cv2.LINE_AA)
