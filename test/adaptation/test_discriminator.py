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

"""The domain discriminator: it learns, it stays bounded, and its losses by hand."""

import math

import pytest
import torch

from mde_ros.adaptation.discriminator import (
    confusion_loss, discriminator_accuracy, discriminator_loss, DomainDiscriminator, SMOOTHING)


def gaussians(shift: float, count: int = 8) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(3)

    def draw(mean: float) -> list[torch.Tensor]:
        return [torch.randn(count, 4, size, size, generator=generator) + mean for size in (8, 4)]

    return draw(shift), draw(-shift)


def test_losses_by_hand() -> None:
    source, target = torch.full((1, 1, 2, 2), 2.), torch.full((1, 1, 2, 2), -1.)
    right, wrong = 1 - SMOOTHING, SMOOTHING

    def entropy(logit: float, label: float) -> float:
        share = 1 / (1 + math.exp(-logit))
        return -label * math.log(share) - (1 - label) * math.log(1 - share)

    assert discriminator_loss(source, target).item() == pytest.approx(
        (entropy(2, right) + entropy(-1, wrong)) / 2, rel=1e-5)
    assert confusion_loss(source, target).item() == pytest.approx(
        (entropy(2, .5) + entropy(-1, .5)) / 2, rel=1e-5)
    assert discriminator_accuracy(source, target) == 1
    assert discriminator_accuracy(target, source) == 0
    half = torch.tensor([3., 3., -3., -3.])
    assert discriminator_accuracy(half, torch.full((4,), -3.)) == pytest.approx(.75)


def test_undecided_is_the_best_for_the_encoder() -> None:
    logits = torch.zeros(4)
    assert confusion_loss(logits, logits).item() == pytest.approx(math.log(2))
    for other in (-.5, .5):
        assert confusion_loss(logits + other, logits) > math.log(2)


def test_certainty_is_punished() -> None:
    # Smoothed labels: the best logit is log(.9 / .1), not infinity.
    def loss(logit: float) -> float:
        value = torch.full((2,), float(logit))
        return discriminator_loss(value, -value).item()

    best = math.log((1 - SMOOTHING) / SMOOTHING)
    assert loss(best) < min(loss(best - .5), loss(best + .5), loss(20))


def test_learns_two_domains_apart_and_not_one() -> None:
    torch.manual_seed(0)
    for shift, most, least in ((.5, .45, .95), (0., 10., 0.)):
        discriminator = DomainDiscriminator([4, 4], width=16)
        optimiser = torch.optim.Adam(discriminator.parameters(), 1e-2, (.5, .999))
        source, target = gaussians(shift, 16)
        for _ in range(40):
            optimiser.zero_grad()
            discriminator_loss(discriminator(source), discriminator(target)).backward()
            optimiser.step()
        outputs = discriminator(source), discriminator(target)
        assert discriminator_loss(*outputs).item() < most
        assert discriminator_accuracy(*outputs) > least
        # Spectral norm: the spread of what it says is bounded, whatever it was taught.
        assert outputs[0].abs().max() < 40


def test_confusion_moves_the_domains_together() -> None:
    torch.manual_seed(0)
    discriminator = DomainDiscriminator([4, 4], width=16)
    optimiser = torch.optim.Adam(discriminator.parameters(), 1e-2, (.5, .999))
    source, target = gaussians(.5)
    for _ in range(40):
        optimiser.zero_grad()
        discriminator_loss(discriminator(source), discriminator(target)).backward()
        optimiser.step()
    discriminator.requires_grad_(False).zero_grad()
    taps = [tap.requires_grad_() for tap in source]
    confusion_loss(discriminator(taps), discriminator(target)).backward()
    # Against the gradient: source content, at +.5, moves down to the target's -.5.
    step = torch.cat([tap.grad.mean((0, 2, 3)) for tap in taps if tap.grad is not None])
    assert len(step) == 8 and (-step).mean() < 0
    moved = [tap.detach() - 20 * tap.grad for tap in taps if tap.grad is not None]
    with torch.no_grad():
        before, after = (discriminator(content).mean() for content in (taps, moved))
    assert after < before
    assert all(p.grad is None or not p.grad.any() for p in discriminator.parameters())


def test_any_resolution_the_coarsest_decides() -> None:
    discriminator = DomainDiscriminator([3, 5], condition=1, width=8)
    for height, width in ((3, 4), (15, 20), (1, 1)):
        content = [torch.randn(2, 3, 2 * height, 2 * width), torch.randn(2, 5, height, width)]
        condition = torch.randn(2, 1, 8 * height, 8 * width)
        assert discriminator(content, condition).shape == (2, 1, height, width)


def test_finer_taps_are_averaged() -> None:
    discriminator = DomainDiscriminator([1, 1], width=8).eval()
    coarse, fine = torch.zeros(1, 1, 2, 2), torch.randn(1, 1, 4, 4)
    mean = fine.view(1, 1, 2, 2, 2, 2).mean((3, 5))
    torch.testing.assert_close(
        discriminator([fine, coarse]), discriminator([mean, coarse]), atol=1e-5, rtol=1e-5)


def test_float32_whatever_autocast_says() -> None:
    discriminator = DomainDiscriminator([4, 4], width=8).eval()
    content, _ = gaussians(.5, 2)
    full = discriminator(content)
    with torch.autocast('cpu', torch.bfloat16):
        mixed = discriminator(content)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, full, atol=0, rtol=0)
