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

"""Pairs by time, as TUM's associate.py makes them."""

from hypothesis import given, strategies as st
import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.association import associate, stamp_ns


def test_nearest_pairs_first() -> None:
    # 12-11 and 10-11 are both 1 apart: the earlier index wins, 12 takes 8 (4 apart).
    assert associate([10, 12], [11, 8], 5) == [(0, 0), (1, 1)]
    # With a limit of 4 the pair 4 apart is none: the bound itself is outside.
    assert associate([10, 12], [11, 8], 4) == [(0, 0)]


def test_order_and_emptiness() -> None:
    assert associate([30, 10, 20], [21, 31, 11], 5) == [(1, 2), (2, 0), (0, 1)]
    assert associate([], [1], 5) == associate([1], [], 5) == []


@given(st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(0, 60), max_size=8),
       st.integers(1, 12))
def test_as_the_published_algorithm(first: list[int], second: list[int], limit: int) -> None:
    # All pairs sorted by difference, taken while both are free.
    potential = sorted((abs(a - b), i, j) for i, a in enumerate(first)
                       for j, b in enumerate(second) if abs(a - b) < limit)
    left, right, expected = set(range(len(first))), set(range(len(second))), []
    for _, i, j in potential:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            expected.append((i, j))
    found = associate(first, second, limit)
    assert sorted(found) == sorted(expected)
    assert [first[i] for i, _ in found] == sorted(first[i] for i, _ in found)


def test_stamps_are_not_rounded() -> None:
    assert stamp_ns('1305031102.175304', 'x') == 1_305_031_102_175_304_000
    assert stamp_ns('1294886360.208451', 'x') == 1_294_886_360_208_451_000
    with pytest.raises(DatasetError, match=r"rgb\.txt: 'now' is no time stamp"):
        stamp_ns('now', 'rgb.txt')
