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

"""The style encoder: one short code for a camera's colour and texture."""

import torch
from torch import nn
from torch.nn import functional

CHANNELS = (16, 32, 64, 64)


class StyleEncoder(nn.Module):
    """
    Four strided convolutions, global average, a linear layer; each domain has its own.

    No normalisation: it would remove the very statistics that style consists of.

    :param code_channels: length of the code.
    """

    def __init__(self, code_channels: int = 8) -> None:
        super().__init__()
        inputs = (3, *CHANNELS[:-1])
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, 2, 1) for i, o in zip(inputs, CHANNELS))
        self.project = nn.Linear(CHANNELS[-1], code_channels)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return N x code_channels of N x 3 x H x W images in [-1, 1]."""
        features = image
        for conv in self.convs:
            features = functional.relu(conv(features))
        code: torch.Tensor = self.project(features.mean((2, 3)))
        return code
