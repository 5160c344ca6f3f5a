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

"""Times, ratios and limits of the speed benchmark, by hand."""

import pytest

from mde_ros.benchmarks.speed.roofline import Roofline, roofline_runs
from mde_ros.benchmarks.speed.timing import in_milliseconds, ratio, take_turns


def test_contenders_take_turns() -> None:
    calls: list[str] = []
    seconds = take_turns({'a': lambda: calls.append('a'), 'b': lambda: calls.append('b')}, 2,
                         repeats=2, warm_ups=1)
    assert ''.join(calls) == 'ab' + 'aabb' * 2
    assert [len(times) for times in seconds.values()] == [4, 4]


def test_ranks_and_ratios_by_hand() -> None:
    times = [.001 * n for n in range(1, 102)]
    assert in_milliseconds(times) == {'p50': 51, 'p95': 96, 'p99': 100, 'best': 1}
    assert ratio([.004, .002, .003], [.001]) == 3


def test_the_limit_by_hand() -> None:
    # 2 GMAC at 100 GMAC/s take 20 ms.
    assert Roofline(100, 10).least_ms(2) == pytest.approx(20)
    runs, judge = roofline_runs(1, 100, 4000)
    assert list(runs) == ['matrix product torch', 'matrix product onnx', 'copy']
    for run in runs.values():
        run()
    # A million multiply-accumulates in 1 ms, the best of both; 8000 bytes in 1 us.
    limit = judge({'matrix product torch': [.002], 'matrix product onnx': [.003, .001],
                   'copy': [1e-6]})
    assert limit.gmacs == pytest.approx(1.0)
    assert limit.gigabytes == pytest.approx(8.0)
