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

"""``mde export`` end to end: file, card, estimator that runs it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.command_line.main import main
from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.estimator import DepthEstimator, EstimatorError
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.evaluation import calibration_frames
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Return a small weight file."""
    torch.manual_seed(0)
    config = NetworkConfig(.25, (8, 8, 8, 8), canonical_focal=48.)
    network = DepthNetwork(config)
    with torch.no_grad():
        network.decoder.head.weight.mul_(5)
    save_weights(tmp_path / 'tiny', network, WeightCard('tiny', config, 64 * 48))
    return str(tmp_path / 'tiny.safetensors')


def test_an_engine_is_written_and_run(weights: str, tmp_path: Path, small_camera: Intrinsics,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'engine'
    assert main(['export', '--weights', weights, '--backend', 'onnx', '--size', '64x48',
                 '--threads', '1', '--out', str(out), '--json', str(tmp_path / 'card')]) == 0
    said = capsys.readouterr().out
    assert 'differs from torch by' in said and 'tolerance 0.001' in said
    card = json.loads((tmp_path / 'card').read_text())
    assert card['sha256'] == json.loads(out.with_suffix('.json').read_text())['sha256']
    assert card['command'].startswith('mde ')
    image = noise((1, 48, 64, 3))[0]
    depth = [DepthEstimator(weights, **options).estimate(image, small_camera).depth
             for options in ({}, {'backend': 'onnx', 'engine': str(out)})]
    assert np.allclose(*depth, rtol=1e-4)
    with pytest.raises(EstimatorError, match='run mde export --size 64x64'):
        DepthEstimator(weights, backend='onnx', engine=out, input_area=64 * 64).estimate(
            np.zeros((64, 64, 3), np.uint8), Intrinsics(64, 64, 48., 48., 31.5, 31.5))


def test_int8_of_a_recording(weights: str, tmp_path: Path, rgbd_folder: Path,
                             monkeypatch: pytest.MonkeyPatch,
                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(calibration_frames, 'LEAST', 6)
    monkeypatch.setattr('mde_ros.estimation.quantise.LARGEST_LOSS', .5)
    out = tmp_path / 'engine.onnx'
    arguments = ['export', '--weights', weights, '--backend', 'onnx', '--precision', 'int8',
                 '--calibration', str(rgbd_folder), '--threads', '1', '--out', str(out)]
    assert main(arguments) == 0
    card = json.loads(out.with_suffix('.json').read_text())
    assert (card['width'], card['height'], card['precision']) == (64, 48, 'int8')
    assert card['calibration']['frames'] == 4
    assert card['calibration']['abs_rel'] > 0
    # The precision is the file's; PyTorch cannot run it.
    assert DepthEstimator(weights, backend='onnx', engine=out).engines.precision == 'int8'
    monkeypatch.setattr('mde_ros.estimation.quantise.LARGEST_LOSS', -1.)
    assert main([*arguments[:-1], str(tmp_path / 'refused')]) == 2
    assert 'more than the' in capsys.readouterr().err
    assert not (tmp_path / 'refused.onnx').exists()


def test_a_split_and_a_profile_are_passed_on(weights: str, tmp_path: Path, rgbd_folder: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    common = ['export', '--weights', weights, '--backend', 'onnx', '--out', str(tmp_path / 'e')]
    assert main([*common, '--calibration', str(rgbd_folder), '--split', 'score']) == 2
    assert '2 readable frames' in capsys.readouterr().err
    assert main([*common, '--profile', str(tmp_path / 'none.json')]) == 2
    assert 'none' in capsys.readouterr().err
    assert main([*common, '--device', 'toaster', '--backend', 'openvino']) == 2
    assert "device 'toaster'" in capsys.readouterr().err


@pytest.mark.parametrize(('options', 'words'), [
    (['--size', '70x48'], '--size 70x48: both sides must be multiples of 16'),
    (['--precision', 'int8'], 'needs --calibration'),
    (['--precision', 'fp16'], "precision 'fp16'"),
    (['--calibration', '/no/such'], '/no/such: no such file')])
def test_mistakes_name_the_option(weights: str, tmp_path: Path, options: list[str], words: str,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['export', '--weights', weights, '--backend', 'onnx', '--out',
                 str(tmp_path / 'e'), *options]) == 2
    assert words in capsys.readouterr().err


def test_several_at_once(weights: str, tmp_path: Path) -> None:
    assert main(['export', '--weights', weights, '--backend', 'onnx', '--size', '64x48',
                 '--batch', '2', '--out', str(tmp_path / 'two')]) == 0
    assert json.loads((tmp_path / 'two.json').read_text())['batch'] == 2
