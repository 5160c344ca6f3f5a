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

"""The domain discriminator of the feature alignment, and its losses."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

# Label smoothing of the discriminator (ELS, ICLR 2023): an over-confident one is unstable.
SMOOTHING = .1


class DomainDiscriminator(nn.Module):
    """
    Tell patches of two domains' content apart; fully convolutional, any resolution.

    It computes in float32 under any autocast: it is small, and the power iterations of spectral
    normalisation refuse mixed types.

    :param channels: of the content at each tap it sees; finer taps are pooled to the coarsest.
    :param condition: further input channels, such as a downsampled prediction.
    """

    def __init__(self, channels: Sequence[int], condition: int = 0, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = sum(channels) + condition
        for outputs, kernel in ((width, 1), (width, 3), (width, 3)):
            layers += [spectral_norm(nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2)),
                       nn.LeakyReLU(.2)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(inputs, 1, 1)))

    def forward(self, content: Sequence[torch.Tensor],
                condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return N x 1 x h x w logits, positive for source."""
        height, width = content[-1].shape[-2:]
        size = (height, width)
        with torch.autocast(content[-1].device.type, enabled=False):
            parts = [functional.adaptive_avg_pool2d(tap.float(), size) for tap in content]
            if condition is not None:
                parts.append(functional.adaptive_avg_pool2d(condition.float(), size))
            out: torch.Tensor = self.layers(torch.cat(parts, 1))
        return out


def discriminator_loss(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the discriminator's loss on its logits of both domains, labels smoothed."""
    loss = functional.binary_cross_entropy_with_logits
    return (loss(source, torch.full_like(source, 1 - SMOOTHING))
            + loss(target, torch.full_like(target, SMOOTHING))) / 2


def confusion_loss(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """
    Return the encoder's loss: the discriminator shall be undecided on either domain.

    The minimum is log 2, at logit 0 (DRIT's form: half instead of flipped labels).
    """
    loss = functional.binary_cross_entropy_with_logits
    return (loss(source, torch.full_like(source, .5))
            + loss(target, torch.full_like(target, .5))) / 2


def discriminator_accuracy(source: torch.Tensor, target: torch.Tensor) -> float:
    """Return the share of patches told right, the mean of both domains."""
    return float(((source > 0).float().mean() + (target <= 0).float().mean()) / 2)
