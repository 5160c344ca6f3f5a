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

"""JSON and CSV files."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.result_files import (
    check_writable, OutputError, write_csv, write_json, write_text)


def test_csv_has_one_row_a_frame(memory_source: Any, perfect: Any, tmp_path: Path) -> None:
    """Scores and times beside the name and stamp."""
    result = evaluate(memory_source, perfect)
    path = tmp_path / 'new' / 'frames.csv'
    write_csv(path, result)
    rows = list(csv.DictReader(path.open()))
    assert [row['name'] for row in rows] == ['f0', 'f1', 'f2', 'f3']
    assert rows[1]['stamp_ns'] == '1001'
    assert float(rows[1]['raw_abs_rel']) == 0
    assert float(rows[1]['median_scaled_delta1']) == 1
    assert float(rows[1]['network_ms']) == 20
    assert int(rows[1]['pixels']) == 24 * 32 - 16
    assert b'\r' not in path.read_bytes()


def test_csv_of_latency_alone(memory_source: Any, perfect: Any, tmp_path: Path) -> None:
    """Empty cells where nothing was measured."""
    write_csv(tmp_path / 'f.csv', evaluate(memory_source, perfect, latency_only=True))
    rows = list(csv.DictReader((tmp_path / 'f.csv').open()))
    assert len(rows) == 4
    assert rows[0]['raw_abs_rel'] == ''
    assert rows[0]['network_ms'] == '20.0'


def test_json_is_strict(memory_source: Any, perfect: Any, tmp_path: Path) -> None:
    """No NaN, which other languages cannot read."""
    memory_source.frames = memory_source.frames[:1]
    path = tmp_path / 'r.json'
    write_json(path, evaluate(memory_source, perfect).to_dict())

    def refuse(word: str) -> None:
        raise AssertionError(word)
    fields = json.loads(path.read_text(), parse_constant=refuse)
    assert fields['abs_rel_interval_95']['raw'] == [None, None]
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_paths_are_named(tmp_path: Path) -> None:
    """Before the work, not after it."""
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match=r'file/r\.json: cannot be written'):
        check_writable(tmp_path / 'file' / 'r.json')
    with pytest.raises(OutputError, match='is a folder'):
        check_writable(tmp_path)
    with pytest.raises(OutputError, match='cannot be written'):
        write_text(tmp_path / 'file' / 'r.json', '')
    check_writable(tmp_path / 'new' / 'r.json')
    assert (tmp_path / 'new').is_dir()
