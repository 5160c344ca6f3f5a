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

"""The decomposition loss: what counts as content, what as style, and where."""

import pytest
import torch

from mde_ros.adaptation.decomposition_loss import (
    content_distance, CONTENT_WEIGHTS, style_distance, STYLE_WEIGHTS)

SIZES = ((4, 16, 20), (6, 8, 10), (8, 4, 5), (8, 2, 3))


def make_features(seed: int = 0, count: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, *size, generator=generator) * 2 + 1 for size in SIZES]


def restyled(features: list[torch.Tensor]) -> list[torch.Tensor]:
    """Give every channel of every image another mean and spread."""
    generator = torch.Generator().manual_seed(9)
    return [f * (torch.rand(*f.shape[:2], 1, 1, generator=generator) + .5)
            + torch.randn(*f.shape[:2], 1, 1, generator=generator) for f in features]


def shuffled(features: list[torch.Tensor]) -> list[torch.Tensor]:
    """Move the pixels about, all channels alike."""
    generator = torch.Generator().manual_seed(9)
    return [f.flatten(2)[..., torch.randperm(f[0, 0].numel(), generator=generator)].view_as(f)
            for f in features]


def test_nothing_between_equals() -> None:
    features = make_features()
    assert content_distance(features, features) == 0
    assert style_distance(features, features) == 0


def test_content_ignores_style_and_sees_the_layout() -> None:
    features = make_features()
    assert content_distance(restyled(features), features) < 1e-3
    assert content_distance(shuffled(features), features) > .5


def test_style_ignores_the_layout_and_sees_the_statistics() -> None:
    features = make_features()
    assert style_distance(shuffled(features), features) < 1e-5
    assert style_distance(restyled(features), features) > .2


def test_style_belongs_to_its_own_image() -> None:
    features = make_features()
    brighter = [f + torch.tensor([0., 4.]).view(2, 1, 1, 1) for f in features]
    swapped = [f.flip(0) for f in brighter]
    assert style_distance(brighter, brighter) == 0
    assert style_distance(swapped, brighter) > 1


def test_style_by_hand() -> None:
    # One image of two channels: deviations 1 and 3, so the unit is 2.
    pattern = torch.tensor([-1., 1.]).view(1, 1, 1, 2)
    theirs = torch.cat((pattern, 3 * pattern), 1)
    ours = torch.cat((pattern + 4, 5 * pattern), 1)
    # Means differ by 4 and 0, deviations by 0 and 2: (2 + 0) / 2 + (0 + 1) / 2.
    for layer, weight in enumerate(STYLE_WEIGHTS):
        a, b = [theirs] * 4, [theirs] * 4
        a[layer] = ours
        assert style_distance(a, b).item() == pytest.approx(
            1.5 * weight / sum(STYLE_WEIGHTS), rel=1e-4)


def test_content_by_hand() -> None:
    pattern = torch.tensor([-1., 1.]).view(1, 1, 1, 2)
    # Normalised, a pattern and its negative are 2 apart everywhere, whatever their contrast.
    for layer, weight in enumerate(CONTENT_WEIGHTS):
        a, b = [pattern] * 4, [pattern] * 4
        a[layer] = -3 * pattern
        assert content_distance(a, b).item() == pytest.approx(
            2 * weight / sum(CONTENT_WEIGHTS), rel=1e-4)


def test_style_is_judged_low_and_content_high() -> None:
    assert list(STYLE_WEIGHTS) == sorted(STYLE_WEIGHTS, reverse=True)
    assert list(CONTENT_WEIGHTS) == sorted(CONTENT_WEIGHTS)
    assert STYLE_WEIGHTS[0] > STYLE_WEIGHTS[-1] and CONTENT_WEIGHTS[0] < CONTENT_WEIGHTS[-1]


def test_style_does_not_depend_on_the_magnitude_of_a_layer() -> None:
    ours, theirs = make_features(0), make_features(1)
    louder = [[f * 100 for f in features] for features in (ours, theirs)]
    assert style_distance(*louder).item() == pytest.approx(
        style_distance(ours, theirs).item(), rel=1e-3)


@pytest.mark.parametrize('distance', [content_distance, style_distance])
def test_dead_channels_have_finite_gradients(distance: object) -> None:
    # As of a ReLU that never fires on an image.
    ours = [torch.zeros_like(f).requires_grad_() for f in make_features()]
    theirs = make_features(1)
    theirs[0][:, 1] = 0
    loss = distance(ours, theirs)  # type: ignore[operator]
    loss.backward()
    assert loss.isfinite()
    assert all(f.grad is not None and f.grad.isfinite().all() for f in ours)


def test_gradients_lead_to_the_wanted_style() -> None:
    ours = [f.requires_grad_() for f in make_features(0)]
    theirs = restyled(make_features(1))
    optimiser = torch.optim.Adam(ours, .05)
    first = style_distance(ours, theirs).item()
    for _ in range(30):
        optimiser.zero_grad()
        style_distance(ours, theirs).backward()
        optimiser.step()
    assert style_distance(ours, theirs).item() < .5 * first


def test_half_precision_features_are_compared_in_float32() -> None:
    ours, theirs = make_features(0), make_features(1)
    halves = [[f.bfloat16() for f in features] for features in (ours, theirs)]
    for distance in (content_distance, style_distance):
        assert distance(*halves).item() == pytest.approx(
            distance(ours, theirs).item(), rel=.05)


def test_all_four_layers_are_needed() -> None:
    with pytest.raises(ValueError):
        content_distance(make_features(), make_features()[:3])
