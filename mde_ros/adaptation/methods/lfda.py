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

"""LFDA: feature decomposition, content alignment, separate batch norm, one stage."""

import math
from typing import cast

import torch
from torch.nn import functional

from mde_ros.adaptation.decomposition_loss import content_distance, style_distance
from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.discriminator import (
    confusion_loss, discriminator_accuracy, discriminator_loss, DomainDiscriminator)
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.generator import change_style, ImageGenerator
from mde_ros.adaptation.methods.base import (
    Batch, copy_affine, evaluated, Method, still_statistics, to_network)
from mde_ros.adaptation.recognition import half_size, make_recognition
from mde_ros.network.batch_norm import copy_domain, SOURCE, TARGET, use_domain
from mde_ros.network.depth_network import DepthNetwork

# Weights of the terms; the article gives none. Depth is 1. With ten times these the gradients of
# the decomposition on the encoder were ten times those of depth; to the generator and the style
# encoders, which learn from nothing else, Adam makes any scale the same.
RECONSTRUCTION, PERCEPTION = .1, .01
SWAP_CONTENT, SWAP_STYLE = .05, .1
GENERATOR_RATE, DISCRIMINATOR_RATE = 2e-4, 1e-4
STYLE_MOMENTUM = .02
# The taps the discriminator sees: strides 8 and 16.
ALIGNED = slice(2, 4)


def adversarial_ramp(progress: float) -> float:
    """Return the weight of the alignment: 0 at the start, 1 towards the end (Ganin 2016)."""
    return 2 / (1 + math.exp(-10 * progress)) - 1


class Lfda(Method[DepthNetwork]):
    """
    The article's method, faithfully: nothing but its three losses.

    * depth: the labelled source, its content decoded with the *target's* style;
    * decomposition: the generator rebuilds each image from its own content and style and gives
      each content the other domain's style; a recognition network judges, style by its lower
      layers and content by its upper ones;
    * alignment: the discriminator tells the contents apart, the encoder defeats it.

    Source and target pass separately, each on its own batch statistics.
    """

    name = 'lfda'
    summary = 'content/style decomposition, adversarial content, separate batch norm'

    def build(self) -> None:
        """Add generator, discriminator and recognition network."""
        if not self.config.network.style_channels:
            raise TrainingError(f'style_channels = 0: method {self.name} needs a style code')
        if (smallest := min(max(w, h) for _, w, h in self.config.sizes)) <= 32:
            raise TrainingError(f'size {smallest}: method {self.name} needs a side above 32')
        self.parts = self.config.lfda
        encoder = self.network.content_encoder
        self.generator = ImageGenerator(encoder.channels, self.config.network.style_channels)
        self.discriminator = DomainDiscriminator(encoder.channels[ALIGNED])
        self.recognition = make_recognition(self.network, self.config.recognition or None)
        self.modules |= {'generator': self.generator, 'discriminator': self.discriminator,
                         'recognition': self.recognition}
        self.optimisers['generator'] = torch.optim.Adam(
            self.generator.parameters(), GENERATOR_RATE, (.5, .999))
        self.optimisers['discriminator'] = torch.optim.Adam(
            self.discriminator.parameters(), DISCRIMINATOR_RATE, (.5, .999))

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the terms of the three losses."""
        network = self.network
        source, target = to_network(batch.image), to_network(batch.target)
        content_s, content_t = self._encode(source, target)
        style_s = network.encode_style(source, SOURCE)
        style_t = network.encode_style(target, TARGET)
        predicted = self._decode(content_s, content_t, style_t)
        with torch.no_grad():
            # What operation uses instead of a style encoder: the target's mean code.
            mean = cast(torch.Tensor, self.fabric.all_reduce(style_t.float().mean(0)))
            old = network.style_code
            network.style_code.copy_(torch.where(
                old.any(), torch.lerp(old, mean, STYLE_MOMENTUM), mean))
        terms = depth_losses(predicted, batch.log_depth)
        decomposition, translated = self._decomposition(
            (source, target), (content_s, content_t), (style_s, style_t))
        terms |= decomposition
        ramp = adversarial_ramp(progress)
        if self.parts.translated:
            weight = self.parts.translated * ramp
            terms |= {f'translated/{name.rpartition("/")[2]}': weight * term for name, term in
                      depth_losses(self._translated(translated, style_t),
                                   batch.log_depth).items()}
        frozen = self.discriminator.requires_grad_(False)
        with evaluated(frozen):
            aligned = confusion_loss(frozen(content_s[ALIGNED]), frozen(content_t[ALIGNED]))
        terms['alignment'] = self.parts.alignment * ramp * aligned
        self._contents = [[tap.detach() for tap in content[ALIGNED]]
                          for content in (content_s, content_t)]
        return terms

    def _encode(self, source: torch.Tensor, target: torch.Tensor
                ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return the contents of source and target."""
        encoder = self.network.content_encoder
        if self.parts.statistics == 'shared':
            with use_domain(self.network, SOURCE):
                both = encoder(torch.cat((source, target)))
            return [tap[:len(source)] for tap in both], [tap[len(source):] for tap in both]
        with use_domain(self.network, SOURCE):
            content_s = encoder(source)
        with use_domain(self.network, TARGET):
            return content_s, encoder(target)

    def _decode(self, content_s: list[torch.Tensor], content_t: list[torch.Tensor],
                style_t: torch.Tensor) -> torch.Tensor:
        """Return the source's depth; the target passes for the decoder's statistics alone."""
        network = self.network
        if self.parts.statistics == 'shared':
            both = [torch.cat((s, t.detach())) for s, t in zip(content_s, content_t)]
            with use_domain(network, SOURCE):
                return network.decode(both, torch.cat((style_t, style_t.detach())))[:len(style_t)]
        with use_domain(network, SOURCE):
            predicted = network.decode(content_s, style_t)
        with use_domain(network, TARGET), torch.no_grad():
            copy_affine(network.decoder, SOURCE, TARGET)
            network.decode(content_t, style_t)
        return predicted

    def _translated(self, image: torch.Tensor, style_t: torch.Tensor) -> torch.Tensor:
        """Return the depth of source images in the target's style, by the target's path."""
        with use_domain(self.network, self._path(TARGET)), still_statistics(self.network):
            return self.network.decode(self.network.content_encoder(image), style_t)

    def _path(self, domain: str) -> str:
        """Return whose batch statistics a domain passes on."""
        return SOURCE if self.parts.statistics == 'shared' else domain

    def _decomposition(self, images: tuple[torch.Tensor, torch.Tensor],
                       contents: tuple[list[torch.Tensor], list[torch.Tensor]],
                       styles: tuple[torch.Tensor, torch.Tensor]
                       ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Return the terms of the four recombinations, and the source in the target's style."""
        translated = images[0]
        names = ('reconstruction', 'perception', 'swap_content', 'swap_style')
        sums = {name: images[0].new_zeros(()) for name in names}
        real = [half_size(image) for image in images]
        judged = [self.recognition(image) for image in real]
        for own, other in ((0, 1), (1, 0)):
            rebuilt = self.generator(contents[own], styles[own])
            swapped = self.generator(contents[own], styles[other])
            if own == 0:
                # Detached: the generator learns from the decomposition alone.
                translated = change_style(images[0], rebuilt.detach(), swapped.detach())
            seen, seen_swapped = self.recognition(rebuilt), self.recognition(swapped)
            sums['reconstruction'] = (
                sums['reconstruction'] + functional.l1_loss(rebuilt.float(), real[own]))
            sums['perception'] = sums['perception'] + content_distance(seen, judged[own])
            sums['swap_content'] = sums['swap_content'] + content_distance(
                seen_swapped, judged[own])
            sums['swap_style'] = sums['swap_style'] + style_distance(
                seen_swapped, judged[other])
        weights = (RECONSTRUCTION, PERCEPTION, SWAP_CONTENT, SWAP_STYLE)
        return {f'decomposition/{name}': weight * sums[name]
                for name, weight in zip(names, weights)}, translated

    def result(self) -> DepthNetwork:
        """Return the averaged network; shared statistics are the source's."""
        network = super().result()
        if self.parts.statistics == 'shared':
            copy_domain(network, SOURCE, TARGET)
        return network

    def after_step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Train the discriminator on the contents of this step."""
        del batch, progress
        self.discriminator.requires_grad_(True)
        source, target = (self.discriminator(content) for content in self._contents)
        loss = discriminator_loss(source, target)
        self.minimise('discriminator', loss)
        return {'discriminator/loss': float(loss.detach()),
                'discriminator/accuracy': discriminator_accuracy(source, target)}

    def pictures(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return the images, their reconstructions and both transfers."""
        network, out = self.network, {}
        with torch.no_grad(), evaluated(network):
            images = [to_network(batch.image[:4]), to_network(batch.target[:4])]
            contents, styles = [], []
            for image, domain in zip(images, (SOURCE, TARGET)):
                with use_domain(network, self._path(domain)):
                    contents.append(network.content_encoder(image))
                styles.append(network.encode_style(image, domain))
            for own, name in enumerate('st'):
                out[name] = half_size(images[own])
                for style, other in enumerate('st'):
                    out[f'{name} in the style of {other}'] = self.generator(
                        contents[own], styles[style])
        return {name: (image.float() * .5 + .5).clamp(0, 1) for name, image in out.items()}
