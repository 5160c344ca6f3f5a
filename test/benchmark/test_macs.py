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

"""The table of costs: both counters agree, and the file says what was run."""

from collections.abc import Callable
import json
from pathlib import Path
from types import ModuleType

import pytest

from mde_ros.network.complexity import count
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.network.fold import fold_network


@pytest.fixture
def macs(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/macs.py as a module."""
    return load_script('macs')


def test_rows(macs: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('fvcore')
    found = tmp_path / 'macs.json'
    arguments = ['--size', '128x96', '64x64', '--path', 'small', 'base', '--json', str(found)]
    assert macs.main(arguments) == 0
    table = json.loads(found.read_text())
    assert table['command'] == 'python benchmark/macs.py ' + ' '.join(arguments)
    assert [(r['path'], r['width'], r['height']) for r in table['rows']] == [
        (path, *size) for path in ('small', 'base') for size in ((128, 96), (64, 64))]
    for row in table['rows']:
        cost = count(fold_network(DepthNetwork(SIZES[row['path']])), row['width'], row['height'])
        assert row['parameters'] == cost.parameters
        assert row['gmacs'] == pytest.approx(cost.gmacs, abs=1e-4)
        assert row['gmacs_fvcore'] == pytest.approx(cost.gmacs, rel=1e-3)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and lines[1].split()[:2] == ['small', '128x96']


def test_works_without_fvcore(macs: ModuleType, monkeypatch: pytest.MonkeyPatch,
                              tmp_path: Path) -> None:
    monkeypatch.setattr(macs, 'FlopCountAnalysis', None)
    found = tmp_path / 'macs.json'
    macs.main(['--size', '64x64', '--path', 'small', '--json', str(found)])
    row, = json.loads(found.read_text())['rows']
    assert row['gmacs_fvcore'] is None and row['gmacs'] > 0


def test_the_committed_table_is_of_this_code(repository: Path) -> None:
    rows = {(r['path'], r['width']): r
            for r in json.loads((repository / 'results' / 'macs.json').read_text())['rows']}
    for path in SIZES:
        cost = count(fold_network(DepthNetwork(SIZES[path])), 320, 240)
        assert rows[path, 320]['gmacs'] == pytest.approx(cost.gmacs, abs=1e-4)
        assert rows[path, 320]['parameters'] == cost.parameters
        # The promise: at most a twentieth of T2Net's.
        assert rows[path, 640]['gmacs'] < .05 * rows['t2net', 640]['gmacs']
    assert rows['t2net', 640]['gmacs'] == pytest.approx(60.92, rel=1e-3)
    for row in rows.values():
        assert row['gmacs_fvcore'] == pytest.approx(row['gmacs'], rel=1e-3)
