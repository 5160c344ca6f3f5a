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

"""The score of the label-free check, on tiny networks and folders."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)


@pytest.fixture
def module(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/label_free_check.py as a module."""
    return load_script('label_free_check')


def write_frames(path: Path) -> None:
    """Write ten labelled pictures of blobs."""
    camera, rng = Intrinsics(64, 48, 60, 60, 31.5, 23.5), np.random.default_rng(0)
    with RgbdFolderWriter(path, camera, camera='test', licence='none', source='test') as writer:
        for number in range(10):
            small = rng.integers(30, 225, (12, 16, 3), dtype=np.uint8)
            writer.write(Frame(f'{number}', 1, np.asarray(cv2.resize(small, (64, 48))), camera,
                               np.full((48, 64), 2., np.float32)))


def test_verdicts_beside_labels(module: ModuleType, tmp_path: Path,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / 'runs'
    for name in ('camera_b_adapt', 'camera_b_score', 'camera_a_source'):
        write_frames(runs / 'data' / name)
    for seed, name in enumerate(('source/source_only', 'camera_b/site')):
        torch.manual_seed(seed)
        save_weights(runs / 'cross_camera' / name / 'seed0' / 'weights', DepthNetwork(TINY),
                     WeightCard(name, TINY, 48 * 64))
    page = tmp_path / 'page.md'
    page.write_text(f'before\n{module.BEGIN}\nold\n{module.END}\n{module.SELECTED}\nold\n'
                    f'{module.END_SELECTED}\nafter\n')
    monkeypatch.setattr(sys, 'argv', [
        'label_free_check.py', '--runs', str(runs), '--data', str(tmp_path), '--json',
        str(tmp_path / 'r.json'), '--markdown', str(page)])
    assert module.main() == 0
    found = json.loads((tmp_path / 'r.json').read_text())
    rows = {row['candidate']: row for row in found['rows']}
    assert list(rows)[:2] == ['the same, seed0', 'site, seed0'] and len(rows) == 8
    same = rows['the same, seed0']
    assert same['change'] == {'raw': 0., 'median_scaled': 0.} and same['right'] == 'right'
    assert not same['accepted'] and same['score'] == 0
    assert not rows['random statistics, 1 deviations']['accepted']
    assert sum(found['counts']['right'].values()) == 8
    assert found['command'].startswith('.venv/bin/python benchmark/label_free_check.py --runs')
    lines = page.read_text().splitlines()
    assert lines[0] == 'before' and lines[-1] == 'after' and 'old' not in lines
    assert sum(line.startswith('| camera_b |') for line in lines) == 8
    assert sum(line.startswith('| camera_b, seed0 | 2 |') for line in lines) == 1
    assert [one['among'] for one in found['selection']] == [2]


@pytest.mark.parametrize(('accepted', 'change', 'word'), [
    (True, -.1, 'right'), (True, .1, 'harm'), (False, -.1, 'missed'), (False, .1, 'right'),
    (True, .005, 'right'), (False, -.005, 'right')])
def test_when_a_verdict_is_right(module: ModuleType, accepted: bool, change: float,
                                 word: str) -> None:
    assert module.rightness(accepted, change) == word


def test_regret_is_against_the_best_without_the_oracle(module: ModuleType) -> None:
    def row(candidate: str, score: float, raw: float) -> dict[str, Any]:
        return {'target': 't', 'candidate': candidate, 'score': score,
                'before': {'raw': .4, 'median_scaled': .2},
                'after': {'raw': raw, 'median_scaled': .2}}
    rows = [row('the same, seed0', 0., .4), row('adabn, seed0', -.2, .3),
            row('site, seed0', -.1, .25),
            row('oracle, seed0', -.9, .1), row('random statistics, 1 deviations', -2., .9)]
    found, = module.selection(rows)
    assert (found['chosen'], found['among']) == ('adabn', 3)
    assert found['raw_regret'] == pytest.approx(.3 / .25 - 1) and found['raw_before'] == .4
    assert found['median_scaled_regret'] == 0
    # Nothing better than before: it is kept.
    kept, = module.selection([row('the same, seed1', 0., .4), row('lfda, seed1', .1, .5)])
    assert kept['chosen'] == 'the same' and kept['raw_regret'] == 0
