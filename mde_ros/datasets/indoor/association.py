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

"""Pairs of files that were recorded at about the same time."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from mde_ros.datasets.frame import DatasetError


def stamp_ns(text: str, where: str) -> int:
    """
    Return seconds written with a decimal point as nanoseconds, without rounding.

    :param where: file to name when it is no number.
    :raises DatasetError: when it is no number.
    """
    try:
        return int(Decimal(text) * 1_000_000_000)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise DatasetError(f"{where}: '{text}' is no time stamp in seconds") from error


def associate(first: Sequence[int], second: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """
    Return index pairs of stamps less than ``limit`` apart, each used once, nearest pairs first.

    This is what TUM's associate.py does. The pairs come in order of the first stamps.

    :param first: nanoseconds, in any order.
    :param second: nanoseconds, in any order.
    """
    order = np.argsort(np.asarray(second, np.int64), kind='stable')
    times = np.asarray(second, np.int64)[order]
    candidates = []
    for index, stamp in enumerate(first):
        # Both ends are open: a pair exactly ``limit`` apart is none.
        low = int(np.searchsorted(times, stamp - limit, 'right'))
        high = int(np.searchsorted(times, stamp + limit, 'left'))
        candidates += [(abs(int(times[k]) - stamp), index, int(order[k]))
                       for k in range(low, high)]
    taken: dict[int, int] = {}
    used: set[int] = set()
    for _, one, other in sorted(candidates):
        if one not in taken and other not in used:
            taken[one] = other
            used.add(other)
    return sorted(taken.items(), key=lambda pair: (first[pair[0]], pair))
