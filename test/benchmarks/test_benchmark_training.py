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

"""One training: its start, its files, what cannot be used."""

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file
import torch

from mde_ros.adaptation.methods.t2net import T2Net
from mde_ros.benchmarks import training as module
from mde_ros.benchmarks.data import ReadyData
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.methods import contender
from mde_ros.benchmarks.settings import Settings
from mde_ros.benchmarks.training import (
    load_network, Machine, save_network, train, Training)
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.network.depth_network import DepthNetwork


@pytest.fixture
def training(ready: ReadyData, settings: Settings, tmp_path: Path) -> Training:
    return Training(tmp_path / 'cell', contender('source_only'), settings.train_config(0, {}),
                    ready.source)


def test_weights_are_what_the_depth_node_takes(training: Training) -> None:
    facts = train(training, Machine(workers=0))
    assert facts['steps'] == 3 and facts['losses']['loss'] > 0
    network = load_network(training)
    assert isinstance(network, DepthNetwork)
    assert DepthEstimator(training.folder / 'weights').card.name == 'source_only'
    # Finished: nothing is trained again.
    assert train(training, Machine(device='nonsense')) == facts


def test_own_network_is_saved_and_read(ready: ReadyData, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(T2Net, 'channels', 2)
    config = Settings(width=96, height=96).train_config(0, {}, whole=True)
    cell = Training(tmp_path / 'cell', contender('t2net'), config, ready.source,
                    encoder_start=tmp_path / 'none.npz')
    cell.folder.mkdir()
    network = cell.network(cell.data()).eval()
    save_network(cell.folder / 'weights.safetensors', network, config, 't2net')
    image = torch.rand(1, 3, 96, 96) * 2 - 1
    with torch.no_grad():
        assert torch.equal(load_network(cell)(image), network(image))
    # One PReLU for all layers, saved once a layer.
    assert len(load_file(cell.folder / 'weights.safetensors')) == len(network.state_dict())
    # Encoder weights are not its start, and not asked for.
    assert cell.to_dict()['encoder_start'] is None


def test_start_from_encoder_weights(training: Training, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(module, 'start_encoder', lambda *arguments: seen.append(arguments))
    path = tmp_path / 'encoder.npz'
    path.write_bytes(b'weights')
    started = replace(training, encoder_start=path)
    started.network(started.data())
    assert seen[0][1] == path and seen[0][2].shape == (48, 3, 48, 64)
    assert started.to_dict()['encoder_start']['name'] == 'encoder.npz'
    path.write_bytes(b'others')
    assert started.to_dict() != replace(training, encoder_start=None).to_dict()
    with pytest.raises(BenchmarkError, match='gone.npz: cannot be read'):
        replace(training, encoder_start=tmp_path / 'gone.npz').to_dict()


def test_device_that_is_not_there(training: Training) -> None:
    with pytest.raises(BenchmarkError, match="--device 'nonsense' cannot be used"):
        train(training, Machine('nonsense', 0))
