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

"""Times that can be compared: what is measured takes turns, so that a busy moment hits all."""

from collections.abc import Callable, Mapping
import time

import numpy as np

RANKS = (50, 95, 99)


def take_turns(runs: Mapping[str, Callable[[], object]], rounds: int, repeats: int = 1,
               warm_ups: int = 3) -> dict[str, list[float]]:
    """
    Return the seconds of every call.

    :param rounds: each of the runs has its turn in each round.
    :param repeats: calls in a row within a turn; caches are then those of steady work.
    """
    for run in runs.values():
        for _ in range(warm_ups):
            run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            for _ in range(repeats):
                began = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - began)
    return seconds


def in_milliseconds(seconds: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the best of some seconds, in milliseconds."""
    values = np.percentile(seconds, RANKS) * 1e3
    return {**{f'p{rank}': round(float(value), 4) for rank, value in zip(RANKS, values)},
            'best': round(min(seconds) * 1e3, 4)}


def ratio(reference: list[float], other: list[float]) -> float:
    """Return how many times as fast the other is: the ratio of the medians."""
    return round(float(np.median(reference) / np.median(other)), 3)
