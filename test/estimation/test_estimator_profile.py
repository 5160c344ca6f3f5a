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

"""The estimator with a camera profile: tensors before folding, one factor on the depth."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile import load_profile, ProfileError, save_profile, SiteScale
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

CONFIG = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)
CAMERA = Intrinsics(64, 48, 50., 50., 31.5, 23.5)


def network(bias: float = 0.) -> DepthNetwork:
    """Return a network whose decoder's output is ``bias`` everywhere."""
    torch.manual_seed(7)
    made = DepthNetwork(CONFIG)
    with torch.no_grad():
        made.decoder.head.weight.zero_()
        made.decoder.head.bias.fill_(bias)
    return made.eval()


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, WeightCard]:
    """Return a saved base network."""
    card = save_weights(tmp_path / 'base', network(), WeightCard('base', CONFIG, 64 * 48))
    return tmp_path / 'base.safetensors', card


def save(path: Path, card: WeightCard, bias: float, factor: float = 1.) -> Path:
    """Write a profile that makes the decoder's output ``bias``."""
    save_profile(path, network(), card, network(bias), name='hall',
                 scale=SiteScale(factor, None, 'tape', 1))
    return path.with_name(path.name + '.safetensors')


def depth(estimator: DepthEstimator) -> NDArray[np.float32]:
    """Return the depth of a grey image."""
    return estimator.estimate(np.full((48, 64, 3), 90, np.uint8), CAMERA).depth


def test_tensors_and_factor_reach_the_depth(tmp_path: Path,
                                            weights: tuple[Path, WeightCard]) -> None:
    path, card = weights
    profile = save(tmp_path / 'p', card, 100., .25)  # sigmoid(100) = 1: the largest depth
    plain, adapted = DepthEstimator(path), DepthEstimator(path, profile=profile)
    # log 0.1 to log 100 in the middle is sqrt(0.1 x 100); then 100 m x 0.25.
    np.testing.assert_allclose(depth(plain), 10 ** .5, rtol=1e-5)
    np.testing.assert_allclose(depth(adapted), 25., rtol=1e-5)
    assert depth(adapted).dtype == np.float32
    loaded = load_profile(profile)
    assert adapted.model_id == f'base-{card.sha256[:8]}+hall-{loaded[1].sha256[:8]}'
    assert (adapted.scale, adapted.profile) == (loaded[1].scale, loaded[1])
    assert plain.model_id == card.model_id
    assert (plain.scale, plain.profile, plain.notices) == (SiteScale(), None, [])
    assert np.array_equal(depth(DepthEstimator(path, profile=loaded)), depth(adapted))


def test_a_factor_alone_is_exact(tmp_path: Path, weights: tuple[Path, WeightCard]) -> None:
    profile = save(tmp_path / 'p', weights[1], 0., 2.)
    plain = DepthEstimator(weights[0])
    scaled = DepthEstimator(weights[0], profile=str(profile))
    assert np.array_equal(depth(scaled), 2 * depth(plain))


def test_an_exponent_acts_on_metres(tmp_path: Path,
                                    weights: tuple[Path, WeightCard]) -> None:
    save_profile(tmp_path / 'p', network(), weights[1], network(), name='hall',
                 scale=SiteScale(2., None, 'ranges', 9, .5))
    scaled = DepthEstimator(weights[0], profile=tmp_path / 'p.safetensors')
    np.testing.assert_allclose(depth(scaled), 2 * 10 ** .25, rtol=1e-5)


def test_a_store_gives_its_current_profile(tmp_path: Path,
                                           weights: tuple[Path, WeightCard]) -> None:
    path, card = weights
    store = ProfileStore(tmp_path / 'store')
    name = store.add(save(tmp_path / 'p', card, 0., 3.))
    assert DepthEstimator(path, profile=store.folder).profile is None
    store.activate(name)
    assert DepthEstimator(path, profile=store.folder).scale.factor == 3.
    store.roll_back()
    assert DepthEstimator(path, profile=store.folder).model_id == card.model_id


def test_a_damaged_store_is_noticed_and_goes_back(
        tmp_path: Path, weights: tuple[Path, WeightCard],
        caplog: pytest.LogCaptureFixture) -> None:
    path, card = weights
    store = ProfileStore(tmp_path / 'store')
    for factor in (3., 4.):
        store.activate(store.add(save(tmp_path / 'p', card, 0., factor)))
    (store.folder / 'profiles' / '0002.json').write_text('')
    made = DepthEstimator(path, profile=store.folder)
    assert made.scale.factor == 3.
    assert len(made.notices) == 1 and '0002.json' in made.notices[0]
    assert made.notices[0] in caplog.text
    other = save_weights(tmp_path / 'other', network(1.), WeightCard('other', CONFIG, 64 * 48))
    made = DepthEstimator(tmp_path / 'other', profile=store.folder)
    assert made.profile is None and made.model_id == other.model_id
    assert "made for the weights 'base'" in made.notices[-1]


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path,
                                             weights: tuple[Path, WeightCard]) -> None:
    path, card = weights
    profile = save(tmp_path / 'p', card, 1.)
    save_weights(tmp_path / 'other', network(1.), WeightCard('other', CONFIG, 64 * 48))
    with pytest.raises(ProfileError, match=f"{profile}: profile 'hall': made for the weights "
                       "'base' .* not for 'other'"):
        DepthEstimator(tmp_path / 'other', profile=profile)
    card_file = profile.with_suffix('.json')
    card_file.write_text(json.dumps({**json.loads(card_file.read_text()), 'name': 'x'}))
    with pytest.raises(ProfileError, match=f'{profile}: its card'):
        DepthEstimator(path, profile=profile)
    with pytest.raises(ProfileError, match='nowhere: no such profile'):
        DepthEstimator(path, profile=tmp_path / 'nowhere')
