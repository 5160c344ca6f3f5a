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

"""Parameters and multiply-accumulates, counted by public counters."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Complexity:
    """
    Cost of one forward pass.

    :param parameters: of the inference path.
    :param gmacs: 1e9 multiply-accumulates of convolutions and matrix products.
    """

    parameters: int
    gmacs: float


def count(network: nn.Module, width: int, height: int) -> Complexity:
    """Count one image of ``width`` x ``height`` through ``network`` with PyTorch's counter."""
    image = torch.zeros(1, 3, height, width, device=next(network.parameters()).device)
    was_training = network.training
    network.eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(image)
    network.train(was_training)
    # The counter reports two operations, multiply and add, for each.
    return Complexity(sum(p.numel() for p in network.parameters()),
                      counter.get_total_flops() / 2e9)
