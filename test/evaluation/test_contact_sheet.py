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

"""Contact sheets: layout, one scale for all, what is missing."""

import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.evaluation.colour import DepthColouriser
from mde_ros.evaluation.contact_sheet import BAR, contact_sheet, GAP, LINE, TILE

CAMERA = Intrinsics(120, 90, 100., 100., 60., 45.)
HEIGHT = 180  # 240 * 90 / 120
PAIR = HEIGHT + LINE + GAP


def frame(depth: float | None, grey: int, name: str = 'a') -> Frame:
    """Return a frame of one grey and one depth, its upper left quarter without reading."""
    values = None
    if depth is not None:
        values = np.full((90, 120), depth, np.float32)
        values[:45, :60] = np.nan
    return Frame(name, 0, np.full((90, 120, 3), grey, np.uint8), CAMERA, values)


def test_layout_and_scale() -> None:
    sheet = contact_sheet([frame(1., 10), frame(4., 20), frame(2., 30)])
    assert sheet.shape == (BAR + LINE + 2 * PAIR, 2 * (2 * TILE + 2 * GAP), 3)
    top, width = BAR + LINE, 2 * TILE + 2 * GAP
    for index, grey in enumerate((10, 20, 30)):
        row, left = top + index // 2 * PAIR, index % 2 * width + GAP
        assert (sheet[row:row + HEIGHT, left:left + TILE] == grey).all()
    # Depth beside each, with one scale: 1 m is the warmest, 4 m the coldest colour.
    colours = DepthColouriser(1., 4.)
    for index, depth in enumerate((1., 4., 2.)):
        row, left = top + index // 2 * PAIR, index % 2 * width + GAP + TILE
        assert (sheet[row:row + HEIGHT // 2 - 2, left:left + TILE // 2 - 2] == 0).all()
        expected = colours.apply(np.full((1, 1), depth, np.float32))[0, 0]
        assert (sheet[row + HEIGHT - 5, left + TILE - 5] == expected).all()
    # The fourth place is empty paper.
    assert (sheet[top + PAIR:, width:] == 255).all()


def test_the_caption_is_written_and_the_scale_too() -> None:
    sheet = contact_sheet([frame(1., 200, 'x' * 500), frame(4., 200, 'é')])
    caption = sheet[BAR + LINE + HEIGHT:BAR + LINE + HEIGHT + LINE]
    assert (caption[:, GAP:GAP + TILE] < 128).any()
    assert (caption[:, 2 * TILE + GAP:2 * TILE + 2 * GAP] == 255).all()  # cut to its pair
    assert (sheet[BAR:BAR + LINE] < 128).any()


@pytest.mark.parametrize('depth', [None, float('nan')])
def test_without_depth(depth: float | None) -> None:
    sheet = contact_sheet([frame(depth, 100)])
    field = sheet[BAR + LINE:BAR + LINE + HEIGHT, GAP + TILE:GAP + 2 * TILE]
    assert (field == (200 if depth is None else 0)).all()


def test_frames_of_different_shapes() -> None:
    tall = Frame('tall', 0, np.zeros((120, 60, 3), np.uint8), Intrinsics(60, 120, 9., 9., 3., 3.))
    sheet = contact_sheet([frame(2., 50), tall])
    assert sheet.shape[0] == BAR + LINE + 480 + LINE + GAP
