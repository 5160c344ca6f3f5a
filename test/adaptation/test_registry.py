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

"""Every method by its name trains two steps in the loop and resumes."""

from pathlib import Path

from lightning_fabric import Fabric
import pytest
import torch

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.history import read_history
from mde_ros.adaptation.methods.registry import method_named, METHODS
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.trainer import Trainer
from mde_ros.adaptation.training_data import TrainingData
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

CONFIG = TrainConfig(
    steps=4, batch=2, sizes=((1., 64, 48),), warm_up=1, precision='32-true', checkpoint_every=2,
    network=NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8)))


def make(name: str, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    monkeypatch.setattr('mde_ros.adaptation.training_data.SMALLEST_TARGET', 2)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    method = METHODS[name]
    targets = [RgbdFolder(folder, read_depth=False)] if method.needs_target else []
    return Trainer(
        method(DepthNetwork(CONFIG.network), CONFIG),
        TrainingData([RgbdFolder(folder)], CONFIG, targets=targets), out,
        Fabric(accelerator='cpu', devices=1), {}, 0)


@pytest.mark.parametrize('name', list(METHODS))
def test_killed_after_two_steps_goes_on_as_if_nothing_had_happened(
        name: str, rgbd_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make(name, rgbd_folder, tmp_path / 'whole', monkeypatch).run()

    def stop(step: int, losses: dict[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(name, rgbd_folder, tmp_path / 'parts', monkeypatch).run(progress=stop)
    trainer = make(name, rgbd_folder, tmp_path / 'parts', monkeypatch)
    assert trainer.step == 2
    parts = trainer.run()
    histories = [read_history(tmp_path / out / 'history.jsonl') for out in ('whole', 'parts')]
    assert histories[0] == histories[1] and len(histories[0]) == 4
    for key, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[key]), key


def test_an_unknown_method_is_told_the_names() -> None:
    with pytest.raises(TrainingError, match="no method 'magic'; there are: source_only, adabn"):
        method_named('magic')
