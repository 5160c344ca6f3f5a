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

"""``mde evaluate``: what reaches the network, in this process and in a node."""

import json
from pathlib import Path
import sys
from typing import Any

import pytest
from row_estimator import RowEstimator

from mde_ros.command_line.main import main
from mde_ros.estimation import estimator as estimator_module
from mde_ros.estimation.weights import SHIPPED
from mde_ros.evaluation.evaluator import evaluate


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the estimator of this test in the network's place."""
    monkeypatch.setattr(estimator_module, 'DepthEstimator', RowEstimator)
    RowEstimator.made = []


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


def test_the_shipped_weights_have_one_name() -> None:
    from mde_ros.command_line import evaluate_run
    assert evaluate_run.SHIPPED == SHIPPED
