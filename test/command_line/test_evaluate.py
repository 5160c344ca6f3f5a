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
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.command_line.main import main
from mde_ros.estimation import estimator as estimator_module
from mde_ros.estimation.estimator import Estimate
from mde_ros.evaluation.evaluator import evaluate


class RowEstimator:
    """Knows the frames of the fixture but for 0.1 m a frame: 1 m at the top, 3.35 m below."""

    model_id = 'rows-00000000'
    made: list[tuple[Any, dict[str, Any]]] = []

    def __init__(self, weights: str, **options: Any) -> None:
        self.made.append((weights, options))

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        rows = np.arange(image.shape[0], dtype=np.float32)[:, None]
        depth = np.repeat(1 + .05 * rows, image.shape[1], axis=1)
        return Estimate(depth, intrinsics, image, {'network': .02})

    def warm_up(self, intrinsics: Intrinsics) -> None:
        pass


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


def test_options_reach_the_estimator_and_the_frames(rgbd_folder: Path, tmp_path: Path) -> None:
    """Size as area, threads, device; every second frame, two at most, border cut."""
    json_file = tmp_path / 'r.json'
    assert main(['evaluate', str(rgbd_folder), '--weights', 'w.safetensors', '--profile',
                 'p.safetensors', '--size', '320x240', '--threads', '3', '--device', 'cuda',
                 '--backend', 'onnx', '--precision', 'fp16', '--engine', 'e.onnx', '--every',
                 '2', '--limit', '2', '--border', '8', '--ranges', '2', '--json',
                 str(json_file)]) == 0
    assert RowEstimator.made == [
        ('w.safetensors', {'profile': 'p.safetensors', 'input_area': 76800, 'threads': 3,
                           'device': 'cuda', 'backend': 'onnx', 'precision': 'fp16',
                           'engine': str(Path('e.onnx').resolve())})]
    fields = json.loads(json_file.read_text())
    assert fields['frames']['read'] == 2
    assert fields['ranges'][0]['to'] == 2
    assert sum(part['pixels'] for part in fields['ranges']) == 2 * 32 * 48


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


def test_live_options_reach_the_node(rgbd_folder: Path, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """What offline is the estimator's is a parameter of the node; its file is found anywhere."""
    module = pytest.importorskip('mde_ros.nodes.live_evaluation', reason='needs rclpy')
    calls: list[tuple[Any, ...]] = []

    def stand_in(source: Any, options: Any, live: Any, **rest: Any) -> Any:
        calls.append((options, live, rest))
        result = evaluate(source, RowEstimator('w'), options)
        result.live = {}
        return result
    monkeypatch.setattr(module, 'evaluate_live', stand_in)
    monkeypatch.chdir(tmp_path)
    words = ['evaluate', str(rgbd_folder), '--quiet', '--weights', 'w.safetensors', '--size',
             '32x24', '--rate', '7', '--reliability', 'best_effort', '--border', '2']
    assert main([*words, '--live']) == 0
    assert main([*words, '--node', '/robot', '--transport', 'compressed']) == 0
    (options, live, rest), (_, second, _) = calls
    assert (options.minimum, rest['border']) == (.3, 2)
    assert (live.namespace, live.rate, live.reliability) == (None, 7, 'best_effort')
    assert live.parameters == {'weights': str(tmp_path / 'w.safetensors'), 'profile': '',
                               'device': 'cpu', 'threads': 0, 'input_area': 768}
    (tmp_path / 'store').mkdir()
    assert main([*words, '--live', '--profile', 'store']) == 0
    assert calls[-1][1].parameters['profile'] == str(tmp_path / 'store')
    assert main([*words, '--live', '--backend', 'onnx', '--engine', 'e.onnx']) == 0
    assert calls[-1][1].parameters['backend'] == 'onnx'
    assert calls[-1][1].parameters['engine'] == str(tmp_path / 'e.onnx')
    assert main([*words, '--live', '--profile', 'stoer']) == 2
    assert len(calls) == 4
    assert (second.namespace, second.transport) == ('/robot', 'compressed')


@pytest.mark.parametrize('words, message', [
    (['--latency-only'], '--latency-only does not go with --live'),
    (['--rate', '0'], '--rate 0: give a rate above 0'), ([], '--live needs ROS 2')])
def test_live_errors(rgbd_folder: Path, words: list[str], message: str,
                     monkeypatch: pytest.MonkeyPatch,
                     capsys: pytest.CaptureFixture[str]) -> None:
    """One line; without ROS 2 too."""
    monkeypatch.setitem(sys.modules, 'mde_ros.nodes.live_evaluation', None)
    assert main(['evaluate', str(rgbd_folder), '--live', *words]) == 2
    assert message in capsys.readouterr().err
