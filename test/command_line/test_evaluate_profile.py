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

"""``mde evaluate --profile`` with a real network."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mde_ros.command_line.main import main
from mde_ros.estimation.profile import save_profile, SiteScale
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)


def test_the_scale_of_a_profile_scales_the_depth(
        rgbd_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    network = DepthNetwork(TINY)
    card = save_weights(tmp_path / 'tiny', network, WeightCard('tiny', TINY, 64 * 48))
    profile = save_profile(tmp_path / 'p', network, card, network, name='hall',
                           scale=SiteScale(.5, None, 'tape', 1))
    store = ProfileStore(tmp_path / 'store')
    store.activate(store.add(tmp_path / 'p'))

    def result(*words: object) -> dict[str, Any]:
        file = tmp_path / 'result.json'
        assert main(['evaluate', str(rgbd_folder), '--quiet', '--weights',
                     str(tmp_path / 'tiny'), '--json', str(file), *map(str, words)]) == 0
        found: dict[str, Any] = json.loads(file.read_text())
        return found
    plain = result()
    for path in (tmp_path / 'p.safetensors', store.folder):
        scaled = result('--profile', path)
        assert scaled['model']['id'] == f'{card.model_id}+{profile.profile_id}'
        assert scaled['model']['profile'] == {
            'name': 'hall', 'sha256': profile.sha256,
            'scale': {'factor': .5, 'log_std': None, 'source': 'tape', 'count': 1,
                      'exponent': 1.}}
        # Half the depth needs twice the factor.
        assert scaled['scale']['site_factor'] == pytest.approx(
            2 * plain['scale']['site_factor'], rel=1e-4)  # it is kept in bins
    assert 'profile' not in plain['model']
    assert main(['evaluate', str(rgbd_folder), '--profile', str(tmp_path / 'no')]) == 2
    assert f'{tmp_path}/no: no such profile' in capsys.readouterr().err
