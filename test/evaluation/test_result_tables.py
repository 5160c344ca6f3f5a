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

"""The printed tables."""

from typing import Any

import pytest
from rich.console import Console

from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.result_tables import format_metric, ResultTables


def printed(fields: dict[str, Any]) -> str:
    """Return what a terminal of 80 columns shows."""
    console = Console(width=80)
    with console.capture() as capture:
        console.print(ResultTables(fields))
    return capture.get()


def test_every_column_and_floor_has_its_row(memory_source: Any, perfect: Any) -> None:
    """Numbers where they were measured, no row where they cannot be."""
    text = printed(evaluate(memory_source, perfect).to_dict())
    rows = [line.split() for line in text.splitlines()]
    assert ['raw', *['0.000'] * 4, '0.0', *['1.000'] * 3] in rows
    assert ['AbsRel', 'SqRel', 'RMSE', 'RMSElog', 'SILog', 'δ1', 'δ2', 'δ3'] in rows
    for row in ('site-scaled', 'median-scaled', 'constant, median', 'row prior, site',
                '1–2 m', 'p95', '4 read, 4 scored'):
        assert row in text
    assert 'constant, raw' not in text


def test_latency_alone(memory_source: Any, perfect: Any) -> None:
    """No empty metric table."""
    text = printed(evaluate(memory_source, perfect, latency_only=True).to_dict())
    assert 'AbsRel' not in text
    assert '20.0' in text


def test_live(memory_source: Any, perfect: Any) -> None:
    """What was sent, dropped and lost, and the age, instead of the stages."""
    fields = evaluate(memory_source, perfect).to_dict()
    fields['live'] = {
        'sent': 9, 'depth_received': 6, 'node_dropped': {'busy': 2, 'bad image': 1},
        'lost_before_node': 0, 'lost_after_node': 0, 'transport': 'raw',
        'reliability': 'reliable', 'age_ms': {'p50': 31.25, 'p95': 40., 'p99': 50.}}
    text = printed(fields)
    for words in ('9 (raw, reliable)', '2 busy, 1 bad image', '0 before the node',
                  'p50 31.2, p95 40.0, p99 50.0'):
        assert words in text
    assert 'decode' not in text


@pytest.mark.parametrize('value, text', [(None, '–'), (.12345, '0.123'), (0, '0.000')])
def test_format(value: float | None, text: str) -> None:
    """A dash is not a zero."""
    assert format_metric(value) == text
