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

"""What all methods share: groups, averages, statistics that stay, placing and results."""

import copy

from lightning_fabric import Fabric
from method_harness import (
    changed, make_batch, make_config, make_method, reached, SETTINGS, state, step, TINY)
import pytest
import torch
from torch import nn

from mde_ros.adaptation.methods.base import (
    average_gradients, Batch, copy_affine, evaluated, Method, parameter_groups, ramped_average,
    SourceOnly, still_statistics, to_network)
from mde_ros.network.batch_norm import SeparateBatchNorm2d, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig


def test_groups_hold_every_parameter_once_and_spare_norms_from_decay() -> None:
    network, config = DepthNetwork(TINY), make_config(encoder_rate=.25, weight_decay=.1)
    groups = parameter_groups(network, config)
    held = [id(p) for group in groups for p in group['params']]
    assert sorted(held) == sorted(id(p) for p in network.parameters())
    encoder = {id(p) for p in network.content_encoder.parameters()}
    for group in groups:
        for p in group['params']:
            assert group['rate'] == (.25 if id(p) in encoder else 1)
            assert group['lr'] == config.learning_rate * group['rate']
            assert group['weight_decay'] == (.1 if p.ndim > 1 else 0)


def test_the_average_by_hand() -> None:
    average, count = torch.tensor([10.]), torch.tensor([3])
    update = ramped_average(.5)
    # Step 0 keeps (1 + 0) / (10 + 0) = .1 of the old value.
    update([average, count], [torch.tensor([20.]), torch.tensor([7])], 0)
    assert average.item() == pytest.approx(19) and count.item() == 7
    # Late steps keep the decay.
    update([average], [torch.tensor([20.])], 1000)
    assert average.item() == pytest.approx(19.5)


def test_images_are_normalised() -> None:
    image = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 3, 4, 2)
    out = to_network(image)
    assert out.is_contiguous(memory_format=torch.channels_last)
    assert out[0, 0, 0].tolist() == [-1, 1]


def test_evaluated_gives_the_mode_back() -> None:
    one, two = nn.Dropout().train(), nn.Dropout().eval()
    with pytest.raises(KeyError), evaluated(one, two):
        assert not one.training and not two.training
        raise KeyError
    assert one.training and not two.training


def test_still_statistics_normalise_by_the_batch_and_do_not_move() -> None:
    layer = SeparateBatchNorm2d(2).train()
    features = torch.randn(4, 2, 3, 3) * 5 + 7
    wanted = layer(features)
    before = state(layer)
    with still_statistics(layer):
        torch.testing.assert_close(layer(features), wanted)
        assert not changed(layer, before)
    layer(features)
    assert changed(layer, before) == {'target_mean', 'target_var'}


@pytest.mark.parametrize('affine', ['shared', 'separate'])
def test_affine_is_copied_and_statistics_are_not(affine: str) -> None:
    layer = SeparateBatchNorm2d(1, affine)
    with torch.no_grad():
        for value in (*layer.scale_and_shift(SOURCE), layer.source_mean):
            value.fill_(3)
    # In place changes of shared ones would break a backward pass that has saved them.
    version = layer.scale_and_shift(SOURCE)[0]._version
    copy_affine(layer, SOURCE, TARGET)
    assert [v.item() for v in layer.scale_and_shift(TARGET)] == [3, 3]
    assert layer.target_mean.item() == 0
    assert layer.scale_and_shift(SOURCE)[0]._version == version


def test_source_only_learns_and_never_looks_at_the_target() -> None:
    method, batch = make_method(SourceOnly), make_batch()
    before = state(method.network)
    spoilt = Batch(batch.image, batch.log_depth, torch.zeros(0, 3, 48, 64, dtype=torch.uint8))
    records = [step(method, spoilt, n / 25) for n in range(25)]
    for name in ('depth/silog', 'depth/absolute', 'depth/gradient'):
        assert records[-1][name] < .5 * records[0][name]
    assert not {name for name in changed(method.network, before) if 'target_' in name}
    terms = method.losses(batch, 0)
    assert reached(sum(terms.values()), dict(method.network.named_children())) == {  # type: ignore
        'content_encoder', 'decoder'}


def test_the_result_is_the_average_on_the_source_statistics() -> None:
    method, batch = make_method(SourceOnly), make_batch()
    for n in range(5):
        step(method, batch, n / 5)
    method.average.train()
    result = method.result()
    assert not result.training and not any(p.requires_grad for p in result.parameters())
    average = method.average.module.eval()
    image = to_network(batch.image)
    torch.testing.assert_close(result(image), average.forward_domain(image, SOURCE))
    assert (result(image) - method.network.eval()(image)).abs().max() > 1e-4
    # A copy: training goes on without it.
    before = state(result)
    method.network.train()
    step(method, batch, 1)
    assert not changed(result, before)
    # The layers take part in the average, their statistics too.
    assert changed(average, before)


class TwoProcesses:
    """A fabric of two processes of which the other has gradients of 10 everywhere."""

    world_size = 2

    def all_reduce(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the mean."""
        return (tensor + 10) / 2


def test_gradients_are_averaged_over_processes() -> None:
    used, idle = nn.Linear(2, 1), nn.Linear(2, 1)
    used(torch.tensor([[4., 6.]])).sum().backward()
    average_gradients(TwoProcesses(), [*used.parameters(), *idle.parameters()])  # type: ignore
    assert used.weight.grad is not None and used.bias.grad is not None
    assert used.weight.grad.tolist() == [[7, 8]] and used.bias.grad.tolist() == [5.5]
    assert idle.weight.grad is None


def test_a_method_s_own_step_is_of_all_processes() -> None:
    method = make_method(Extended)
    before = state(method.extra)
    loss = method.extra(torch.tensor([[2., 4.]])).sum()
    method.fabric.all_reduce = TwoProcesses().all_reduce  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fabric, 'world_size', 2)
        method.minimise('extra', loss)
    # Gradients 2 and 4 here, 10 there; one step of .1.
    torch.testing.assert_close(before['weight'] - method.extra.weight,
                               torch.tensor([[.6, .7], [.6, .7]]))


class Extended(SourceOnly):
    """A method with a further module and optimiser."""

    def build(self) -> None:
        self.extra = nn.Linear(2, 2)
        self.modules['extra'] = self.extra
        self.optimisers['extra'] = torch.optim.SGD(self.extra.parameters(), .1)


def test_placing_keeps_names_and_parameters() -> None:
    for kind, names in ((SourceOnly, ['network']), (Extended, ['network', 'extra'])):
        method: Method[DepthNetwork] = make_method(kind)
        assert list(method.optimisers) == names
        assert set(method.modules) == {*names, 'average'}
        for name in names:
            held = {id(p) for group in method.optimisers[name].param_groups
                    for p in group['params']}
            assert held == {id(p) for p in method.modules[name].parameters()}
    assert isinstance(method.fabric, Fabric)


def test_checkpoints_bring_everything_back() -> None:
    batch = make_batch()
    method = make_method(Extended)
    for n in range(3):
        step(method, batch, n / 9)
    modules = {name: state(module) for name, module in method.modules.items()}
    optimisers = {name: copy.deepcopy(o.state_dict()) for name, o in method.optimisers.items()}
    other = make_method(Extended, seed=7)
    for name, module in other.modules.items():
        module.load_state_dict(modules[name])
    for name, optimiser in other.optimisers.items():
        optimiser.load_state_dict(optimisers[name])
    assert step(other, batch, .4) == step(method, batch, .4)
    assert not changed(other.average, state(method.average))


def test_methods_make_their_network() -> None:
    network = SourceOnly.make_network(make_config())
    assert isinstance(network, DepthNetwork) and network.config == TINY
    with pytest.raises(NotImplementedError):
        Method(network, make_config()).losses(make_batch(), 0)
    assert Method.pictures(make_method(SourceOnly), make_batch()) == {}


def test_separate_affine_is_no_hindrance() -> None:
    config = NetworkConfig(**{**TINY.to_dict(), 'affine': 'separate',
                              'decoder_channels': TINY.decoder_channels})
    assert SETTINGS['network'].affine == 'shared'
    method, batch = make_method(SourceOnly, network=config), make_batch()
    step(method, batch, 0)
    image = to_network(batch.image)
    result = method.result()
    torch.testing.assert_close(result.forward_domain(image, TARGET),
                               result.forward_domain(image, SOURCE))
