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

"""What T2Net's networks are made of (Zheng et al., "T2Net", ECCV 2018)."""

from typing import Literal

import torch
from torch import nn


def initialise(network: nn.Module) -> None:
    """Start as T2Net does: He's normal kernels, scales of batch norm between .02 and 1."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.uniform_(layer.weight, .02, 1.)
            nn.init.zeros_(layer.bias)


def convolution(inputs: int, outputs: int, kernel: int, activation: nn.Module,
                mode: Literal['zeros', 'reflect'] = 'zeros') -> nn.Sequential:
    """Return a convolution that keeps the size, with batch norm and activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, padding_mode=mode),
        nn.BatchNorm2d(outputs), activation)


def down(inputs: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    """Return two 3 x 3 convolutions and a mean over 2 x 2."""
    return nn.Sequential(
        convolution(inputs, outputs, 3, activation), convolution(outputs, outputs, 3, activation),
        nn.AvgPool2d(2))


def up(inputs: int, middle: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    """Return a 3 x 3 convolution and a transposed one that doubles the size."""
    return nn.Sequential(
        convolution(inputs, middle, 3, activation, 'reflect'),
        nn.ConvTranspose2d(middle, outputs, 3, 2, 1, 1), nn.BatchNorm2d(outputs), activation)


class InceptionBlock(nn.Module):
    """
    A residual block whose first layer looks at several dilations at once: 1, 3, 5 ...

    :param branches: number of dilations.
    """

    def __init__(self, channels: int, branches: int, activation: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=d, dilation=d, bias=False,
                      padding_mode='reflect') for d in range(1, 2 * branches, 2))
        self.branch_norm = nn.BatchNorm2d(channels * branches)
        self.join = nn.Conv2d(channels * branches, channels, 3, padding=1, bias=False,
                              padding_mode='reflect')
        self.norm = nn.BatchNorm2d(channels)
        self.activation = activation

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        seen = torch.cat([branch(features) for branch in self.branches], 1)
        joined = self.norm(self.join(self.activation(self.branch_norm(seen))))
        out: torch.Tensor = self.activation(features + joined)
        return out
