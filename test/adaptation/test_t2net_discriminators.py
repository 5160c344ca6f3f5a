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

"""T2Net's discriminators: sizes, least squares by hand, the pool of images."""

import pytest
import torch

from mde_ros.adaptation.predecessors.t2net_discriminators import (
    adversary_loss, CLAMP, FeatureDiscriminator, ImageDiscriminator, ImagePool,
    least_squares_loss)


def test_published_sizes() -> None:
    assert sum(p.numel() for p in ImageDiscriminator().parameters()) == 2_765_570
    with torch.device('meta'):
        features = FeatureDiscriminator((512, 12, 40))
    assert sum(p.numel() for p in features.parameters()) == 126_092_802


def test_losses_by_hand() -> None:
    real, fake = torch.tensor([1., .5]), torch.tensor([0., 2.])
    # ((0 + .25) / 2 + (0 + 4) / 2) / 2
    assert least_squares_loss(real, fake).item() == pytest.approx(1.0625)
    assert adversary_loss(fake).item() == pytest.approx((1 + 1) / 2)
    assert least_squares_loss(torch.ones(2), torch.zeros(2)) == 0
    assert adversary_loss(torch.ones(2)) == 0


def test_patches_are_judged() -> None:
    discriminator = ImageDiscriminator(4)
    out = discriminator(torch.rand(2, 3, 64, 96))
    # Three halvings, and two convolutions of 4 that lose a pixel each.
    assert out.shape == (2, 1, 6, 10)
    with torch.autocast('cpu', torch.bfloat16):
        assert discriminator(torch.rand(2, 3, 64, 96)).dtype == torch.float32
    # Statistics of each batch: nothing is kept, and training is as evaluation.
    assert not dict(discriminator.named_buffers())


@pytest.mark.parametrize('which', ['image', 'feature'])
def test_learn_two_kinds_apart(which: str) -> None:
    torch.manual_seed(0)
    if which == 'image':
        discriminator: torch.nn.Module = ImageDiscriminator(4)
        real, fake = torch.rand(4, 3, 32, 32), torch.rand(4, 3, 32, 32).round()
    else:
        discriminator = FeatureDiscriminator((3, 4, 5), hidden=8)
        real, fake = torch.randn(4, 3, 4, 5) + .5, torch.randn(4, 3, 4, 5) - .5
    optimiser = torch.optim.Adam(discriminator.parameters(), 5e-3, (.5, .9))
    losses = []
    for _ in range(40):
        loss = least_squares_loss(discriminator(real), discriminator(fake))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < .1 and losses[-1] < .3 * losses[0]
    assert discriminator(real).mean() > .7 > .3 > discriminator(fake).mean()


def test_features_of_another_resolution_fill_the_grid() -> None:
    discriminator = FeatureDiscriminator((2, 4, 6), hidden=8)
    features = torch.randn(3, 2, 4, 6)
    assert discriminator(features).shape == (3, 1)
    double = features.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(discriminator(double), discriminator(features))
    half = torch.randn(3, 2, 2, 3)
    torch.testing.assert_close(
        discriminator(half),
        discriminator(half.repeat_interleave(2, 2).repeat_interleave(2, 3)))


def test_clamp() -> None:
    discriminator = FeatureDiscriminator((1, 2, 2), hidden=4)
    assert any(p.abs().max() > CLAMP for p in discriminator.parameters())
    discriminator.clamp()
    assert all(p.abs().max() <= CLAMP for p in discriminator.parameters())
    assert any((p.abs() == CLAMP).any() for p in discriminator.parameters())


def numbered(*numbers: int) -> torch.Tensor:
    return torch.stack([torch.full((3, 2, 2), float(n)) for n in numbers])


def numbers(images: torch.Tensor | list[torch.Tensor]) -> list[int]:
    return [int(image.flatten()[0]) for image in images]


def test_the_pool_fills_and_then_swaps_half() -> None:
    torch.manual_seed(0)
    pool = ImagePool(4)
    assert numbers(pool(numbered(0, 1))) == [0, 1]
    assert numbers(pool(numbered(2, 3))) == [2, 3]
    given, old = 0, 0
    for n in range(4, 404):
        before = numbers(pool.images)
        out, = numbers(pool(numbered(n)))
        after = numbers(pool.images)
        if out == n:
            given += 1
            assert after == before
        else:
            old += 1
            # The former one is handed out and this one has its place.
            assert out in before and after == [n if b == out else b for b in before]
    assert len(pool.images) == 4 and 160 < given < 240 and given + old == 400


def test_the_pool_goes_with_checkpoints() -> None:
    pool, other = ImagePool(3), ImagePool(3)
    other.load_state_dict(pool.state_dict())
    assert other.images == []
    pool(numbered(5, 6))
    other.load_state_dict(pool.state_dict())
    assert numbers(other.images) == [5, 6]
    for _ in range(10):
        images = numbered(7, 8, 9)
        state = torch.get_rng_state()
        first = pool(images)
        torch.set_rng_state(state)
        torch.testing.assert_close(other(images), first)


def test_the_pool_keeps_no_graph_and_starts_again_at_another_size() -> None:
    pool = ImagePool(3)
    out = pool(numbered(1).requires_grad_())
    assert not out.requires_grad and not pool.images[0].requires_grad
    larger = torch.zeros(2, 3, 4, 4)
    assert pool(larger).shape == larger.shape
    assert [tuple(image.shape) for image in pool.images] == [(3, 4, 4)] * 2
