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

"""Settings of an adaptation: what is refused, what the trainer gets."""

from pathlib import Path
from typing import Any

import pytest

from mde_ros.network.depth_network import SIZES
from mde_ros.onsite import adapt_settings
from mde_ros.onsite.adapt_settings import AdaptError, AdaptSettings, fast_precision


def settings(**changes: Any) -> AdaptSettings:
    """Return settings of a target that need not exist."""
    return AdaptSettings(**{'target': 'recording', 'out': Path('out'), **changes})


@pytest.mark.parametrize(('changes', 'words'), [
    ({'priority': 'fast'}, "--priority 'fast': use one of normal, low, idle"),
    ({'precision': '16'}, "--precision '16': use one of auto, 32-true, bf16-mixed"),
    ({'threads': 0}, '--threads 0: must be at least 1'),
    ({'check_frames': 3}, '--check-frames 3: must be at least 4'),
    ({'replay_frames': 7}, '--replay-frames 7: must be at least 8'),
    ({'source_rise': -.1}, '--source-rise -0.1: must lie between 0 and 1'),
    ({'weather': 1.5}, '--weather 1.5: must lie between 0 and 1'),
    ({'tape': 0.}, '--tape 0.0: give metres between 0.05 and 100'),
    ({'camera_height': 1200.}, '--camera-height 1200.0: give metres between'),
    ({'tape': 1., 'camera_height': 1.}, '--tape and --camera-height: give one scale anchor'),
    ({'camera_pitch': 95.}, '--camera-pitch 95.0: give degrees between -90 and 90'),
    ({'camera_pitch': 5., 'camera_roll': 200.}, '--camera-roll 200.0: give degrees'),
    ({'camera_roll': 5.}, '--camera-roll: give --camera-pitch too'),
    ({'mount': 'hand'}, "--mount 'hand': use one of auto, free"),
    ({'trainable': 'head'}, "--trainable 'head': use one of all, site"),
    ({'method': 'none'}, "no method 'none'; there are: "),
    ({'method': 'source_only'}, '--method source_only: it sees no target; use one of adabn'),
    ({'steps': 0}, 'steps = 0: must be at least 1'),
    ({'sizes': ((.5, 64, 48),)}, 'the shares must add up to 1'),
])
def test_mistakes_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AdaptError) as caught:
        settings(**changes)
    assert words in str(caught.value)


def test_what_the_trainer_gets() -> None:
    config = settings(steps=100, batch=4, sizes=((1., 64, 48),), learning_rate=1e-3, seed=7,
                      weather=.25, precision='32-true', checkpoint_every=9
                      ).train_config(SIZES['small'], (320, 240))
    assert (config.steps, config.batch, config.sizes) == (100, 4, ((1., 64, 48),))
    assert (config.learning_rate, config.seed, config.precision) == (1e-3, 7, '32-true')
    assert config.weather == .25 and settings().weather == 0
    assert config.checkpoint_every == 9 and config.network == SIZES['small']
    assert (config.warm_up, config.trainable) == (10, 'all')
    assert (config.site.consistency, config.site.start) == (2., 0.)
    assert settings(trainable='site').train_config(SIZES['small'], (320, 240)).trainable == 'site'
    unsized = settings(steps=1000).train_config(SIZES['small'], (368, 208))
    # Four fifths of 368x208 are 294x166, in multiples of 16.
    assert (unsized.warm_up, unsized.sizes) == (30, ((.6, 288, 160), (.4, 368, 208)))


def test_the_default_method_needs_a_target_and_no_labels() -> None:
    assert settings().method == 'site'


@pytest.mark.parametrize(('flags', 'precision'), [
    ('flags : avx2 avx512f', '32-true'), ('flags : avx512f avx512_bf16', 'bf16-mixed')])
def test_precision_by_the_processor(flags: str, precision: str,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt_settings.torch.backends.mkldnn, 'is_available', lambda: True)
    monkeypatch.setattr(Path, 'read_text', lambda _: flags)
    assert fast_precision() == precision
    config = settings(precision='auto').train_config(SIZES['small'], (320, 240))
    assert config.precision == precision


def test_precision_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, 'read_text', missing)
    assert fast_precision() == '32-true'
