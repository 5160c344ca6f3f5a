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

"""Settings: validated, stored and read back."""

import json

import pytest

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.depth_network import NetworkConfig, NetworkError


def test_json_round_trip() -> None:
    config = TrainConfig(steps=7, batch=3, sizes=((.5, 64, 48), (.5, 96, 64)), seed=11,
                         network=NetworkConfig(encoder_width=.25))
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert TrainConfig.from_dict({}) == TrainConfig()
    # Not in the settings of runs that were begun before there was weather.
    assert 'weather' not in TrainConfig().to_dict()
    foggy = TrainConfig(weather=.25)
    assert TrainConfig.from_dict(foggy.to_dict()) == foggy


def test_stages_share_the_steps() -> None:
    config = TrainConfig(steps=10, sizes=((.6, 64, 48), (.3, 96, 64), (.1, 128, 96)))
    assert [config.size_at(step)[0] for step in range(10)] == [64] * 6 + [96] * 3 + [128]
    # Beyond the end: the last stage.
    assert config.size_at(99) == (128, 96)


def test_stages_with_shares_that_have_no_exact_float() -> None:
    config = TrainConfig(steps=30, sizes=tuple((1 / 3, w, 32) for w in (32, 64, 96)))
    widths = [config.size_at(step)[0] for step in range(30)]
    assert widths == [32] * 10 + [64] * 10 + [96] * 10


@pytest.mark.parametrize(('field', 'value', 'words'), [
    ('steps', 0, 'steps = 0: must be at least 1'), ('batch', 0, 'batch = 0'),
    ('checkpoint_every', 0, 'checkpoint_every'), ('validate_every', -1, 'validate_every'),
    ('learning_rate', 0., 'learning_rate = 0.0: must be positive'),
    ('learning_rate', float('nan'), 'learning_rate = nan'), ('encoder_rate', -1., 'encoder_rate'),
    ('clip', 0., 'clip'), ('min_depth', 0., 'min_depth'),
    ('warm_up', -1, 'warm_up = -1: must not be negative'), ('weight_decay', -.1, 'weight_decay'),
    ('seed', -1, 'seed'), ('average', 1., 'average = 1.0'), ('average', -.1, 'average'),
    ('zoom', 0., 'zoom = 0.0'), ('zoom', 1.1, 'zoom'), ('appearance', 1.5, 'appearance = 1.5'),
    ('weather', -.1, 'weather = -0.1: must lie between 0 and 1'),
    ('max_depth', .05, 'max_depth = 0.05: must be above min_depth'),
    ('precision', '16-mixed', "precision '16-mixed': use bf16-mixed or 32-true"),
    ('sizes', (), 'shares must add up to 1'), ('sizes', ((.9, 64, 48),), 'shares must add up'),
    ('sizes', ((1.5, 64, 48), (-.5, 64, 48)), 'every share must be positive'),
    ('sizes', ((1., 65, 48),), 'size 65x48: sides must be even'),
    ('sizes', ((1., 64, 30),), 'size 64x30')])
def test_wrong_settings_are_named(field: str, value: object, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        TrainConfig(**{field: value})  # type: ignore[arg-type]


def test_unknown_settings_are_named() -> None:
    with pytest.raises(TrainingError, match='unknown settings colour, tempo'):
        TrainConfig.from_dict({'tempo': 1, 'colour': 2, 'steps': 3})
    with pytest.raises(NetworkError, match='attention'):
        TrainConfig.from_dict({'network': {'attention': 1}})
