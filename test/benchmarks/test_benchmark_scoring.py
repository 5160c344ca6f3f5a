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

"""Scoring by hand-made networks, examples, and cost."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mde_ros.adaptation.predecessors.t2net_unet import T2NetConfig, T2NetUnet
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.benchmarks.data import Part, ReadyData
from mde_ros.benchmarks.scoring import cost, Examples, score
from mde_ros.benchmarks.settings import Settings
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.network.depth_network import DepthNetwork

TWO_METRES = np.log(2.)


class Constant(nn.Module):
    """Two metres everywhere, whatever the lens."""

    def __init__(self) -> None:
        super().__init__()
        self.config = T2NetConfig()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.full_like(image[:, :1], TWO_METRES) + self.bias


@pytest.fixture
def config(settings: Settings) -> TrainConfig:
    return settings.train_config(0, {})


def test_a_constant_by_hand(ready: ReadyData, config: TrainConfig, tmp_path: Path) -> None:
    part = ready.targets[0].score
    found = score(Constant(), config, 'constant', part, tmp_path / 'examples.npz')
    # Frame n has 1 + 0.05 row + 0.05 n metres in row 0 to 47.
    errors = []
    for n in range(8, 12):
        truth = (1000 + 50 * np.arange(48) + 50 * n) / 1000
        errors.append(np.abs(2 - truth) / truth)
    assert found['raw']['abs_rel'] == pytest.approx(np.mean(errors), rel=1e-5)
    assert found['frames'] == {'read': 4, 'scored': 4, 'skipped': {}}
    assert found['range'] == [.3, 10.]
    with np.load(tmp_path / 'examples.npz') as kept:
        assert kept['images'].shape == (4, 48, 64, 3) and kept['images'].dtype == np.uint8
        np.testing.assert_allclose(kept['truths'][0, :, 0],
                                   1.4 + .05 * np.arange(48), rtol=1e-3)
        np.testing.assert_allclose(kept['depths'], 2., rtol=1e-3)
    assert [path.name for path in tmp_path.glob('*.npz')] == ['examples.npz']


def test_examples_are_spread_over_the_frames() -> None:
    observer = Examples([f'{n}' for n in range(100)], 4)
    assert observer.wanted == {'12', '37', '62', '87'}
    assert Examples(['a', 'b'], 4).wanted == {'a', 'b'}


def test_examples_of_other_sizes_are_kept_in_that_of_the_first(tmp_path: Path) -> None:
    observer = Examples(['a', 'b'], 2)
    for name, width in (('a', 6), ('b', 12)):
        depth = np.full((4, width), np.nan, np.float32)
        depth[:, width // 2:] = 40
        observer(name, np.full((4, width, 3), width, np.uint8), depth, depth)
    observer.save(tmp_path / 'examples.npz')
    with np.load(tmp_path / 'examples.npz') as kept:
        assert kept['images'].shape == (2, 4, 6, 3) and (kept['images'][1] == 12).all()
        for key in ('truths', 'depths'):
            assert kept[key].dtype == np.float16
            np.testing.assert_array_equal(kept[key][1], kept[key][0])


def test_the_unet_is_scored_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = T2NetUnet(T2NetConfig(channels=2)).eval()
    camera = Intrinsics(112, 96, 80., 80., 55.5, 47.5)
    noise = np.random.default_rng(0).integers(0, 256, (96, 112, 3), np.uint8)
    with RgbdFolderWriter(tmp_path / 'large', camera, camera='test', licence='Apache-2.0',
                          source='made here', image_format='png') as writer:
        writer.write(Frame('a', 1, noise, camera, np.full((96, 112), 2, np.float32)))
    config = TrainConfig(sizes=((1., 112, 96),))
    found = score(network, config, 't2net', Part(tmp_path / 'large'), tmp_path / 'examples.npz')
    image = torch.from_numpy(noise)[None].permute(0, 3, 1, 2)
    with torch.no_grad():
        depth = network(image.float() / 127.5 - 1).exp()[0, 0].numpy()
    with np.load(tmp_path / 'examples.npz') as kept:
        # Metres as they come: no focal length enters.
        np.testing.assert_allclose(kept['depths'][0], depth, rtol=2e-3)
    assert found['raw']['abs_rel'] > 0


def test_cost_of_what_runs(ready: ReadyData, config: TrainConfig) -> None:
    network = DepthNetwork(config.network)
    found = cost(network, config, ready.targets[0].score)
    assert found['input'] == '64x48'
    # Convolutions cost what their pixels are, up to the rounding of odd sides.
    assert found['gmacs']['640x192'] / found['gmacs']['64x48'] == pytest.approx(40, rel=.1)
    # Style encoders and batch norm do not run.
    assert found['parameters'] < sum(p.numel() for p in network.parameters())
    assert next(network.parameters()).device.type == 'cpu'
