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

"""What can be chosen in the method lfda, and what each choice does."""

from typing import Any

from method_harness import make_batch, make_method, reached, state, step
import pytest
import torch
from torch import nn

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.lfda_config import LfdaConfig
from mde_ros.adaptation.methods.lfda import adversarial_ramp, Lfda
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.batch_norm import SeparateBatchNorm2d, SOURCE, TARGET

TRANSLATED = ('translated/silog', 'translated/absolute', 'translated/gradient')


def make_lfda(**parts: Any) -> Lfda:
    """Return the method with some parts chosen."""
    method = make_method(Lfda, lfda=LfdaConfig(**parts))
    assert isinstance(method, Lfda)
    return method


@pytest.mark.parametrize(('values', 'message'), [
    ({'statistics': 'frozen'}, "lfda.statistics 'frozen': use one of separate, shared"),
    ({'alignment': -1.}, 'lfda.alignment = -1.0: must not be negative'),
    ({'translated': -.5}, 'lfda.translated = -0.5')])
def test_wrong_values_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        LfdaConfig(**values)


def test_settings_of_older_runs_do_not_change() -> None:
    assert 'lfda' not in TrainConfig().to_dict()
    config = TrainConfig(lfda=LfdaConfig(translated=1.))
    assert config.to_dict()['lfda'] == {
        'statistics': 'separate', 'alignment': .05, 'translated': 1.}
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_the_alignment_has_its_weight() -> None:
    batch = make_batch()
    terms = [make_lfda(alignment=weight).losses(batch, .5)['alignment'] for weight in (.05, .5)]
    torch.testing.assert_close(terms[1], 10 * terms[0])
    assert terms[0] > 0


def test_translated_images_train_the_path_of_the_target() -> None:
    method, batch = make_lfda(translated=2.), make_batch()
    for n in range(6):
        record = step(method, batch, n / 6)
    assert set(TRANSLATED) <= set(record)
    assert not set(TRANSLATED) & set(make_lfda().losses(batch, .5))
    network, before = method.network, state(method.network)
    terms = method.losses(batch, .5)
    parts: dict[str, nn.Module] = {
        'content': network.content_encoder, 'decoder': network.decoder,
        'source style': network.style_encoders[SOURCE],
        'target style': network.style_encoders[TARGET], 'generator': method.generator}
    # The generator and the source's style learn from the decomposition alone.
    assert reached(terms['translated/absolute'], parts) == {'content', 'decoder', 'target style'}
    # Translations are no images of the target: its statistics are moved by these alone, as much
    # as without the translations.
    plain = make_lfda()
    plain.network.load_state_dict(before)
    plain.losses(batch, .5)
    for name, value in network.state_dict().items():
        if name.endswith(('_mean', '_var')):
            torch.testing.assert_close(value, plain.network.state_dict()[name])


def test_the_weight_of_translated_images_rises() -> None:
    method, batch = make_lfda(translated=2.), make_batch()
    start, middle = (method.losses(batch, progress) for progress in (0., .5))
    assert all(start[name] == 0 for name in TRANSLATED)
    # The generator does not change colours yet: nearly the images themselves, on their own
    # statistics, which are those of the source's path.
    for name in ('silog', 'absolute', 'gradient'):
        wanted = 2 * adversarial_ramp(.5) * float(middle[f'depth/{name}'].detach())
        assert float(middle[f'translated/{name}'].detach()) == pytest.approx(wanted, rel=.3)


def test_shared_statistics_are_those_of_both() -> None:
    method, batch = make_lfda(statistics='shared'), make_batch()
    layers = [layer for layer in method.network.modules()
              if isinstance(layer, SeparateBatchNorm2d)]
    before = [layer.target_mean.clone() for layer in layers]
    step(method, batch, .5)
    assert all(torch.equal(layer.target_mean, old) for layer, old in zip(layers, before))
    other = make_lfda(statistics='shared')
    step(other, batch._replace(target=batch.target // 2), .5)
    moved = [layer for layer in other.network.modules() if isinstance(layer, SeparateBatchNorm2d)]
    # The target's images decide them too, down to the decoder's last layer.
    assert not any(torch.equal(a.source_mean, b.source_mean) for a, b in zip(layers, moved))
    result = method.result()
    for layer in result.modules():
        if isinstance(layer, SeparateBatchNorm2d):
            assert torch.equal(layer.source_mean, layer.target_mean)
            assert torch.equal(layer.source_var, layer.target_var)


def test_shared_statistics_and_translated_images_go_together() -> None:
    method, batch = make_lfda(statistics='shared', translated=1.), make_batch()
    records = [step(method, batch, n / 20) for n in range(20)]
    assert records[-1]['depth/absolute'] < .7 * records[0]['depth/absolute']
    assert set(TRANSLATED) <= set(records[0])


def test_pictures_pass_on_the_statistics_that_were_trained() -> None:
    method, batch = make_lfda(statistics='shared'), make_batch()
    step(method, batch, .5)
    pictures = method.pictures(batch)
    for layer in method.network.modules():
        if isinstance(layer, SeparateBatchNorm2d):
            layer.target_mean += 1      # nobody's
    for name, picture in method.pictures(batch).items():
        assert torch.equal(picture, pictures[name]), name
