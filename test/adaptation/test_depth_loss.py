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

"""The depth loss on 2 x 2 images, by hand."""

from hypothesis import given, strategies as st
import pytest
import torch

from mde_ros.adaptation.depth_loss import (
    absolute_loss, depth_losses, gradient_loss, silog_loss, VARIANCE_FOCUS)

NAN = float('nan')
ZEROS = torch.zeros(1, 1, 2, 2)


def images(*values: float) -> torch.Tensor:
    """Return 2 x 2 images of one channel."""
    return torch.tensor(values).reshape(-1, 1, 2, 2)


def test_all_terms_by_hand() -> None:
    # Differences (predicted - true) 1, 2, no label, 3.
    losses = depth_losses(images(1., 2., 9., 5.), images(0., 0., NAN, 2.))
    # Mean 2, mean square 14 / 3: sqrt(14 / 3 - 0.85 * 4 + 1e-4).
    assert losses['depth/silog'].item() == pytest.approx((14 / 3 - 3.4 + 1e-4) ** .5, rel=1e-6)
    assert losses['depth/absolute'].item() == pytest.approx(.5 * 2)
    # Pairs with both labels: |2 - 1| across, |3 - 2| down; only the first of four scales.
    assert losses['depth/gradient'].item() == pytest.approx(.5 * (1 + 1) / 4)


def test_silog_is_taken_image_by_image() -> None:
    difference = images(1., 1., 1., 1., 0., 0., 3., 3.)
    mask = torch.ones_like(difference, dtype=torch.bool)
    # Image 1: sqrt(1 - .85); image 2: mean 1.5, square 4.5: sqrt(4.5 - .85 * 2.25).
    expected = (((.15 + 1e-4) ** .5) + (4.5 - .85 * 2.25 + 1e-4) ** .5) / 2
    assert silog_loss(difference, mask).item() == pytest.approx(expected, rel=1e-6)


@given(st.floats(-3, 3))
def test_a_scale_factor_counts_only_for_the_mean(offset: float) -> None:
    # Adding a constant to log depth multiplies depth: the variance stays, the mean moves.
    difference, mask = images(.1, -.1, .3, -.3), torch.ones(1, 1, 2, 2, dtype=torch.bool)
    variance = (.01 + .01 + .09 + .09) / 4
    expected = (variance + (1 - VARIANCE_FOCUS) * offset ** 2 + 1e-4) ** .5
    assert silog_loss(difference + offset, mask).item() == pytest.approx(expected, rel=1e-4)


def test_the_gradient_loss_does_not_see_a_constant() -> None:
    torch.manual_seed(0)
    target = torch.randn(2, 1, 16, 24)
    assert depth_losses(target + 1.7, target)['depth/gradient'].item() < 1e-6
    assert depth_losses(target * 1.7, target)['depth/gradient'].item() > .1


def test_gradient_scales_by_hand() -> None:
    # A ramp of 1 a column over 8 x 8: at scale s the neighbours are 2 ** s apart, down 0.
    ramp = torch.arange(8.).expand(1, 1, 8, 8)
    mask = torch.ones_like(ramp, dtype=torch.bool)
    # Scales 1, 2 and 4 exist; at 8 one pixel is left.
    assert gradient_loss(ramp, mask).item() == pytest.approx((1 + 2 + 4) / 4)


def test_pairs_with_an_unlabelled_pixel_do_not_count() -> None:
    target = images(0., NAN, 0., 0.)
    predicted = images(0., 5., 0., 1.)
    # Left: the pair in the lower row (1 apart) and the pair in the left column (0 apart).
    assert depth_losses(predicted, target)['depth/gradient'].item() == pytest.approx(.5 * 1 / 4)


def test_absolute_is_a_mean_over_labels() -> None:
    mask = images(1., 0., 1., 0.).bool()
    assert absolute_loss(images(-2., 0., 1., 0.), mask).item() == pytest.approx(1.5)


def test_perfect_depth_costs_only_the_roots_constant() -> None:
    target = images(.1, .2, NAN, 1.)
    losses = depth_losses(target.nan_to_num(7.), target)
    assert losses['depth/silog'].item() == pytest.approx(.01)
    assert losses['depth/absolute'].item() == losses['depth/gradient'].item() == 0


@pytest.mark.parametrize('target', [
    torch.full((1, 1, 2, 2), NAN), torch.full((1, 1, 2, 2), float('inf')),
    torch.full((2, 1, 16, 16), NAN)])
def test_images_without_labels_give_no_loss_and_no_gradient(target: torch.Tensor) -> None:
    predicted = torch.randn_like(target).requires_grad_()
    losses = depth_losses(predicted, target)
    assert {name: round(loss.item(), 6) for name, loss in losses.items()} == {
        'depth/silog': .01, 'depth/absolute': 0, 'depth/gradient': 0}
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert predicted.grad is not None
    assert not predicted.grad.any()


def test_gradients_are_finite_and_only_where_there_are_labels() -> None:
    target = images(0., NAN, 1., 2.)
    predicted = target.nan_to_num(4.).requires_grad_()  # perfect: the roots' worst point
    sum(depth_losses(predicted, target).values()).backward()  # type: ignore[union-attr]
    assert predicted.grad is not None and predicted.grad.isfinite().all()
    wrong = images(1., 1., 3., 1.).requires_grad_()
    sum(depth_losses(wrong, target).values()).backward()  # type: ignore[union-attr]
    assert wrong.grad is not None
    assert (wrong.grad != 0).flatten().tolist() == [True, False, True, True]


def test_half_precision_predictions_are_compared_in_full() -> None:
    target = torch.full((1, 1, 2, 2), 1.001)
    losses = depth_losses(torch.ones(1, 1, 2, 2, dtype=torch.bfloat16), target)
    assert losses['depth/absolute'].item() == pytest.approx(.0005, rel=1e-3)
