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

"""The image generator: shapes, what style does, and what content cannot carry."""

import pytest
import torch
from torch.nn import functional

from mde_ros.adaptation.generator import (
    AdaptiveInstanceNorm, change_style, ImageGenerator, ResidualBlock)
from mde_ros.network.content_encoder import ContentEncoder

CHANNELS, STYLE = (4, 6, 8, 10, 12), 3


def make_content(height: int = 48, width: int = 64, count: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(count, c, -(-height // s), -(-width // s), generator=generator)
            for c, s in zip(CHANNELS, (2, 4, 8, 16, 32))]


def make_generator() -> ImageGenerator:
    torch.manual_seed(0)
    return ImageGenerator(CHANNELS, STYLE, channels=8, blocks=2)


def test_adaptive_norm_by_hand() -> None:
    norm = AdaptiveInstanceNorm(1, 1)
    with torch.no_grad():
        norm.project.weight.zero_()
        norm.project.bias.copy_(torch.tensor([1., 5.]))     # scale 1 + 1, shift 5
    features = torch.tensor([[[[0., 2.], [4., 6.]]]])       # mean 3, variance 5
    wanted = (features - 3) / 5 ** .5 * 2 + 5
    torch.testing.assert_close(norm(features, torch.zeros(1, 1)), wanted, atol=1e-4, rtol=1e-4)


def test_residual_block_keeps_its_input() -> None:
    block = ResidualBlock(4, STYLE)
    with torch.no_grad():
        for norm in block.norms:
            norm.project.weight.zero_()
            norm.project.bias.zero_()
            norm.project.bias[:4] = -1      # scale 1 - 1: the block adds nothing
    features = torch.randn(1, 4, 5, 6)
    torch.testing.assert_close(block(features, torch.zeros(1, STYLE)), features)


@pytest.mark.parametrize(('height', 'width'), [(48, 64), (50, 70), (64, 34)])
def test_half_the_input_within_range(height: int, width: int) -> None:
    image = make_generator()(make_content(height, width), torch.randn(2, STYLE))
    assert image.shape == (2, 3, height // 2, width // 2)
    assert image.dtype == torch.float32
    assert image.min() >= -1 and image.max() <= 1 and image.std() > .01


def test_fits_the_content_encoder() -> None:
    encoder = ContentEncoder(.125)
    generator = ImageGenerator(encoder.channels, STYLE, channels=8, blocks=1)
    assert generator(encoder(torch.randn(2, 3, 48, 64)), torch.randn(2, STYLE)).shape == (
        2, 3, 24, 32)


def test_only_coarse_content_is_seen_and_only_its_shape() -> None:
    generator, content, style = make_generator(), make_content(), torch.randn(2, STYLE)
    image = generator(content, style)
    # Strides 2 and 4 give the size and nothing else.
    fine = [torch.randn_like(tap) for tap in content[:2]] + content[2:]
    torch.testing.assert_close(generator(fine, style), image)
    # Contrast and brightness of a channel are style: instance norm takes them out.
    shifted = [tap * (torch.rand(1, tap.shape[1], 1, 1) + .5) + torch.randn(1, tap.shape[1], 1, 1)
               for tap in content]
    torch.testing.assert_close(generator(shifted, style), image, atol=1e-3, rtol=1e-3)
    for index in (2, 3, 4):
        other = list(content)
        other[index] = torch.randn_like(content[index])
        assert (generator(other, style) - image).abs().max() > 1e-3


def test_style_belongs_to_its_own_image() -> None:
    generator, content = make_generator(), make_content()
    style = torch.randn(2, STYLE)
    image = generator(content, style)
    changed = style.clone()
    changed[1] += 3
    other = generator(content, changed)
    torch.testing.assert_close(other[0], image[0])
    assert (other[1] - image[1]).abs().max() > 1e-3


def test_gradients_reach_content_and_style_in_mixed_precision() -> None:
    generator = make_generator()
    content = [tap.requires_grad_() for tap in make_content()]
    style = torch.randn(2, STYLE, requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        image = generator(content, style)
    assert image.dtype == torch.float32
    functional.l1_loss(image, torch.zeros_like(image)).backward()
    assert style.grad is not None and style.grad.any()
    assert [tap.grad is not None for tap in content] == [False, False, True, True, True]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())


def test_a_change_of_style_by_hand() -> None:
    image = torch.zeros(1, 3, 4, 6)
    image[..., 1] = .9      # a detail that the generator does not paint
    rebuilt, transferred = torch.full((1, 3, 2, 3), -.3), torch.full((1, 3, 2, 3), -.1)
    found = change_style(image, rebuilt, transferred)
    wanted = torch.full((1, 3, 4, 6), .2)
    wanted[..., 1] = 1.     # .9 + .2, clipped
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(change_style(image, rebuilt, rebuilt), image)


def test_a_change_of_style_is_enlarged_smoothly() -> None:
    transferred = torch.zeros(1, 3, 2, 2)
    transferred[..., 1] = .8
    found = change_style(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 2, 2), transferred)
    torch.testing.assert_close(found[0, 0, 2], torch.tensor([0., .2, .6, .8]))
