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

"""``mde evaluate``: files, thresholds, exit codes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from row_estimator import RowEstimator

from mde_ros.command_line.main import main
from mde_ros.estimation import estimator as estimator_module


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the estimator of this test in the network's place."""
    monkeypatch.setattr(estimator_module, 'DepthEstimator', RowEstimator)
    RowEstimator.made = []


def test_writes_all_three_files(rgbd_folder: Path, tmp_path: Path,
                                capsys: pytest.CaptureFixture[str]) -> None:
    """The agreed names in --out; the table on the terminal; exit code 0."""
    out = tmp_path / 'out'
    assert main(['evaluate', str(rgbd_folder), '--out', str(out), '--split', 'score']) == 0
    fields = json.loads((out / 'result.json').read_text())
    assert fields['frames'] == {'read': 2, 'scored': 2, 'skipped': {}}
    assert fields['data']['split'] == 'score'
    # Frames 4 and 5 are 0.4 and 0.5 m farther than predicted.
    names = [row['name'] for row in csv.DictReader((out / 'frames.csv').open())]
    assert names == ['000004', '000005']
    assert '<html' in (out / 'report.html').read_text()
    assert {path.name for path in out.iterdir()} == {'result.json', 'frames.csv', 'report.html'}
    printed = capsys.readouterr().out
    assert 'median-scaled' in printed
    assert 'report.html' in printed


def test_numbers_are_those_of_the_data(rgbd_folder: Path, tmp_path: Path) -> None:
    """Frame 0 is right, frame n is n decimetres farther."""
    json_file = tmp_path / 'r.json'
    assert main(['evaluate', str(rgbd_folder), '--json', str(json_file)]) == 0
    fields = json.loads(json_file.read_text())
    rows = 1 + .05 * np.arange(48)
    truth = np.repeat(rows[:, None], 64, axis=1)
    mask = np.ones((48, 64), bool)
    mask[:8, :8] = False
    wanted = [(.1 * n / (truth[mask] + .1 * n)).mean() for n in range(6)]
    assert fields['raw']['abs_rel'] == pytest.approx(np.mean(wanted), abs=1e-5)


def test_thresholds(rgbd_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 names the one that failed; --quiet prints nothing else."""
    words = ['evaluate', str(rgbd_folder), '--quiet']
    assert main([*words, '--require', 'raw.abs_rel<0.5', '--require', 'raw.delta1>0.1']) == 0
    assert capsys.readouterr().out == ''
    assert main([*words, '--require', 'raw.abs_rel<0.5', '--require', 'raw.rmse<0.001']) == 1
    printed = capsys.readouterr().out
    assert 'FAILED raw.rmse = ' in printed
    assert 'abs_rel' not in printed


@pytest.mark.parametrize('words, message', [
    (['--require', 'raw.abs_rel'], 'write FIELD<NUMBER'),
    (['--require', 'raw.nothing<1'], "no 'nothing' in raw"),
    (['--min-depth', '5', '--max-depth', '2'], '--min-depth or --max-depth'),
    (['--split', 'nowhere'], "no split 'nowhere'"),
    (['--json', '/proc/none/r.json'], '/proc/none/r.json'),
    (['--min-depth', '50', '--max-depth', '60'], 'reference readings in the scored range')])
def test_user_errors_are_one_line(rgbd_folder: Path, words: list[str], message: str,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, no traceback."""
    assert main(['evaluate', str(rgbd_folder), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count('\n') == 1


def test_a_mistyped_requirement_loses_nothing(
        rgbd_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files are written, the other requirements judged; then exit code 2."""
    json_file = tmp_path / 'r.json'
    assert main(['evaluate', str(rgbd_folder), '--json', str(json_file), '--require',
                 'raw.abs<1', '--require', 'raw.abs_rel<1']) == 2
    assert json.loads(json_file.read_text())['requirements'] == [
        {'text': 'raw.abs_rel<1', 'holds': True}]
    assert "no 'abs' in raw" in capsys.readouterr().err


@pytest.mark.parametrize('words', [
    ['--every', '0'], ['--limit', 'x'], ['--border', '-1'], ['--ranges', '1;2'],
    ['--size', '320']])
def test_arguments_are_checked(rgbd_folder: Path, words: list[str],
                               capsys: pytest.CaptureFixture[str]) -> None:
    """Argparse names the option."""
    with pytest.raises(SystemExit) as stop:
        main(['evaluate', str(rgbd_folder), *words])
    assert stop.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_unlabelled_folder(rgbd_folder: Path, tmp_path: Path,
                           capsys: pytest.CaptureFixture[str]) -> None:
    """An error that names the way out, which then works."""
    for path in (rgbd_folder / 'depth').iterdir():
        path.unlink()
    (rgbd_folder / 'depth').rmdir()
    assert main(['evaluate', str(rgbd_folder)]) == 2
    assert '--latency-only' in capsys.readouterr().err
    out = tmp_path / 'out'
    assert main(['evaluate', str(rgbd_folder), '--latency-only', '--out', str(out)]) == 0
    fields = json.loads((out / 'result.json').read_text())
    assert 'raw' not in fields
    assert fields['latency_ms']['network']['p95'] == 20
