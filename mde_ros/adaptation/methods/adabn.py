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

"""AdaBN: the source's network on the target's batch statistics."""

import torch

from mde_ros.adaptation.methods.base import (
    Batch, copy_affine, Method, SourceOnly, to_network)
from mde_ros.network.batch_norm import SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork


class AdaBn(SourceOnly):
    """
    Train on the source; let target images set their own statistics (Li et al. 2017).

    The cheapest adaptation there is, and what separate batch norm does before any loss.
    """

    name = 'adabn'
    needs_target = True
    summary = 'source only, target batch statistics'

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the source's depth loss; the target only passes through."""
        terms = super().losses(batch, progress)
        # Only the source has labels that train a scale and shift.
        copy_affine(self.network, SOURCE, TARGET)
        # After the source: autocast of older PyTorch keeps weights cast without gradients.
        with torch.no_grad():
            self.network.forward_domain(to_network(batch.target), TARGET)
        return terms

    def result(self) -> DepthNetwork:
        """Return the averaged network on the target's own statistics."""
        return Method.result(self)
