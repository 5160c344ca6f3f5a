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

"""T2Net's method: where each loss leads, its schedule, and both networks it trains."""

from typing import Any

from method_harness import changed, make_batch, make_config, make_method, reached, state, step
import pytest
import torch
from torch import nn

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.methods.base import Batch, to_network
from mde_ros.adaptation.methods.t2net import (
    DEPTH, ImageTranslation, T2Net, T2NetFocal, T2NetOurs, TASK_RATE, TRANSLATION_RATE)
from mde_ros.adaptation.predecessors.t2net_discriminators import CLAMP
from mde_ros.adaptation.predecessors.t2net_loss import scales_loss
from mde_ros.adaptation.predecessors.t2net_unet import T2NetUnet
from mde_ros.network.batch_norm import SOURCE
from mde_ros.network.depth_network import DepthNetwork

SIZE = {'sizes': ((1., 112, 96),)}
OURS = ('depth/silog', 'depth/absolute', 'depth/gradient')


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all of T2Net's networks a sixteenth as wide."""
    monkeypatch.setattr(ImageTranslation, 'channels', 4)


def batch_of(**settings: int) -> Batch:
    return make_batch(width=112, height=96, **settings)


def parts(method: ImageTranslation[Any]) -> dict[str, nn.Module]:
    return {'network': method.network, 'translator': method.translator,
            'image discriminator': method.image_discriminator,
            'feature discriminator': method.feature_discriminator}


@pytest.mark.parametrize('kind', [T2Net, T2NetOurs])
def test_gradients_reach_what_they_should(kind: type[ImageTranslation[Any]]) -> None:
    method = make_method(kind, **SIZE)
    assert isinstance(method, ImageTranslation)
    terms = method.losses(batch_of(), .5)
    depth = ['depth/scales'] if kind is T2Net else list(OURS)
    assert set(terms) == {*depth, 'translation/adversary', 'translation/identity', 'alignment',
                          'smoothness'}
    for term, modules in (('translation/adversary', {'translator'}),
                          ('translation/identity', {'translator'}),
                          ('alignment', {'translator', 'network'}),
                          (depth[0], {'translator', 'network'}), ('smoothness', {'network'})):
        assert reached(terms[term], parts(method)) == modules, term


@pytest.mark.parametrize('kind', [T2Net, T2NetOurs])
def test_discriminators_step_by_themselves_every_fifth_time(
        kind: type[ImageTranslation[Any]]) -> None:
    method, batch = make_method(kind, steps=20, **SIZE), batch_of()
    for number in range(7):
        before = state(method.discriminators)
        terms = method.losses(batch, number / 20)
        sum(terms.values()).backward()  # type: ignore[union-attr]
        assert not changed(method.discriminators, before)
        assert all(p.grad is None for p in method.discriminators.parameters()) or number > 0
        others = {name: state(method.modules[name]) for name in ('network', 'translator')}
        numbers = method.after_step(batch, number / 20)
        assert bool(changed(method.discriminators, before)) == (number % 5 == 0) == bool(numbers)
        assert not any(changed(method.modules[name], old) for name, old in others.items())
    assert all(p.abs().max() <= CLAMP for p in method.feature_discriminator.parameters())
    assert any(p.abs().max() > CLAMP for p in method.image_discriminator.parameters())
    assert len(method.pool.images) == 14


def test_learning_rates_are_its_own() -> None:
    method = make_method(T2Net, **SIZE)
    assert not any('rate' in group for o in method.optimisers.values() for group in o.param_groups)
    for progress, share in ((0., 1.), (.59, 1.), (.8, .5), (1., 0.)):
        method.set_rates(progress)
        for name, rate, betas in (('network', TASK_RATE, (.95, .999)),
                                  ('translator', TRANSLATION_RATE, (.5, .9)),
                                  ('discriminator', TRANSLATION_RATE, (.5, .9))):
            for group in method.optimisers[name].param_groups:
                assert group['lr'] == pytest.approx(share * rate) and group['betas'] == betas
    # Our network keeps our schedule.
    ours = make_method(T2NetOurs, **SIZE)
    before = [group['lr'] for group in ours.optimisers['network'].param_groups]
    ours.set_rates(1.)
    assert [group['lr'] for group in ours.optimisers['network'].param_groups] == before
    assert ours.optimisers['translator'].param_groups[0]['lr'] == 0
    assert not T2Net.clipped and T2NetOurs.clipped


@pytest.mark.parametrize(('kind', 'precision'), [
    (T2Net, 'bf16-mixed'), (T2NetOurs, '32-true')])
def test_losses_fall(kind: type[ImageTranslation[Any]], precision: str,
                     monkeypatch: pytest.MonkeyPatch) -> None:
    # Faster than published: 12 steps have to show it.
    monkeypatch.setattr('mde_ros.adaptation.methods.t2net.TASK_RATE', 3e-3)
    monkeypatch.setattr('mde_ros.adaptation.methods.t2net.TRANSLATION_RATE', 1e-3)
    method, batch = make_method(kind, precision=precision, **SIZE), batch_of()
    records = [step(method, batch, n / 40) for n in range(12)]
    first, last = records[0], records[-1]
    depth = OURS if kind is T2NetOurs else ('depth/scales',)
    assert sum(last[n] for n in depth) < .8 * sum(first[n] for n in depth)
    assert last['translation/identity'] < .95 * first['translation/identity']
    assert records[10]['discriminator/loss'] < first['discriminator/loss']
    assert all(torch.isfinite(torch.tensor(list(r.values()))).all() for r in records)


def test_published_depth_is_metric_and_canonical_depth_an_option() -> None:
    batch = batch_of()
    outputs = [torch.zeros(2, 1, 48, 56)]
    assert batch.focal is not None
    canonical = batch.log_depth.exp()
    metric = canonical * batch.focal.view(2, 1, 1, 1) / 260
    for kind, depth, focal in ((T2Net, metric, None), (T2NetFocal, canonical, 260.)):
        method = make_method(kind, **SIZE, max_depth=10.)
        assert method.network.config.canonical_focal == focal
        assert method.network.config.max_depth == 10
        wanted = DEPTH * scales_loss(outputs, depth / 5 - 1)
        torch.testing.assert_close(method.depth_terms(outputs, batch)['depth/scales'], wanted)
    blind = batch._replace(focal=None)
    assert make_method(T2NetFocal, **SIZE).losses(blind, 0)['depth/scales'].isfinite()
    with pytest.raises(TrainingError, match='t2net needs the focal length of each sample'):
        make_method(T2Net, **SIZE).losses(blind, 0)


def test_ours_is_our_network_and_loss() -> None:
    method, batch = make_method(T2NetOurs, **SIZE), batch_of()
    assert isinstance(method.network, DepthNetwork)
    features, (log_depth,) = method.predict(to_network(batch.image))
    assert features.shape[1:] == method.feature_shape() == (
        method.network.content_encoder.channels[3], 6, 7)
    assert log_depth.shape == batch.log_depth.shape
    wanted = depth_losses(log_depth, batch.log_depth)
    for name, value in method.depth_terms([log_depth], batch).items():
        torch.testing.assert_close(value, wanted[name])
    # Both kinds of images move the same statistics; the result has them on its target path.
    step(method, batch, 0)
    assert not {name for name in changed(method.network, state(make_method(
        T2NetOurs, **SIZE).network)) if 'target_' in name}
    result = method.result()
    image = to_network(batch.target)
    torch.testing.assert_close(result(image), result.forward_domain(image, SOURCE))


def test_weights_keep_their_ratio_to_depth() -> None:
    # 100 to 1 in T2Net's own; 1 to .01 around our depth loss.
    published, ours = (make_method(kind, **SIZE) for kind in (T2Net, T2NetOurs))
    ours.translator.load_state_dict(published.translator.state_dict())
    ours.image_discriminator.load_state_dict(published.image_discriminator.state_dict())
    first, second = (method.losses(batch_of(), 0) for method in (published, ours))
    for name in ('translation/adversary', 'translation/identity'):
        torch.testing.assert_close(second[name] * 100, first[name])


def test_the_result_is_for_inference_and_the_pictures_leave_no_trace() -> None:
    method, batch = make_method(T2Net, **SIZE), batch_of()
    for n in range(3):
        step(method, batch, n / 40)
    before = {name: state(module) for name, module in method.modules.items()
              if name != 'pool'}
    pictures = method.pictures(batch)
    assert set(pictures) == {'s', 't', 's translated', 't translated'}
    assert all(p.shape == (2, 3, 48, 56) and p.min() >= 0 and p.max() <= 1
               for p in pictures.values())
    assert not any(changed(method.modules[name], old) for name, old in before.items())
    result = method.result()
    assert isinstance(result, T2NetUnet) and not result.training
    out = result(to_network(batch.target))
    assert out.shape == (2, 1, 96, 112) and out.isfinite().all()
    # Averaged statistics are those of the images seen; the count of batches is kept whole.
    norm = next(m for m in result.modules() if isinstance(m, nn.BatchNorm2d))
    assert norm.num_batches_tracked == 6 and norm.running_mean.any()  # type: ignore[union-attr]


@pytest.mark.parametrize(('width', 'height'), [(120, 96), (96, 80), (64, 48)])
def test_sizes_that_cannot_work_are_named(width: int, height: int) -> None:
    config = make_config(sizes=((.5, 112, 96), (.5, width, height)))
    with pytest.raises(TrainingError, match=f'size {width}x{height}: method t2net needs sides'):
        T2Net.make_network(config)


def test_stages_of_other_sizes_train_too() -> None:
    method = make_method(T2Net, sizes=((.5, 96, 96), (.5, 112, 112)))
    assert method.feature_shape() == (32, 7, 7)
    step(method, make_batch(width=96, height=96), 0)
    step(method, make_batch(width=112, height=112), .5)
    assert {tuple(image.shape) for image in method.pool.images} == {(3, 112, 112)}
