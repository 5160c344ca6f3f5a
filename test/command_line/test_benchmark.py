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

"""``mde benchmark`` from recordings to table, plot and pictures."""

from collections.abc import Callable
import json
from pathlib import Path
import sys

import cv2
import pytest

from mde_ros.benchmarks import scenarios
from mde_ros.benchmarks.scenarios import real_target, RealSet, Scenario
from mde_ros.command_line.main import main
from mde_ros.network.depth_network import NetworkConfig, SIZES

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)


@pytest.fixture
def run(rgbd_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
        ) -> Callable[..., int]:
    """Return a function that runs a table of the tiny folder on itself."""
    meta = json.loads((rgbd_folder / 'meta.json').read_text())
    names = [name for split in meta['splits'].values() for name in split]
    # A target needs eight frames; what is scored is only read.
    for n in range(6, 12):
        for part in ('rgb', 'depth'):
            (rgbd_folder / part / f'{n:06d}.png').write_bytes(
                (rgbd_folder / part / f'{n - 6:06d}.png').read_bytes())
    meta['splits'] = {'adapt': [f'{n:06d}' for n in range(2, 12)], 'score': names[:2]}
    (rgbd_folder / 'meta.json').write_text(json.dumps(meta))
    monkeypatch.setitem(scenarios.SCENARIOS, 'tiny', Scenario(
        'tiny', 'a folder on itself', (RealSet('tiny'),), (real_target('tiny'),),
        quick_steps=(2, 2)))
    monkeypatch.setitem(SIZES, 'tiny', TINY)
    monkeypatch.setattr(sys, 'argv', ['mde', 'benchmark', 'tiny'])

    def words(*more: str) -> int:
        return main(['benchmark', 'tiny', '--network', 'tiny', '--batch', '2', '--workers', '0',
                     '--threads', '1', '--data', str(rgbd_folder.parent), '--out',
                     str(tmp_path / 'out'), *more])
    return words


def test_table_json_plot_and_pictures(run: Callable[..., int], tmp_path: Path,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    report_path = tmp_path / 'table.json'
    assert run('--methods', 'adabn', 'oracle', '--seeds', '1', '0', '--json',
               str(report_path)) == 0
    shown, aside = capsys.readouterr()
    assert 'tiny adabn, seed 0: 2 steps' in aside
    assert 'tiny oracle, seed 1: Abs Rel ' in aside and 'bfloat16' not in aside
    # As large as the pictures of the training, though the folder's are smaller.
    assert 'tiny: tiny, scored at input 128x96' in shown and 'oracle (target labels)' in shown
    report = json.loads(report_path.read_text())
    assert [(row['seed'], row['method']) for row in report['rows']] == [
        (seed, method) for seed in (0, 1) for method in ('source_only', 'adabn', 'oracle')]
    assert report['command'] == 'mde benchmark tiny' and report['settings']['steps'] == 2
    summary = report['summary']['targets']['tiny']
    assert summary['adabn']['raw']['abs_rel']['count'] == 2
    assert summary['source_only']['ratio_to_source_only']['raw']['mean'] == 1
    out = tmp_path / 'out' / 'quick' / 'tiny'
    assert json.loads((out / 'results.json').read_text()) == report
    for name in ('errors.png', 'pictures_tiny.jpg'):
        assert cv2.imread(str(out / name)) is not None


def test_wrong_options_are_named(run: Callable[..., int], tmp_path: Path,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    for words, message in (
            (['--methods', 'lfda_recognition'], 'lfda_recognition: needs --recognition FILE'),
            (['--methods', 'lfda_recognition', '--recognition', 'vgg16.pth'],
             '--recognition vgg16.pth: no such file'),
            (['--targets', 'moon'], '--targets moon: tiny has tiny'),
            (['--seeds', '-1'], '--seeds -1: must not be negative'),
            (['--steps', '0'], 'steps = 0: must be at least 1'),
            (['--json', str(tmp_path / 'none' / 'a.json')], 'no such folder'),
            (['--data', str(tmp_path / 'none')], 'holds no RGB-D folder tiny')):
        assert run(*words) == 2
        assert message in capsys.readouterr().err
