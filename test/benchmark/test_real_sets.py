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

"""The table of real sets, on a tiny folder and a tiny network."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType

import pytest
import torch

from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))


@pytest.fixture
def real_sets(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/real_sets.py as a module."""
    return load_script('real_sets')


def test_one_row_a_labelled_folder(real_sets: ModuleType, rgbd_folder: Path, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny', DepthNetwork(TINY), WeightCard('tiny', TINY, 64 * 48))
    (rgbd_folder.parent / 'peers.json').write_text(json.dumps({'sets': {rgbd_folder.name: {
        real_sets.PEER: {'raw': {'abs_rel': .5}, 'median_scaled': {'abs_rel': .25}}}}}))
    page, result = tmp_path / 'page.md', tmp_path / 'result.json'
    page.write_text(f'before\n{real_sets.BEGIN}\nold\n{real_sets.END}\nafter\n')
    monkeypatch.setattr(sys, 'argv', [
        'real_sets.py', str(rgbd_folder.parent), '--weights', str(tmp_path / 'tiny.safetensors'),
        '--threads', '1', '--json', str(result), '--markdown', str(page)])
    assert real_sets.main() == 0
    found = json.loads(result.read_text())
    assert found['command'].startswith('.venv/bin/python benchmark/real_sets.py ')
    (name, row), = found['sets'].items()
    # The folder has a split 'score' of two frames: only those are scored.
    assert name == rgbd_folder.name and row['split'] == 'score'
    assert row['frames']['scored'] == row['frames']['read'] == 2
    lines = page.read_text().splitlines()
    assert lines[0] == 'before' and lines[-1] == 'after' and 'old' not in lines
    cells = [cell.strip() for cell in lines[-3].strip('|').split('|')]
    assert cells[0] == name and cells[2] == f'{row["raw"]["abs_rel"]:.3f}'
    assert cells[-2:] == ['0.500', '0.250'] and len(cells) == len(real_sets.COLUMNS)
