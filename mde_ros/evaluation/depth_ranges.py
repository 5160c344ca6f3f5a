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

"""Errors by distance: pixels are pooled over all frames of a range of reference depth."""

from collections.abc import Sequence
from itertools import pairwise
import math

import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError

# Inner edges in metres: rooms, and roads when the scored range goes beyond 20 m.
INDOOR_EDGES = (1., 2., 4.)
ROAD_EDGES = (10., 20., 40.)


class DepthRangeError(MdeError):
    """A scored range or edges that do not rise."""


def range_edges(minimum: float, maximum: float,
                inner: Sequence[float] | None = None) -> tuple[float, ...]:
    """
    Return the rising edges of the ranges, from the scored minimum to the maximum.

    :param inner: edges between; those outside the scored range are left out. None: 1, 2, 4 m,
        or 10, 20, 40 m when the maximum is beyond 20 m.
    :raises DepthRangeError: unless 0 < minimum < maximum and the edges rise.
    """
    if not (0 < minimum < maximum and math.isfinite(maximum)):
        raise DepthRangeError(
            f'scored range {minimum:g} to {maximum:g} m: 0 < minimum < maximum is needed; '
            'change --min-depth or --max-depth')
    if inner is None:
        inner = ROAD_EDGES if maximum > 20 else INDOOR_EDGES
    if any(b <= a for a, b in pairwise(inner)):
        raise DepthRangeError(f'ranges {", ".join(f"{edge:g}" for edge in inner)}: '
                              'the edges must rise')
    return (minimum, *(float(e) for e in inner if minimum < e < maximum), maximum)


def sort_by_range(truth: NDArray[np.floating],
                  edges: Sequence[float]) -> tuple[NDArray[np.intp], list[int]]:
    """
    Return an order of the pixels that puts those of one range together, and the ranges' sizes.

    A range holds its lower edge, not its upper.

    :param truth: N reference depths strictly inside the outer edges.
    """
    bins = np.searchsorted(np.asarray(edges[1:-1], np.float64), truth, side='right')
    counts = np.bincount(bins, minlength=len(edges) - 1)
    # A stable sort of small integers is a radix sort in numpy: linear time.
    order = np.argsort(bins.astype(np.uint8), kind='stable')
    return order, [int(count) for count in counts]
