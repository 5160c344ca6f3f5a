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

"""Adversarial features with shared batch norm: the AdaDepth and DANN family."""

import torch

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.discriminator import (
    confusion_loss, discriminator_accuracy, discriminator_loss, DomainDiscriminator)
from mde_ros.adaptation.lfda_config import LfdaConfig
from mde_ros.adaptation.methods.base import Batch, evaluated, Method, to_network
from mde_ros.adaptation.methods.lfda import adversarial_ramp, ALIGNED, DISCRIMINATOR_RATE
from mde_ros.network.batch_norm import copy_domain, SOURCE, TARGET, use_domain
from mde_ros.network.depth_network import DepthNetwork


# As LFDA's, so that the two differ in nothing else.
ALIGNMENT = LfdaConfig().alignment


class Adversary(Method[DepthNetwork]):
    """
    Align all features by a domain discriminator (Ganin et al. 2016; Kundu et al. 2018).

    One set of batch statistics serves both domains and nothing separates style from content:
    exactly what LFDA adds is missing.
    """

    name = 'adversary'
    summary = 'adversarial features, shared batch norm (AdaDepth / DANN)'

    def build(self) -> None:
        """Add the discriminator."""
        self.discriminator = DomainDiscriminator(self.network.content_encoder.channels[ALIGNED])
        self.modules['discriminator'] = self.discriminator
        self.optimisers['discriminator'] = torch.optim.Adam(
            self.discriminator.parameters(), DISCRIMINATOR_RATE, (.5, .999))

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the source's depth loss and the alignment."""
        count = len(batch.image)
        images = to_network(torch.cat((batch.image, batch.target)))
        with use_domain(self.network, SOURCE):
            content = self.network.content_encoder(images)
            predicted = self.network.decode([tap[:count] for tap in content])
        terms = depth_losses(predicted, batch.log_depth)
        seen = content[ALIGNED]
        frozen = self.discriminator.requires_grad_(False)
        with evaluated(frozen):
            aligned = confusion_loss(frozen([t[:count] for t in seen]),
                                     frozen([t[count:] for t in seen]))
        terms['alignment'] = ALIGNMENT * adversarial_ramp(progress) * aligned
        self._seen = [tap.detach() for tap in seen]
        self._count = count
        return terms

    def after_step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Train the discriminator."""
        del batch, progress
        self.discriminator.requires_grad_(True)
        source = self.discriminator([tap[:self._count] for tap in self._seen])
        target = self.discriminator([tap[self._count:] for tap in self._seen])
        loss = discriminator_loss(source, target)
        self.minimise('discriminator', loss)
        return {'discriminator/loss': float(loss.detach()),
                'discriminator/accuracy': discriminator_accuracy(source, target)}

    def result(self) -> DepthNetwork:
        """Return the averaged network; both domains share its statistics."""
        network = super().result()
        copy_domain(network, SOURCE, TARGET)
        return network
