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

"""Ranges of depth: edges and sorting."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.evaluation.depth_ranges import DepthRangeError, range_edges, sort_by_range


def test_usual_edges() -> None:
    """Rooms, roads, and edges outside the scored range dropped."""
    assert range_edges(.3, 10) == (.3, 1, 2, 4, 10)
    assert range_edges(1, 80) == (1, 10, 20, 40, 80)
    assert range_edges(.3, 3, (.2, 1, 5)) == (.3, 1, 3)


@pytest.mark.parametrize('low, high', [(0, 10), (5, 5), (6, 2), (1, float('nan'))])
def test_impossible_range_names_the_options(low: float, high: float) -> None:
    """The user sees which options to change."""
    with pytest.raises(DepthRangeError, match='--min-depth or --max-depth'):
        range_edges(low, high)


def test_falling_edges() -> None:
    """They are shown as they were given."""
    with pytest.raises(DepthRangeError, match='4, 2: the edges must rise'):
        range_edges(.3, 10, (4, 2))


def test_sort_by_hand() -> None:
    """A lower edge belongs to its range; order within a range is kept."""
    order, counts = sort_by_range(np.array([5., 1, .5, 3, .4]), (.3, 1, 4, 10))
    assert counts == [2, 2, 1]
    assert order.tolist() == [2, 4, 1, 3, 0]


@given(st.lists(st.floats(.31, 9.9), min_size=1, max_size=50))
def test_every_pixel_in_exactly_one_range(depths: list[float]) -> None:
    """The sorted slices hold what their edges say, and nothing is lost."""
    truth, edges = np.array(depths), (.3, 1., 2., 4., 10.)
    order, counts = sort_by_range(truth, edges)
    assert sorted(order.tolist()) == list(range(truth.size))
    parts = np.split(truth[order], np.cumsum(counts)[:-1])
    for part, low, high in zip(parts, edges, edges[1:]):
        assert ((part >= low) & (part < high)).all()
