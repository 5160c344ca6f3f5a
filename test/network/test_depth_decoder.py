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

"""The decoder: shapes, skips, both kinds of convolution, style."""

import pytest
import torch

from mde_ros.network.convolution import ConvNormAct
from mde_ros.network.depth_decoder import DepthDecoder, FusionBlock

CONTENT = (8, 8, 16, 16, 24)


def content(height: int, width: int) -> list[torch.Tensor]:
    """Return random content of an image of this size."""
    torch.manual_seed(0)
    return [torch.randn(2, c, -(-height // s), -(-width // s))
            for c, s in zip(CONTENT, (2, 4, 8, 16, 32))]


def decoder(kind: str = 'dense', style_mode: str = 'add') -> DepthDecoder:
    """Return a tiny decoder in evaluation mode."""
    torch.manual_seed(1)
    return DepthDecoder(CONTENT, (12, 8, 6, 4), kind, 'shared', 3, style_mode).eval()


@pytest.mark.parametrize('kind', ['dense', 'depthwise'])
@pytest.mark.parametrize(('height', 'width'), [(240, 320), (193, 640), (33, 47)])
def test_output_has_half_the_size(kind: str, height: int, width: int) -> None:
    with torch.no_grad():
        out = decoder(kind)(content(height, width), torch.zeros(2, 3))
    assert out.shape == (2, 1, -(-height // 2), -(-width // 2))


def test_dense_parameters_by_hand() -> None:
    # Bottleneck 24-12, then 3 x 3 over (carried + skip) channels; batch norm 2 a channel;
    # style 3 weights and a bias a channel; head 3 x 3 x 4 and a bias.
    convolutions = 24 * 12 + 9 * ((12 + 16) * 12 + (12 + 16) * 8 + (8 + 8) * 6 + (6 + 8) * 4)
    channels = 12 + 12 + 8 + 6 + 4
    assert sum(p.numel() for p in decoder().parameters()) == (
        convolutions + channels * (2 + 4) + 9 * 4 + 1)


def test_depthwise_filters_each_channel_before_mixing() -> None:
    blocks = [m for m in decoder('depthwise').modules() if isinstance(m, ConvNormAct)]
    assert [b.conv.groups for b in blocks] == [1, 28, 1, 28, 1, 16, 1, 14, 1]
    assert [b.kernel for b in blocks] == [1, 3, 1, 3, 1, 3, 1, 3, 1]
    # The style enters where channels are mixed.
    assert [b.style is not None for b in blocks] == [True, *[False, True] * 4]


def test_every_skip_reaches_the_output() -> None:
    made, inputs, style = decoder(), content(64, 64), torch.zeros(2, 3)
    with torch.no_grad():
        before = made(inputs, style)
        for level in range(5):
            changed = [c + 1 if i == level else c for i, c in enumerate(inputs)]
            assert not torch.allclose(made(changed, style), before), f'stride {2 ** (level + 1)}'


def test_fusion_upsamples_to_the_skip_and_puts_it_last() -> None:
    block = FusionBlock(1, 1, 1, 'dense', 'shared', 0, 'none').eval()
    block.fuse.norm.eps = 0
    with torch.no_grad():
        block.fuse.conv.weight.zero_()
        block.fuse.conv.weight[0, :, 1, 1] = torch.tensor([1., .01])
    carried = torch.tensor([[1., 2.], [3., 4.]])[None, None]
    skip = torch.arange(9.).reshape(1, 1, 3, 3)
    # Nearest neighbour from 2 to 3 pixels takes 0, 0, 1.
    expected = torch.tensor([[1, 1.01, 2.02], [1.03, 1.04, 2.05], [3.06, 3.07, 4.08]])
    assert torch.allclose(block(carried, skip, None)[0, 0], expected)


@pytest.mark.parametrize('mode', ['add', 'film'])
def test_style_counts_once_it_is_trained(mode: str) -> None:
    made, inputs = decoder(style_mode=mode), content(64, 64)
    style = torch.ones(2, 3)
    with torch.no_grad():
        before = made(inputs, None)
        assert torch.equal(made(inputs, style), before)
        for module in made.modules():
            if isinstance(module, ConvNormAct) and module.style is not None:
                module.style.weight.normal_(0, .1)
        assert not torch.allclose(made(inputs, style), before)
