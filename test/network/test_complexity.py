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

"""Multiply-accumulates: by hand, against fvcore, and the promises for the two sizes."""

import logging

import pytest
import torch
from torch import nn

from mde_ros.network.complexity import count
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.network.fold import fold_network


def test_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False),       # 8 x 5 x 10 outputs of 27 products
        nn.Conv2d(8, 8, 3, 1, 1, groups=8),         # depthwise: 9 products
        nn.Conv2d(8, 4, 1),                         # 4 x 5 x 10 outputs of 8 products
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    cost = count(network, 20, 10)
    macs = 50 * (8 * 27 + 8 * 9 + 4 * 8) + 4 * 2
    assert cost.gmacs * 1e9 == pytest.approx(macs)
    assert cost.parameters == 8 * 27 + (8 * 9 + 8) + (4 * 8 + 4) + (4 * 2 + 2)


def test_counting_leaves_the_network_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 1), nn.BatchNorm2d(1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for training in (True, False):
        network.train(training)
        count(network, 4, 4)
        assert network.training == training
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


@pytest.mark.parametrize(('size', 'most'), [('small', .8), ('base', 2.0)])
def test_the_sizes_keep_their_promise(size: str, most: float) -> None:
    cost = count(fold_network(DepthNetwork(SIZES[size])), 320, 240)
    assert .5 * most < cost.gmacs <= most
    # At most 15 MB of float32.
    assert cost.parameters * 4 < 15e6


def test_four_times_the_pixels_cost_four_times_as_much() -> None:
    network = fold_network(DepthNetwork(SIZES['small']))
    assert count(network, 128, 64).gmacs == pytest.approx(4 * count(network, 64, 32).gmacs)


@pytest.mark.parametrize('size', sorted(SIZES))
def test_agrees_with_fvcore(size: str) -> None:
    fvcore = pytest.importorskip('fvcore.nn', reason='fvcore is not installed')
    logging.getLogger('fvcore').setLevel(logging.ERROR)
    network = fold_network(DepthNetwork(SIZES[size]))
    theirs = fvcore.FlopCountAnalysis(network, torch.zeros(1, 3, 96, 128))
    theirs.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    # fvcore calls one multiply-add a flop.
    by_operator = theirs.by_operator()
    assert count(network, 128, 96).gmacs * 1e9 == pytest.approx(by_operator['conv'], rel=1e-6)
