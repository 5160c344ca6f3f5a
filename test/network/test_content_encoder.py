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

"""The encoder's shapes and parameters against MobileNetV2's published ones."""

import pytest
import torch

from mde_ros.network.content_encoder import (
    ContentEncoder, InvertedResidual, round_channels, TAP_STRIDES)
from mde_ros.network.convolution import ConvNormAct

# torchvision's mobilenet_v2 has 3 504 872 parameters. Without the classifier (1280 x 1000 + 1000)
# and the last 1 x 1 convolution (320 x 1280 and its batch norm, 2 x 1280):
PARAMETERS = 3_504_872 - 1_281_000 - (320 * 1280 + 2 * 1280)


def test_parameters_are_mobilenets() -> None:
    encoder = ContentEncoder()
    assert sum(p.numel() for p in encoder.parameters()) == PARAMETERS == 1_811_712
    # 1 stem, 17 blocks of 3 convolutions, of which the first has no expansion.
    assert sum(isinstance(m, ConvNormAct) for m in encoder.modules()) == 1 + 17 * 3 - 1


def test_separate_affine_adds_one_scale_and_shift_a_channel() -> None:
    shared, separate = ContentEncoder(.25), ContentEncoder(.25, 'separate')
    channels = sum(m.conv.out_channels for m in shared.modules() if isinstance(m, ConvNormAct))
    assert (sum(p.numel() for p in separate.parameters())
            - sum(p.numel() for p in shared.parameters())) == 2 * channels


@pytest.mark.parametrize(('width', 'height'), [(320, 240), (640, 193), (47, 33), (32, 32)])
def test_taps_are_the_ceilings_of_their_strides(width: int, height: int) -> None:
    encoder = ContentEncoder(.125).eval()
    with torch.no_grad():
        content = encoder(torch.zeros(1, 3, height, width))
    assert [tuple(c.shape[1:]) for c in content] == [
        (channels, -(-height // stride), -(-width // stride))
        for channels, stride in zip(encoder.channels, TAP_STRIDES)]


@pytest.mark.parametrize(('width', 'channels'), [
    (1.0, [16, 24, 32, 96, 320]), (.5, [8, 16, 16, 48, 160]), (.125, [8, 8, 8, 16, 40])])
def test_channels(width: float, channels: list[int]) -> None:
    assert ContentEncoder(width).channels == channels


@pytest.mark.parametrize(('channels', 'rounded'), [
    # By hand from _make_divisible of the MobileNet code: never more than 10 % below.
    (32, 32), (33, 32), (11.2, 16), (12, 16), (16.8, 16), (22.4, 24), (3, 8), (67.2, 64)])
def test_channels_are_rounded_as_mobilenet_does(channels: float, rounded: int) -> None:
    assert round_channels(channels) == rounded


@pytest.mark.parametrize(('inputs', 'outputs', 'stride', 'residual'), [
    (8, 8, 1, True), (8, 8, 2, False), (8, 16, 1, False)])
def test_residual_only_where_shapes_allow(inputs: int, outputs: int, stride: int,
                                          residual: bool) -> None:
    block = InvertedResidual(inputs, outputs, stride, 6, 'shared').eval()
    features = torch.randn(1, inputs, 5, 5)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
        out = block(features)
    # With all weights zero only the shortcut is left.
    assert torch.equal(out, features) if residual else not out.any()


def test_the_first_block_does_not_expand() -> None:
    assert len(ContentEncoder(.125).stages[0][0].layers) == 2
    assert len(ContentEncoder(.125).stages[1][0].layers) == 3
