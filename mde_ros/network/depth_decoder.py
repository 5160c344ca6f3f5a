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

"""The depth decoder: content of either domain and the target's style to log depth."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from mde_ros.network.convolution import ConvNormAct


class FusionBlock(nn.Module):
    """Upsample, concatenate the content of that resolution, convolve."""

    def __init__(self, inputs: int, skip: int, outputs: int, kind: str, affine: str,
                 style_channels: int, style_mode: str) -> None:
        super().__init__()
        joined = inputs + skip
        self.depthwise = ConvNormAct(
            joined, joined, 3, groups=joined, activation='none',
            affine=affine) if kind == 'depthwise' else None
        self.fuse = ConvNormAct(
            joined, outputs, 1 if kind == 'depthwise' else 3, affine=affine,
            style_channels=style_channels, style_mode=style_mode)

    def forward(self, features: torch.Tensor, skip: torch.Tensor,
                style: torch.Tensor | None) -> torch.Tensor:
        """Return N x outputs at the size of ``skip``."""
        features = functional.interpolate(features, size=skip.shape[-2:], mode='nearest')
        features = torch.cat((features, skip), 1)
        if self.depthwise is not None:
            features = self.depthwise(features)
        out: torch.Tensor = self.fuse(features, style)
        return out


class DepthDecoder(nn.Module):
    """
    A U-Net decoder from stride 32 to stride 2 and a head.

    :param content_channels: channels of the content at strides 2, 4, 8, 16, 32.
    :param channels: outputs of the fusion blocks at strides 16, 8, 4, 2.
    :param kind: 'dense' for full 3x3 convolutions, 'depthwise' for separable ones.
    """

    def __init__(self, content_channels: Sequence[int], channels: Sequence[int], kind: str,
                 affine: str, style_channels: int, style_mode: str) -> None:
        super().__init__()
        deepest, *skips = list(content_channels)[::-1]
        self.bottleneck = ConvNormAct(deepest, channels[0], 1, affine=affine,
                                      style_channels=style_channels, style_mode=style_mode)
        inputs = [channels[0], *channels[:-1]]
        self.blocks = nn.ModuleList(
            FusionBlock(i, s, o, kind, affine, style_channels, style_mode)
            for i, s, o in zip(inputs, skips, channels))
        self.head = nn.Conv2d(channels[-1], 1, 3, 1, 1)

    def forward(self, content: Sequence[torch.Tensor],
                style: torch.Tensor | None) -> torch.Tensor:
        """Return N x 1 x H / 2 x W / 2, unbounded; ``style`` is N x S or None."""
        deepest, *skips = list(content)[::-1]
        features = self.bottleneck(deepest, style)
        for block, skip in zip(self.blocks, skips):
            features = block(features, skip, style)
        if features.dtype != torch.float32:
            # Depth in bfloat16 would have steps of 1 to 3 %: neighbouring pixels become equal.
            with torch.autocast(features.device.type, enabled=False):
                full: torch.Tensor = self.head(features.float())
                return full
        out: torch.Tensor = self.head(features)
        return out
