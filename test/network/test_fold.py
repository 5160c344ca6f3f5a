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

"""Folding: the same function with nothing left to normalise."""

import copy

import pytest
import torch

from mde_ros.network.batch_norm import batch_norms, DOMAINS, SOURCE
from mde_ros.network.convolution import ConvNormAct
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.network.fold import fold_network


def random_network(**options: object) -> DepthNetwork:
    """Return a tiny network in which nothing is at its start: statistics, affine, style."""
    torch.manual_seed(3)
    made = DepthNetwork(NetworkConfig(
        encoder_width=.25, decoder_channels=(16, 8, 8, 8), **options))  # type: ignore[arg-type]
    image = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if '.style.' in name:
                parameter.normal_(0, .1)
        made.style_code.normal_()
        for layer in batch_norms(made):
            for weight, bias in {id(w): (w, b) for w, b in map(
                    layer.scale_and_shift, DOMAINS)}.values():
                weight.uniform_(.5, 1.5)
                bias.normal_(0, .3)
            layer.momentum = .9
        # Statistics as training would leave them, other ones for each domain.
        made.train()
        made.forward_domain(image, SOURCE)
        made(image * .3 + .4)
    return made.eval()


@pytest.mark.parametrize('affine', ['shared', 'separate'])
@pytest.mark.parametrize('style', ['none', 'add', 'film'])
@pytest.mark.parametrize('decoder', ['dense', 'depthwise'])
def test_folded_equals_unfolded_on_each_domain(affine: str, style: str, decoder: str) -> None:
    made = random_network(affine=affine, style_to_depth=style, decoder=decoder)
    image = torch.rand(2, 3, 48, 80) * 2 - 1
    outputs = []
    with torch.no_grad():
        for domain in DOMAINS:
            expected = made.forward_domain(image, domain)
            folded = fold_network(made, domain)(image)
            assert (folded - expected).abs().max() < 1e-4
            outputs.append(expected)
    # The test would prove little if the domains were alike or the output flat.
    assert (outputs[0] - outputs[1]).abs().max() > .01
    assert outputs[1].std() > .01


def test_target_is_the_default_and_style_is_in_it() -> None:
    made = random_network()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        before = fold_network(made)(image)
        assert torch.allclose(before, made(image), atol=1e-4)
        made.style_code.add_(1)
        assert (fold_network(made)(image) - before).abs().max() > 1e-3


def test_nothing_but_convolutions_is_left() -> None:
    folded = fold_network(random_network(affine='separate', style_to_depth='film'))
    assert not batch_norms(folded)
    assert not folded.training
    assert not any(p.requires_grad for p in folded.parameters())
    assert all(name.split('.')[-2] in ('conv', 'head') for name, _ in folded.named_parameters())
    assert all(m.conv.bias is not None for m in folded.modules() if isinstance(m, ConvNormAct))


@pytest.mark.parametrize('training', [True, False])
def test_the_network_itself_is_left_as_it_is(training: bool) -> None:
    made = random_network(affine='separate', style_to_depth='film').train(training)
    before = copy.deepcopy(made.state_dict())
    folded = fold_network(made)
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.zero_()
    assert made.training == training
    assert made.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert all(p.requires_grad for p in made.parameters())
