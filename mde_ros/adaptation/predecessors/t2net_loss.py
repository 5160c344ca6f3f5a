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

"""T2Net's losses over its output scales."""

from collections.abc import Sequence

import torch
from torch.nn import functional


def resize_labels(label: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """
    Return N x 1 x H x W labels at another size; NaN where any of their neighbours is.

    Coarser ones are bilinear between the corners as in T2Net, finer ones repeat the nearest.
    """
    if size[0] >= label.shape[-2]:
        return functional.interpolate(label, size, mode='nearest')
    # A weight of 0 times NaN is NaN: neighbours without weight would spoil their surroundings.
    known = torch.isfinite(label)
    share = functional.interpolate(known.float(), size, mode='bilinear', align_corners=True)
    value = functional.interpolate(
        torch.where(known, label, 0.), size, mode='bilinear', align_corners=True)
    return torch.where(share > .999, value, torch.nan)


def scales_loss(outputs: Sequence[torch.Tensor], label: torch.Tensor) -> torch.Tensor:
    """
    Return the mean absolute differences, summed over the scales.

    :param outputs: N x 1 x h x w each.
    :param label: N x 1 x H x W, NaN where there is none.
    """
    total = outputs[0].new_zeros(())
    for output in outputs:
        wanted = resize_labels(label, (output.shape[-2], output.shape[-1]))
        known = torch.isfinite(wanted)
        difference = torch.where(known, output.float() - wanted, 0.)
        total = total + difference.abs().sum() / known.sum().clamp(min=1)
    return total


def smoothness_loss(outputs: Sequence[torch.Tensor], image: torch.Tensor) -> torch.Tensor:
    """
    Return the gradients of depth where the image has none, halved from scale to scale.

    :param outputs: N x 1 x h x w each, the coarsest, which counts most, first.
    :param image: N x 3 x H x W.
    """
    total = outputs[0].new_zeros(())
    for index, output in enumerate(outputs):
        output = output.float()
        picture = functional.interpolate(
            image.float(), output.shape[-2:], mode='bilinear', align_corners=True)
        for axis in (-1, -2):
            weight = torch.exp(-picture.diff(dim=axis).abs().mean(1, keepdim=True))
            total = total + (output.diff(dim=axis).abs() * weight).mean() / 2 ** index
    return total


def translation_accuracy(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Return the share that a least squares discriminator tells right."""
    return float(((real > .5).float().mean() + (fake <= .5).float().mean()) / 2)
