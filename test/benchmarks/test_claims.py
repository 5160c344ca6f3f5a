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

"""Folders that belong to settings."""

from pathlib import Path

import pytest

from mde_ros.benchmarks.claims import changed_fields, claim, read_json, sole, write_json
from mde_ros.benchmarks.errors import BenchmarkError


def test_changed_fields_are_named_from_the_top() -> None:
    before = {'a': 1, 'b': {'c': 2, 'd': [1, 2]}, 'e': None}
    assert changed_fields(before, {'a': 1, 'b': {'c': 2, 'd': [1, 2]}, 'e': None}) == []
    assert changed_fields(before, {'a': 2, 'b': {'c': 2, 'd': [1, 3]}, 'f': 0}) == [
        'a', 'b.d', 'f']


def test_the_same_settings_go_on_and_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'cell' / 'settings.json'
    claim(path, {'size': (1, 2), 'config': {'steps': 3}})
    # JSON has no tuples: reading back must not look like a change.
    claim(path, {'size': (1, 2), 'config': {'steps': 3}})
    with pytest.raises(BenchmarkError, match=r'cell.*\(config\.steps\).*another --out'):
        claim(path, {'size': (1, 2), 'config': {'steps': 4}})
    assert read_json(path)['config'] == {'steps': 3}


def test_files_are_whole_or_named(tmp_path: Path) -> None:
    path = tmp_path / 'a.json'
    assert read_json(path) is None
    write_json(path, {'a': 1})
    assert read_json(path) == {'a': 1} and list(tmp_path.iterdir()) == [path]
    path.write_text('{"a":')
    with pytest.raises(BenchmarkError, match=r'a\.json: damaged'):
        read_json(path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    # A lock belongs to an open file, so one process can stand for two.
    with sole(tmp_path / 'out'), pytest.raises(
            BenchmarkError, match='out: another mde benchmark'), sole(tmp_path / 'out'):
        pass
    with sole(tmp_path / 'out'):
        pass
