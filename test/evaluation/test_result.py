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

"""The result and its JSON form."""

import json
import math
from typing import Any

import numpy as np
import pytest

from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.result import EvaluationResult, percentiles, plain


def test_percentiles_by_hand() -> None:
    """0 to 100: the rank itself."""
    assert percentiles([float(n) for n in range(101)]) == {'p50': 50, 'p95': 95, 'p99': 99}


def test_plain_is_json_and_has_six_digits() -> None:
    """Types of NumPy, tuples, NaN and infinity."""
    found = plain({'a': np.float32(1 / 3), 'b': (np.int64(7), math.nan, -math.inf), 3: None,
                   'text': 'x', 'yes': True, 'big': 123456789})
    assert found == {'a': .333333, 'b': [7, None, None], '3': None, 'text': 'x', 'yes': True,
                     'big': 123456789}
    json.dumps(found, allow_nan=False)


def test_stages_that_were_not_timed_are_left_out() -> None:
    """One frame timed one stage, another two."""
    result = EvaluationResult({}, {}, {}, timings={
        'a': {'network': 10.}, 'b': {'network': 20., 'total': 30.}})
    latency = result.latency_ms()
    assert list(latency) == ['network', 'total']
    assert latency['network']['p50'] == 15
    assert latency['total'] == {'p50': 30, 'p95': 30, 'p99': 30}


def test_intervals_and_coverage(memory_source: Any, estimator_of: Any) -> None:
    """The interval holds the mean; coverage is the mean over frames."""
    def off(image: Any) -> Any:
        depth = image[:, :, 0].astype(np.float32) / (8 + image[0, 0, 0] % 4)
        depth[:12] = np.nan
        return depth
    fields = evaluate(memory_source, estimator_of(off)).to_dict()
    low, high = fields['abs_rel_interval_95']['raw']
    assert low < fields['raw']['abs_rel'] < high
    assert fields['coverage']['predicted'] == pytest.approx(12 * 32 / (24 * 32 - 16), rel=1e-5)
    assert fields['coverage']['reference'] == pytest.approx(1 - 16 / (24 * 32), rel=1e-5)


def test_nothing_measured_has_no_scores() -> None:
    """No made-up zeros."""
    fields = EvaluationResult({}, {}, {}).to_dict()
    assert fields['frames'] == {'read': 0, 'scored': 0, 'skipped': {}}
    assert 'raw' not in fields
    assert fields['latency_ms'] == {}
