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

"""The image generator of the feature decomposition; only training needs it."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

# The strides of the content that the generator sees: finer content would carry the style.
USED = slice(2, 5)
EPS = 1e-5


class AdaptiveInstanceNorm(nn.Module):
    """Instance normalisation whose scale and shift come from the style (Huang et al. 2017)."""

    def __init__(self, channels: int, style_channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(style_channels, 2 * channels)

    def forward(self, features: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Return N x C x H x W; ``style`` is N x S."""
        scale, shift = self.project(style)[..., None, None].chunk(2, 1)
        return functional.instance_norm(features, eps=EPS) * (1 + scale) + shift


class ResidualBlock(nn.Module):
    """Two convolutions, each with its style, around a shortcut."""

    def __init__(self, channels: int, style_channels: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, 1, 1) for _ in range(2))
        self.norms = nn.ModuleList(
            AdaptiveInstanceNorm(channels, style_channels) for _ in range(2))

    def forward(self, features: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        out = functional.relu(self.norms[0](self.convs[0](features), style))
        return features + self.norms[1](self.convs[1](out), style)


class ImageGenerator(nn.Module):
    """
    Any content with any style to an image at half the input's resolution.

    Content enters instance-normalised, at stride 8 and coarser, through few channels: so it
    cannot smuggle colour and texture past the style code.

    :param content_channels: channels of the content encoder's taps, strides 2 to 32.
    :param style_channels: length of the style code.
    """

    def __init__(self, content_channels: Sequence[int], style_channels: int, channels: int = 64,
                 blocks: int = 4) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(
            nn.Conv2d(c, channels, 1) for c in list(content_channels)[USED])
        self.style = nn.Sequential(
            nn.Linear(style_channels, channels), nn.ReLU(), nn.Linear(channels, channels),
            nn.ReLU())
        self.blocks = nn.ModuleList(ResidualBlock(channels, channels) for _ in range(blocks))
        widths = (channels, channels // 2, channels // 2)
        self.up = nn.ModuleList(
            nn.Conv2d(a, b, 3, 1, 1) for a, b in zip(widths, widths[1:]))
        self.up_norms = nn.ModuleList(AdaptiveInstanceNorm(b, channels) for b in widths[1:])
        self.head = nn.Conv2d(widths[-1], 3, 5, 1, 2)

    def forward(self, content: Sequence[torch.Tensor], style: torch.Tensor) -> torch.Tensor:
        """
        Return N x 3 x H / 2 x W / 2 images in [-1, 1].

        :param content: of the content encoder, strides 2 to 32.
        :param style: N x S.
        """
        used = list(content)[USED]
        features: torch.Tensor | None = None
        for reduce, tap in zip(self.reduce, used):
            part = reduce(functional.instance_norm(tap.float(), eps=EPS))
            if features is None:
                features = part
            else:
                features = features + functional.interpolate(
                    part, size=features.shape[-2:], mode='nearest')
        assert features is not None
        code = self.style(style)
        for block in self.blocks:
            features = block(features, code)
        sizes = (content[1].shape[-2:], content[0].shape[-2:])
        for conv, norm, size in zip(self.up, self.up_norms, sizes):
            features = functional.interpolate(features, size=size, mode='nearest')
            features = functional.relu(norm(conv(features), code))
        # Float32: steps of bfloat16 near 1 are those of a grey level.
        return torch.tanh(self.head(features).float())


def change_style(image: torch.Tensor, rebuilt: torch.Tensor, transferred: torch.Tensor
                 ) -> torch.Tensor:
    """
    Return images in another style at their own resolution.

    What the generator changes between reconstruction and transfer is added to the image: details
    that it cannot paint stay, and a generator that knows no style yet changes nothing.

    :param image: N x 3 x H x W in [-1, 1].
    :param rebuilt: N x 3 x h x w, the generator's reconstruction of the images.
    :param transferred: N x 3 x h x w, their content in the other style.
    """
    change = functional.interpolate(
        transferred - rebuilt, size=image.shape[-2:], mode='bilinear', align_corners=False)
    return (image + change).clamp(-1, 1)
