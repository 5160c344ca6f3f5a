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

"""T2Net's image translation: any image in, the same scene as a target image out."""

import torch
from torch import nn

from mde_ros.adaptation.predecessors.t2net_blocks import (
    convolution, down, InceptionBlock, initialise, up)

RESIDUAL_BLOCKS = 7


class T2NetTranslator(nn.Module):
    """
    Two strides down, seven residual blocks, two up.

    :param channels: of the first layer; the published network has 64.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        c = channels
        act = nn.PReLU()
        self.encoder = nn.Sequential(
            convolution(3, c, 7, act, 'reflect'), down(c, 2 * c, act), down(2 * c, 2 * c, act),
            *(InceptionBlock(2 * c, 1, act) for _ in range(RESIDUAL_BLOCKS)))
        self.decoder = nn.Sequential(
            up(2 * c, 2 * c, 2 * c, act), up(2 * c, 2 * c, c, act),
            nn.Conv2d(c, 3, 7, padding=3, padding_mode='reflect'))
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """
        Return images of the same shape, float32.

        :param image: N x 3 x H x W in [-1, 1], sides multiples of 4.
        """
        return torch.tanh(self.decoder(self.encoder(image)).float())
