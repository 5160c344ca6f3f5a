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

"""T2Net's blocks: arithmetic by hand, shapes, and how they start."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from mde_ros.adaptation.predecessors.t2net_blocks import (
    convolution, down, InceptionBlock, initialise, up)


def test_shapes_and_parameters() -> None:
    act, image = nn.PReLU(), torch.randn(2, 3, 12, 20)
    # Kernels without bias, scale and shift a channel, one slope of the activation.
    for block, shape, parameters in (
            (convolution(3, 5, 7, act, 'reflect'), (2, 5, 12, 20), 3 * 5 * 49 + 10 + 1),
            (down(3, 5, act), (2, 5, 6, 10), (3 * 5 + 5 * 5) * 9 + 20 + 1),
            # The transposed convolution has a bias.
            (up(3, 4, 5, act), (2, 5, 24, 40), 3 * 4 * 9 + 8 + 4 * 5 * 9 + 5 + 10 + 1),
            (InceptionBlock(3, 2, act), (2, 3, 12, 20), 2 * 81 + 12 + 6 * 3 * 9 + 6 + 1)):
        assert block(image).shape == shape
        assert sum(p.numel() for p in block.parameters()) == parameters


def test_one_activation_serves_all() -> None:
    act = nn.PReLU()
    network = nn.Sequential(down(3, 4, act), InceptionBlock(4, 2, act), up(4, 4, 4, act))
    slopes = {id(m.weight) for m in network.modules() if isinstance(m, nn.PReLU)}
    assert slopes == {id(act.weight)} and act.weight.numel() == 1


def test_dilations_and_shortcut() -> None:
    block = InceptionBlock(1, 3, nn.PReLU()).eval()
    assert [b.dilation for b in block.branches] == [(1, 1), (3, 3), (5, 5)]
    with torch.no_grad():
        for branch in block.branches:
            branch.weight.zero_()
            branch.weight[0, 0, 1, 0] = 1       # the pixel to the left, 1, 3 and 5 away
        block.join.weight.zero_()
        block.join.weight[0, :, 1, 1] = torch.tensor([1., 10., 100.])
        for norm in (block.branch_norm, block.norm):
            norm.eps = 0
        image = torch.arange(12.).repeat(1, 1, 8, 1) + 1
        padded = functional.pad(image, (5, 5, 5, 5), 'reflect')[..., 5:-5, :]
        wanted = image + padded[..., 4:-6] + 10 * padded[..., 2:-8] + 100 * padded[..., :-10]
    torch.testing.assert_close(block(image), wanted)


def test_borders_are_reflected() -> None:
    layer = convolution(1, 1, 3, nn.Identity(), 'reflect')
    assert layer[0].padding_mode == 'reflect'
    with torch.no_grad():
        layer[0].weight.fill_(1)
    # Of a constant image a convolution is constant, but for zeros that come in at the border.
    out = layer[0](torch.ones(1, 1, 4, 5))
    assert (out == 9).all()


def test_start() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(convolution(32, 64, 3, nn.PReLU()), nn.ConvTranspose2d(64, 32, 3),
                            nn.Linear(500, 40), nn.BatchNorm2d(3, affine=False))
    initialise(network)
    conv, norm = network[0][0], network[0][1]
    # He: deviation sqrt(2 / inputs of a sum).
    assert conv.weight.std().item() == pytest.approx((2 / (32 * 9)) ** .5, rel=.05)
    assert network[2].weight.std().item() == pytest.approx((2 / 500) ** .5, rel=.05)
    assert not network[1].bias.any() and not network[2].bias.any() and not norm.bias.any()
    assert .02 <= norm.weight.min() < .2 and .85 < norm.weight.max() <= 1
