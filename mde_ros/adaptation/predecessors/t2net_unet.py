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

"""T2Net's task network: the U-Net that CrDoCo, DESC, 3D-PL and SemiSupMDE use as well."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from mde_ros.adaptation.predecessors.t2net_blocks import (
    convolution, down, InceptionBlock, initialise, up)

# How much of the encoder's features the decoder sees at strides 8, 4 and 2.
SKIPS = (.1, .05, .01)
STRIDE = 16
CENTRE_BLOCKS = 3


@dataclass(frozen=True)
class T2NetConfig:
    """
    What determines the network and the meaning of its output.

    :param channels: of the first layer; the published network has 64.
    :param max_depth: metres at the upper end of tanh's range; its lower end is 0.
    :param min_depth: metres below which no depth is given, as the logarithm needs.
    :param canonical_focal: None for depth as published: metres whatever the lens; else the
        focal length in pixels at which the output is depth, as of
        :class:`mde_ros.network.depth_network.NetworkConfig`.
    """

    channels: int = 64
    max_depth: float = 20.0
    min_depth: float = 0.1
    canonical_focal: float | None = None


class OutputBlock(nn.Module):
    """A convolution and tanh, in float32 under any autocast: its output is depth."""

    def __init__(self, inputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 1, kernel, padding=kernel // 2, bias=False,
                              padding_mode='reflect')

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return N x 1 x H x W between -1 and 1."""
        with torch.autocast(features.device.type, enabled=False):
            return torch.tanh(self.conv(features.float()))


class T2NetUnet(nn.Module):
    """
    Four strides down, three blocks of dilations 1, 3 and 5, four up, an output at each.

    One PReLU, with one parameter, serves all layers.
    """

    def __init__(self, config: T2NetConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        act = nn.PReLU()
        self.encoder = nn.ModuleList([
            nn.Sequential(convolution(3, c, 7, act, 'reflect'), nn.AvgPool2d(2)),
            down(c, 2 * c, act), down(2 * c, 4 * c, act), down(4 * c, 8 * c, act)])
        self.centre = nn.Sequential(
            *(InceptionBlock(8 * c, CENTRE_BLOCKS, act) for _ in range(CENTRE_BLOCKS)),
            up(8 * c, 8 * c, 4 * c, act))
        # Features from below, the encoder's of that stride, and the output from below.
        inputs = (4 * c + 4 * c, 2 * c + 2 * c + 1, c + c + 1)
        self.decoder = nn.ModuleList(
            up(i, middle, o, act)
            for i, middle, o in zip(inputs, (8 * c, 4 * c, 2 * c), (2 * c, c, c // 2)))
        self.outputs = nn.ModuleList(
            [*(OutputBlock(i, 3) for i in inputs), OutputBlock(c // 2 + 1, 7)])
        initialise(self)

    def scales(self, image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """
        Return the deepest features and tanh depth, coarsest first.

        :param image: N x 3 x H x W in [-1, 1], sides multiples of 16 and at least 96.
        :return: N x 8 C x H / 16 x W / 16, and N x 1 at strides 8, 4, 2 and 1.
        """
        skips, features = [], image
        for stage in self.encoder:
            features = stage(features)
            skips.append(features)
        deepest = skips.pop()
        features = self.centre(deepest)
        outputs: list[torch.Tensor] = []
        for index, weight in enumerate(SKIPS):
            parts = [features, skips.pop() * weight, *self._below(outputs)]
            joined = torch.cat(parts, 1)
            outputs.append(self.outputs[index](joined))
            features = self.decoder[index](joined)
        outputs.append(self.outputs[-1](torch.cat([features, *self._below(outputs)], 1)))
        return deepest, outputs

    @staticmethod
    def _below(outputs: list[torch.Tensor]) -> list[torch.Tensor]:
        return [functional.interpolate(output, scale_factor=2, mode='nearest')
                for output in outputs[-1:]]

    def to_tanh(self, depth: torch.Tensor) -> torch.Tensor:
        """Return depth in the network's range, linear, what lies beyond at its end."""
        return (depth * (2 / self.config.max_depth) - 1).clamp(max=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the log of depth, N x 1 x H x W; see :meth:`scales`."""
        depth = (self.scales(image)[1][-1] + 1) * (self.config.max_depth / 2)
        return depth.clamp(min=self.config.min_depth).log()
