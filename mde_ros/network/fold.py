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

"""Folding batch statistics and the style code into the convolutions, for inference."""

import copy

import torch
from torch import nn

from mde_ros.network.batch_norm import SeparateBatchNorm2d, TARGET
from mde_ros.network.convolution import ConvNormAct
from mde_ros.network.depth_network import DepthNetwork


def fold_network(network: DepthNetwork, domain: str = TARGET) -> DepthNetwork:
    """
    Return a copy for inference whose convolutions hold statistics and style of ``domain``.

    The copy computes what ``network.eval()`` computes on that domain with its constant
    ``style_code``, up to rounding, without normalisation layers and style encoders.
    """
    folded = copy.deepcopy(network).eval()
    with torch.no_grad():
        for block in folded.modules():
            if isinstance(block, ConvNormAct):
                _fold_block(block, folded.style_code, domain)
    folded.style_encoders = nn.ModuleDict()
    for parameter in folded.parameters():
        parameter.requires_grad_(False)
    return folded


def _fold_block(block: ConvNormAct, style_code: torch.Tensor, domain: str) -> None:
    assert isinstance(block.norm, SeparateBatchNorm2d)
    scale, shift = block.norm.folded(domain)
    if block.style is not None:
        gamma, beta = block.modulation(style_code[None])
        scale, shift = scale * (1 + gamma[0]), shift * (1 + gamma[0]) + beta[0]
    conv = block.conv
    conv.weight.mul_(scale[:, None, None, None])
    conv.bias = nn.Parameter(shift.clone())
    block.norm = nn.Identity()
    block.style = None
