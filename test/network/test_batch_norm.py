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

"""Separate batch normalisation against hand-computed numbers and nn.BatchNorm2d."""

import pytest
import torch
from torch import nn

from mde_ros.network.batch_norm import (
    batch_norms, copy_domain, SeparateBatchNorm2d, SOURCE, TARGET, use_domain)

# One channel with the values 1, 2, 3, 6: mean 3, variance 3.5 (biased), 14 / 3 (unbiased).
FEATURES = torch.tensor([1., 2., 3., 6.]).reshape(1, 1, 2, 2)


def test_training_step_by_hand() -> None:
    layer = SeparateBatchNorm2d(1, eps=.5, momentum=.25)
    with use_domain(layer, SOURCE):
        out = layer(FEATURES)
    # (x - 3) / sqrt(3.5 + 0.5)
    assert torch.allclose(out.flatten(), torch.tensor([-1., -.5, 0., 1.5]), atol=1e-6)
    mean, variance = layer.statistics(SOURCE)
    # 0.75 * 0 + 0.25 * 3 and 0.75 * 1 + 0.25 * 14 / 3
    assert mean.item() == pytest.approx(.75)
    assert variance.item() == pytest.approx(.75 + 3.5 / 3)


def test_training_on_one_domain_leaves_the_other_untouched() -> None:
    layer = SeparateBatchNorm2d(1)
    with use_domain(layer, SOURCE):
        layer(FEATURES)
    assert [s.item() for s in layer.statistics(TARGET)] == [0, 1]
    source = [s.clone() for s in layer.statistics(SOURCE)]
    with use_domain(layer, TARGET):
        layer(10 * FEATURES)
    assert all(map(torch.equal, layer.statistics(SOURCE), source))
    assert layer.statistics(TARGET)[0].item() == pytest.approx(.03 * 30)


def test_inference_uses_the_statistics_of_its_domain_and_keeps_them() -> None:
    layer = SeparateBatchNorm2d(1, eps=0).eval()
    layer.source_mean.fill_(1)
    layer.source_var.fill_(4)
    with use_domain(layer, SOURCE):
        out = layer(FEATURES)
    assert torch.allclose(out.flatten(), torch.tensor([0., .5, 1., 2.5]))
    assert torch.allclose(layer(FEATURES), FEATURES)  # the target's mean is 0, its variance 1
    assert layer.source_mean.item() == 1 and layer.target_var.item() == 1


@pytest.mark.parametrize('training', [True, False])
def test_equals_pytorchs_batch_norm(training: bool) -> None:
    torch.manual_seed(0)
    ours = SeparateBatchNorm2d(5, eps=1e-3, momentum=.03)
    theirs = nn.BatchNorm2d(5, eps=1e-3, momentum=.03)
    with torch.no_grad():
        for a, b in zip((*ours.statistics(TARGET), *ours.scale_and_shift(TARGET)),
                        (theirs.running_mean, theirs.running_var, theirs.weight, theirs.bias)):
            value = torch.rand(5) + .5
            a.copy_(value)
            b.copy_(value)
    ours.train(training)
    theirs.train(training)
    features = torch.randn(3, 5, 4, 6)
    assert torch.equal(ours(features), theirs(features))
    assert torch.equal(ours.target_mean, theirs.running_mean)
    assert torch.equal(ours.target_var, theirs.running_var)


def test_shared_and_separate_affine() -> None:
    shared, separate = SeparateBatchNorm2d(3), SeparateBatchNorm2d(3, 'separate')
    assert sum(p.numel() for p in shared.parameters()) == 6
    assert sum(p.numel() for p in separate.parameters()) == 12
    assert shared.scale_and_shift(SOURCE)[0] is shared.scale_and_shift(TARGET)[0]
    with torch.no_grad():
        separate.source_weight.fill_(2)
        separate.source_bias.fill_(7)
    separate.eval()
    features = torch.ones(1, 3, 1, 1)
    root = 1 / (1 + separate.eps) ** .5
    with use_domain(separate, SOURCE):
        assert torch.allclose(separate(features), torch.full_like(features, 2 * root + 7))
    assert torch.allclose(separate(features), torch.full_like(features, root))


def test_gradients_go_to_the_affine_of_the_domain_alone() -> None:
    layer = SeparateBatchNorm2d(1, 'separate')
    with use_domain(layer, SOURCE):
        (layer(FEATURES) ** 2).sum().backward()
    assert layer.source_weight.grad is not None and layer.source_weight.grad.item() > 0
    assert layer.target_weight.grad is None


@pytest.mark.parametrize('affine', ['shared', 'separate'])
def test_folded_is_the_layer_at_inference(affine: str) -> None:
    torch.manual_seed(1)
    layer = SeparateBatchNorm2d(4, affine).eval()
    with torch.no_grad():
        for value in layer.state_dict().values():
            value.copy_(torch.rand(4) + .2)
    features = torch.randn(2, 4, 3, 3)
    for domain in (SOURCE, TARGET):
        scale, shift = layer.folded(domain)
        with use_domain(layer, domain):
            expected = layer(features)
        folded = features * scale[:, None, None] + shift[:, None, None]
        assert torch.allclose(folded, expected, atol=1e-6)


def test_copy_domain_copies_statistics_and_affine_in_one_direction() -> None:
    network = nn.Sequential(SeparateBatchNorm2d(2, 'separate'), nn.ReLU(),
                            SeparateBatchNorm2d(2, 'separate'))
    with torch.no_grad():
        for number, value in enumerate(network.state_dict().values()):
            value.fill_(number)
    source = {k: v.clone() for k, v in network.state_dict().items() if 'source' in k}
    copy_domain(network, SOURCE, TARGET)
    for name, value in source.items():
        assert torch.equal(network.state_dict()[name], value)
        assert torch.equal(network.state_dict()[name.replace('source', 'target')], value)
    # A copy, not the same memory.
    network[0].source_mean.fill_(99)
    assert network[0].target_mean.max() < 99


def test_use_domain_restores_also_after_an_exception_and_when_nested() -> None:
    network = nn.Sequential(SeparateBatchNorm2d(2), nn.Sequential(SeparateBatchNorm2d(2)))
    assert len(batch_norms(network)) == 2
    with pytest.raises(RuntimeError, match='mine'), use_domain(network, SOURCE):
        assert [layer.domain for layer in batch_norms(network)] == [SOURCE] * 2
        with use_domain(network, TARGET):
            assert [layer.domain for layer in batch_norms(network)] == [TARGET] * 2
        assert [layer.domain for layer in batch_norms(network)] == [SOURCE] * 2
        raise RuntimeError('mine')
    assert [layer.domain for layer in batch_norms(network)] == [TARGET] * 2


def test_unknown_names_are_rejected() -> None:
    layer = SeparateBatchNorm2d(2)
    with pytest.raises(ValueError, match=r"'kitchen'.*source, target"), \
            use_domain(layer, 'kitchen'):
        pass
    assert layer.domain == TARGET
    with pytest.raises(ValueError, match=r"'none'.*shared"):
        SeparateBatchNorm2d(2, 'none')


def test_printed_form_names_channels_and_affine() -> None:
    assert repr(SeparateBatchNorm2d(7, 'separate')) == 'SeparateBatchNorm2d(7, affine=separate)'
