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

"""A training of a second, for the tests of training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
import pytest
import torch

from mde_ros.adaptation.methods.base import SourceOnly
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.trainer import Trainer
from mde_ros.adaptation.training_data import TrainingData
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8), canonical_focal=50.)
SETTINGS: dict[str, Any] = {
    'steps': 8, 'batch': 2, 'sizes': ((.5, 32, 32), (.5, 64, 48)), 'warm_up': 2,
    'precision': '32-true', 'checkpoint_every': 3, 'validate_every': 4, 'network': TINY}


@pytest.fixture
def make_trainer(rgbd_folder: Path, tmp_path: Path) -> Callable[..., Trainer]:
    """Return a function that starts or resumes a run of the tiny folder by its name."""
    def make(out: str, workers: int = 0, identity: dict[str, Any] | None = None,
             **settings: Any) -> Trainer:
        torch.set_num_threads(1)
        config = TrainConfig(**{**SETTINGS, **settings})
        fabric = Fabric(accelerator='cpu', devices=1,
                        precision=config.precision)  # type: ignore[arg-type]
        torch.manual_seed(config.seed)
        return Trainer(
            SourceOnly(DepthNetwork(config.network), config),
            TrainingData([RgbdFolder(rgbd_folder)], config), tmp_path / out, fabric,
            identity or {'sources': [['tiny', 6]]}, workers)
    return make
