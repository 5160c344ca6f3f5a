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

"""
The supervised depth loss, on log depth: scale-invariant, absolute and of gradients.

Every term is taken image by image and then as a mean, so that several processes that share a
batch have together the loss of one.
"""

import torch

VARIANCE_FOCUS = .85
GRADIENT_SCALES = 4


def image_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    Return the mean over images of each one's mean within ``mask``; 0 for an image without.

    :param values: N x 1 x H x W, 0 outside the mask.
    """
    return (values.sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)).mean()


def silog_loss(difference: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    Return the root of the scale-invariant log error (Eigen et al. 2014, focus .85).

    :param difference: N x 1 x H x W log depth, predicted minus true, 0 outside ``mask``.
    """
    count = mask.sum((1, 2, 3)).clamp(min=1)
    mean = difference.sum((1, 2, 3)) / count
    square = (difference ** 2).sum((1, 2, 3)) / count
    # var + (1 - focus) mean^2; the small constant keeps the root's gradient finite.
    return torch.sqrt((square - VARIANCE_FOCUS * mean ** 2).clamp(min=0) + 1e-4).mean()


def absolute_loss(difference: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute log error: what makes the depth metric."""
    return image_mean(difference.abs(), mask)


def gradient_loss(difference: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the multi-scale gradient matching loss (Li and Snavely 2018): sharp edges."""
    total = difference.new_zeros(())
    for scale in range(GRADIENT_SCALES):
        d, m = difference[..., ::2 ** scale, ::2 ** scale], mask[..., ::2 ** scale, ::2 ** scale]
        if min(d.shape[-2:]) < 2:
            break
        across, down = m[..., :, 1:] & m[..., :, :-1], m[..., 1:, :] & m[..., :-1, :]
        total = (total
                 + image_mean((d[..., :, 1:] - d[..., :, :-1]).abs() * across, across)
                 + image_mean((d[..., 1:, :] - d[..., :-1, :]).abs() * down, down))
    return total / GRADIENT_SCALES


def depth_losses(predicted: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
    """
    Return the weighted terms of the depth loss by name; their sum is the loss.

    :param predicted: N x 1 x H x W log depth.
    :param target: the same shape, NaN where there is no label.
    """
    mask = torch.isfinite(target)
    difference = torch.where(mask, predicted.float() - target, 0.)
    return {'depth/silog': silog_loss(difference, mask),
            'depth/absolute': .5 * absolute_loss(difference, mask),
            'depth/gradient': .5 * gradient_loss(difference, mask)}
