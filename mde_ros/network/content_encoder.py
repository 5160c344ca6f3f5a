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

"""The content encoder, shared by all cameras: MobileNetV2 with separate batch norm."""

import torch
from torch import nn

from mde_ros.network.convolution import ConvNormAct

# Expansion, channels, repeats, stride: table 2 of Sandler et al., "MobileNetV2", CVPR 2018.
STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
    (6, 160, 3, 2), (6, 320, 1, 1))
# The last block at each resolution: its output is tapped for the decoder.
TAPPED_STAGES = (0, 1, 2, 4, 6)
TAP_STRIDES = (2, 4, 8, 16, 32)


def round_channels(channels: float, divisor: int = 8) -> int:
    """Return the multiple of ``divisor`` nearest to ``channels``, as MobileNet rounds."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < .9 * channels else rounded


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, project; add the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int,
                 affine: str) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers = [ConvNormAct(inputs, hidden, 1, affine=affine)] if expansion != 1 else []
        layers += [
            ConvNormAct(hidden, hidden, 3, stride, groups=hidden, affine=affine),
            ConvNormAct(hidden, outputs, 1, activation='none', affine=affine)]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return N x outputs x H / stride x W / stride."""
        out: torch.Tensor = self.layers(features)
        return features + out if self.residual else out


class ContentEncoder(nn.Module):
    """
    MobileNetV2 without its classifier.

    :param width: multiplier of all channels; 1.0 fits the ImageNet weights.
    """

    def __init__(self, width: float = 1.0, affine: str = 'shared') -> None:
        super().__init__()
        channels = round_channels(32 * width)
        self.stem = ConvNormAct(3, channels, 3, 2, affine=affine)
        self.stages = nn.ModuleList()
        self.channels: list[int] = []
        for index, (expansion, outputs, repeats, stride) in enumerate(STAGES):
            outputs = round_channels(outputs * width)
            blocks = [InvertedResidual(channels if i == 0 else outputs, outputs,
                                       stride if i == 0 else 1, expansion, affine)
                      for i in range(repeats)]
            self.stages.append(nn.Sequential(*blocks))
            channels = outputs
            if index in TAPPED_STAGES:
                self.channels.append(outputs)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """
        Return the content at strides 2, 4, 8, 16 and 32.

        :param image: N x 3 x H x W in [-1, 1].
        """
        features = self.stem(image)
        content = []
        for index, stage in enumerate(self.stages):
            features = stage(features)
            if index in TAPPED_STAGES:
                content.append(features)
        return content
