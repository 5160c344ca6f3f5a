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

"""Depth colours: order, range, no reading, buffers."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.evaluation.colour import (
    colour_depth, colour_table, ColourError, DepthColouriser, legend, ticks)


def test_ends_of_the_range_and_no_reading() -> None:
    """255 is nearest, 1 farthest, 128 in the middle of log depth, 0 no reading."""
    depth = np.array([[1, 100, 10, .5, 200, np.nan, 0, -1, np.inf]], np.float32)
    indices = DepthColouriser(1, 100).indices(depth)
    assert indices.tolist() == [[255, 1, 128, 255, 1, 0, 0, 0, 1]]


def test_near_is_warm_far_is_cold_missing_is_black() -> None:
    """Turbo: red above blue for near, blue above red for far."""
    near, far, missing = colour_depth(np.array([[.6, 8, np.nan]], np.float32))[0].astype(int)
    assert near[0] > near[2] + 50
    assert far[2] > far[0] + 50
    assert missing.tolist() == [0, 0, 0]


@pytest.mark.parametrize('name', ['turbo', 'viridis', 'magma', 'gray'])
def test_table_is_black_only_for_no_reading(name: str) -> None:
    """A far wall must not look like a hole."""
    table = colour_table(name)
    assert table.shape == (256, 3)
    assert table[0].tolist() == [0, 0, 0]
    if name != 'magma':  # magma begins almost black by definition
        assert table[1:].sum(axis=1).min() > 60


def test_writes_into_the_given_buffer() -> None:
    """The node reuses one image for all frames."""
    colouriser = DepthColouriser(.3, 10)
    depth = np.full((4, 6), 2, np.float32)
    out = np.zeros((4, 6, 3), np.uint8)
    result = colouriser.apply(depth, out)
    assert np.shares_memory(result, out)
    assert np.array_equal(out, colour_depth(depth))
    # A new size after that is no error.
    assert colouriser.apply(np.ones((2, 3), np.float32)).shape == (2, 3, 3)


@given(st.lists(st.floats(.0625, 200, width=32), min_size=2, max_size=20))
def test_nearer_never_has_the_farther_index(depths: list[float]) -> None:
    """The index falls monotonically with depth and is never that of no reading."""
    depth = np.sort(np.array([depths], np.float32))
    indices = DepthColouriser(.3, 10).indices(depth)[0].astype(int)
    assert (np.diff(indices) <= 0).all()
    assert indices.min() >= 1


@pytest.mark.parametrize('low, high', [(0, 1), (2, 2), (3, 1), (-1, 2), (1, float('inf'))])
def test_impossible_ranges(low: float, high: float) -> None:
    """The message names the range."""
    with pytest.raises(ColourError, match='depth range'):
        colour_depth(np.ones((2, 2), np.float32), low, high)


def test_unknown_map_lists_the_known_ones() -> None:
    """The user sees what to type instead."""
    with pytest.raises(ColourError, match='turbo, viridis'):
        colour_depth(np.ones((2, 2), np.float32), colour_map='rainbow')


def test_ticks_are_round_and_inside() -> None:
    """1, 2, 5 series, both ends included when round."""
    assert ticks(.3, 10) == [.5, 1, 2, 5, 10]
    assert ticks(1, 80) == [1, 2, 5, 10, 20, 50]
    assert ticks(2.2, 2.4) == [2.2, 2.4]


def test_legend_has_the_near_colour_below() -> None:
    """The upper end of the bar is far, the lower end near."""
    bar = legend(100)
    assert bar.shape == (100, 64, 3)
    table = colour_table()
    assert bar[0, 0].tolist() == table[1].tolist()
    assert bar[-1, 0].tolist() == table[255].tolist()
