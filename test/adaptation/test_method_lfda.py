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

"""LFDA: where each loss leads, what it leaves alone, and that every term falls."""

from method_harness import (
    changed, make_batch, make_config, make_method, reached, state, step, TINY)
import pytest
import torch
from torch import nn

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.lfda_config import LfdaConfig
from mde_ros.adaptation.methods.base import Batch, to_network
from mde_ros.adaptation.methods.lfda import adversarial_ramp, Lfda, STYLE_MOMENTUM
from mde_ros.network.batch_norm import SeparateBatchNorm2d, SOURCE, TARGET, use_domain
from mde_ros.network.depth_network import NetworkConfig

DEPTH = ('depth/silog', 'depth/absolute', 'depth/gradient')
DECOMPOSITION = tuple(f'decomposition/{name}' for name in (
    'reconstruction', 'perception', 'swap_content', 'swap_style'))


def parts(method: Lfda) -> dict[str, nn.Module]:
    """Return every part that could have gradients, by its name in the article."""
    network = method.network
    return {'content': network.content_encoder, 'decoder': network.decoder,
            'source style': network.style_encoders[SOURCE],
            'target style': network.style_encoders[TARGET],
            'generator': method.generator, 'discriminator': method.discriminator,
            'recognition': method.recognition}


@pytest.fixture(scope='module')
def trained() -> tuple[Lfda, list[dict[str, float]]]:
    """Return a method after 30 steps on four images, and what each step said."""
    method = make_method(Lfda)
    assert isinstance(method, Lfda)
    batch = make_batch()
    return method, [step(method, batch, n / 30) for n in range(30)]


def test_every_loss_falls(trained: tuple[Lfda, list[dict[str, float]]]) -> None:
    _, records = trained
    assert set(records[0]) == {*DEPTH, *DECOMPOSITION, 'alignment', 'discriminator/loss',
                               'discriminator/accuracy'}
    first, last = records[0], records[-1]
    for name in DEPTH:
        assert last[name] < .4 * first[name], name
    for name, share in zip(DECOMPOSITION, (.6, .8, .95, .3)):
        assert last[name] < share * first[name], name
    assert last['discriminator/loss'] < first['discriminator/loss'] - .05
    assert last['discriminator/accuracy'] > .85


def test_alignment_rises_from_nothing(trained: tuple[Lfda, list[dict[str, float]]]) -> None:
    assert adversarial_ramp(0) == 0
    assert adversarial_ramp(.1) == pytest.approx(.46212, abs=1e-5)   # tanh(5 p)
    assert adversarial_ramp(1) == pytest.approx(1, abs=1e-4)
    _, records = trained
    assert records[0]['alignment'] == 0
    # Undecided is log 2; the discriminator is ahead of that by now.
    most = LfdaConfig().alignment * adversarial_ramp(29 / 30)
    assert records[-1]['alignment'] > .999 * .693 * most


@pytest.mark.parametrize(('term', 'modules'), [
    ('depth/absolute', {'content', 'decoder', 'target style'}),
    ('depth/silog', {'content', 'decoder', 'target style'}),
    ('decomposition/reconstruction', {'content', 'source style', 'target style', 'generator'}),
    ('decomposition/perception', {'content', 'source style', 'target style', 'generator'}),
    ('decomposition/swap_content', {'content', 'source style', 'target style', 'generator'}),
    ('decomposition/swap_style', {'content', 'source style', 'target style', 'generator'}),
    ('alignment', {'content'})])
def test_gradients_reach_what_they_should(
        trained: tuple[Lfda, list[dict[str, float]]], term: str, modules: set[str]) -> None:
    method, _ = trained
    terms = method.losses(make_batch(seed=1), .5)
    assert reached(terms[term], parts(method)) == modules


def test_depth_teaches_the_target_style_once_the_decoder_listens() -> None:
    method = make_method(Lfda)
    assert isinstance(method, Lfda)
    terms = method.losses(make_batch(), 0)
    # The projections start at zero: style cannot matter yet, but they learn.
    assert reached(terms['depth/absolute'], parts(method)) == {'content', 'decoder'}
    grads = [block.style.weight.grad for block in method.network.decoder.modules()
             if getattr(block, 'style', None) is not None]
    assert len(grads) == 5 and all(g is not None and g.any() for g in grads)


def test_the_source_style_never_reaches_depth() -> None:
    method, batch = make_method(Lfda), make_batch()
    step(method, batch, 0)
    with torch.no_grad():
        before = method.losses(batch, 0)['depth/absolute']
        for parameter in method.network.style_encoders[SOURCE].parameters():
            parameter += 1
        torch.testing.assert_close(method.losses(batch, 0)['depth/absolute'], before)
        for parameter in method.network.style_encoders[TARGET].parameters():
            parameter += 1
        assert (method.losses(batch, 0)['depth/absolute'] - before).abs() > 1e-5


def test_depth_is_source_content_in_target_style() -> None:
    method, batch = make_method(Lfda), make_batch()
    step(method, batch, 0)
    network = method.network
    terms = method.losses(batch, 0)
    with torch.no_grad(), use_domain(network, SOURCE):
        wanted = depth_losses(network.decode(
            network.content_encoder(to_network(batch.image)),
            network.encode_style(to_network(batch.target), TARGET)), batch.log_depth)
    for name in DEPTH:
        torch.testing.assert_close(terms[name], wanted[name])


def test_alignment_does_not_touch_the_discriminator() -> None:
    method, batch = make_method(Lfda), make_batch()
    before = state(method.discriminator)
    terms = method.losses(batch, 1)
    sum(terms.values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is None for p in method.discriminator.parameters())
    # Nor do the power iterations of its spectral norm move.
    assert not changed(method.discriminator, before)
    assert method.discriminator.training
    encoder = [p.grad.clone() for p in method.network.content_encoder.parameters()
               if p.grad is not None]
    others = {name: state(module) for name, module in method.modules.items()
              if name != 'discriminator'}
    method.after_step(batch, 1)
    assert changed(method.discriminator, before)
    # Its own step reaches nothing else.
    assert not any(changed(method.modules[name], old) for name, old in others.items())
    assert all(torch.equal(p.grad, old) for p, old in zip(
        [p for p in method.network.content_encoder.parameters() if p.grad is not None], encoder)
        if p.grad is not None)


def test_each_domain_moves_its_own_statistics_once() -> None:
    method, batch = make_method(Lfda), make_batch()
    network = method.network
    layers = {name: layer for name, layer in network.named_modules()
              if isinstance(layer, SeparateBatchNorm2d)}
    counts = dict.fromkeys(((name, d) for name in layers for d in (SOURCE, TARGET)), 0)
    for name, layer in layers.items():
        def count(module: nn.Module, inputs: object, name: str = name) -> None:
            assert isinstance(module, SeparateBatchNorm2d)
            counts[name, module.domain] += module.training
        layer.register_forward_pre_hook(count)
    method.losses(batch, .5)
    assert set(counts.values()) == {1}
    # What a domain sees decides its statistics alone.
    other = make_method(Lfda)
    other.losses(batch._replace(target=batch.target // 2), .5)
    now, then = network.state_dict(), other.network.state_dict()
    source = [name for name in now if 'source_' in name]
    encoder = [name for name in now if name.startswith('content_encoder') and 'target_' in name]
    assert source and all(torch.equal(now[name], then[name]) for name in source)
    assert encoder and not any(torch.equal(now[name], then[name]) for name in encoder)


def test_pictures_show_four_recombinations_and_leave_no_trace() -> None:
    method, batch = make_method(Lfda), make_batch()
    step(method, batch, 0)
    before = {name: state(module) for name, module in method.modules.items()}
    pictures = method.pictures(batch)
    assert set(pictures) == {'s', 't', 's in the style of s', 's in the style of t',
                             't in the style of s', 't in the style of t'}
    for picture in pictures.values():
        assert picture.shape == (2, 3, 24, 32)
        assert picture.min() >= 0 and picture.max() <= 1
    assert (pictures['s'] * 255 - batch.image.view(2, 3, 24, 2, 32, 2).float().mean((3, 5))
            ).abs().max() < .01
    assert not any(changed(method.modules[name], old) for name, old in before.items())
    assert method.network.training


def test_the_style_code_is_the_mean_of_the_target() -> None:
    method, batch = make_method(Lfda), make_batch()
    network = method.network
    with torch.no_grad():
        codes = network.encode_style(to_network(batch.target), TARGET)
    method.losses(batch, 0)
    # The first batch sets it: it does not crawl up from zero.
    torch.testing.assert_close(network.style_code, codes.mean(0))
    other = batch._replace(target=255 - batch.target)
    with torch.no_grad():
        wanted = codes.mean(0).lerp(
            network.encode_style(to_network(other.target), TARGET).mean(0), STYLE_MOMENTUM)
    method.losses(other, 0)
    torch.testing.assert_close(network.style_code, wanted)
    assert not network.style_code.requires_grad


def test_the_result_uses_the_target_path(trained: tuple[Lfda, list[dict[str, float]]]) -> None:
    method, _ = trained
    result = method.result()
    image = to_network(make_batch().target)
    average = method.average.module.eval()
    with torch.no_grad(), use_domain(average, TARGET):
        wanted = average.decode(average.content_encoder(image), average.style_code.expand(2, -1))
    torch.testing.assert_close(result(image), wanted)
    assert (result.forward_domain(image, SOURCE) - wanted).abs().max() > 1e-3
    assert result.style_code.any()


def test_separate_affine_gives_the_decoder_the_source_s() -> None:
    config = NetworkConfig(encoder_width=.125, decoder_channels=TINY.decoder_channels,
                           affine='separate')
    method, batch = make_method(Lfda, network=config), make_batch()
    before = state(method.network)
    for n in range(2):
        step(method, batch, n / 2)
    method.losses(batch, 1)
    norms = {name: layer for name, layer in method.network.named_modules()
             if isinstance(layer, SeparateBatchNorm2d)}
    for name, layer in norms.items():
        own, source = layer.scale_and_shift(TARGET), layer.scale_and_shift(SOURCE)
        assert not torch.equal(source[1], before[name + '.source_bias'])
        # No loss trains the decoder on the target; the encoder has its own.
        assert torch.equal(own[1], source[1]) == name.startswith('decoder')


def test_mixed_precision_keeps_losses_in_float32() -> None:
    full, mixed = (make_method(Lfda, precision=p) for p in ('32-true', 'bf16-mixed'))
    batch = make_batch()
    for n in range(3):
        wanted, found = step(full, batch, n / 3), step(mixed, batch, n / 3)
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, rel=.15, abs=.03), name
    with torch.autocast('cpu', torch.bfloat16):
        assert {t.dtype for t in mixed.losses(batch, .5).values()} == {torch.float32}


def test_no_target_label_can_be_read() -> None:
    # A batch has no place for one (an anchor is made from the picture itself), and nothing
    # changes when source labels are all there is.
    assert Batch._fields == ('image', 'log_depth', 'target', 'focal', 'anchor')
    method, batch = make_method(Lfda), make_batch()
    unlabelled = batch._replace(log_depth=torch.full_like(batch.log_depth, torch.nan))
    terms = method.losses(unlabelled, .5)
    assert all(t.isfinite() for t in terms.values())
    assert terms['depth/absolute'] == 0


@pytest.mark.parametrize(('settings', 'words'), [
    ({'network': NetworkConfig(encoder_width=.125, style_channels=0)}, 'style_channels = 0'),
    ({'sizes': ((.5, 32, 32), (.5, 64, 48))}, 'size 32: method lfda needs a side above 32'),
    ({'recognition': 'nowhere/vgg16.pth'}, 'nowhere/vgg16.pth: no such file')])
def test_settings_that_cannot_work_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        Lfda(Lfda.make_network(make_config(**settings)), make_config(**settings))
