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

"""T2Net's losses over scales, by hand."""

import math

import pytest
import torch

from mde_ros.adaptation.predecessors.t2net_loss import (
    resize_labels, scales_loss, smoothness_loss, translation_accuracy)

NAN = math.nan


def test_labels_at_other_sizes() -> None:
    label = torch.tensor([[0., 1., 2.], [3., 4., 5.], [6., 7., 8.]]).view(1, 1, 3, 3)
    # Coarser: the corners stay corners.
    assert resize_labels(label, (2, 2)).flatten().tolist() == [0, 2, 6, 8]
    assert resize_labels(label, (3, 3)).flatten().tolist() == list(range(9))
    assert resize_labels(label[..., :1, :], (2, 6)).tolist() == [
        [[[0, 0, 1, 1, 2, 2]] * 2]]


def test_unknown_labels_spoil_only_what_they_touch() -> None:
    label = torch.zeros(1, 1, 5, 5)
    label[0, 0, 0, 0] = NAN
    coarse = resize_labels(label, (3, 3))
    assert coarse.isnan().sum() == 1 and coarse[0, 0, 0, 0].isnan()
    # (4, 4) lies between the pixels: its corner takes the corner alone, its inside does not.
    assert resize_labels(label, (4, 4)).isnan().nonzero()[:, 2:].tolist() == [[0, 0]]
    label[0, 0, 2, 2] = NAN
    assert resize_labels(label, (4, 4)).isnan().sum() == 5


def test_scales_are_summed_means_over_labels() -> None:
    label = torch.tensor([[1., 2.], [NAN, 4.]]).view(1, 1, 2, 2)
    fine = torch.tensor([[1.5, 2.], [9., 1.]]).view(1, 1, 2, 2).requires_grad_()
    assert scales_loss([fine], label).item() == pytest.approx((.5 + 0 + 3) / 3)
    assert scales_loss([fine, fine], label).item() == pytest.approx(2 * 3.5 / 3)
    scales_loss([fine], label).backward()
    assert fine.grad is not None
    assert fine.grad.flatten().tolist() == pytest.approx([1 / 3, 0, 0, -1 / 3])
    nothing = scales_loss([fine], torch.full((1, 1, 2, 2), NAN))
    assert nothing.item() == 0


def test_smoothness_by_hand() -> None:
    depth = torch.tensor([[0., 1.], [0., 3.]]).view(1, 1, 2, 2)
    flat = torch.zeros(1, 3, 2, 2)
    # Across: (1 + 3) / 2; down: (0 + 2) / 2.
    assert smoothness_loss([depth], flat).item() == pytest.approx(3)
    # The second scale, here of the same size, counts half.
    assert smoothness_loss([depth, depth], flat).item() == pytest.approx(4.5)
    # An edge of the image across, 2 in one of three channels, excuses the edge of depth.
    image = flat.clone()
    image[0, 0, :, 1] = 2
    assert smoothness_loss([depth], image).item() == pytest.approx(2 * math.exp(-2 / 3) + 1)


def test_smoothness_resizes_the_image() -> None:
    depth = torch.tensor([[0., 1.], [0., 3.]]).view(1, 1, 2, 2)
    image = torch.rand(1, 3, 8, 8)
    corners = image[..., ::7, ::7]
    torch.testing.assert_close(smoothness_loss([depth], image),
                               smoothness_loss([depth], corners))


def test_accuracy() -> None:
    real, fake = torch.tensor([.9, .6, .4, 0.]), torch.tensor([.5, -1.])
    assert translation_accuracy(real, fake) == pytest.approx(.75)
