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

"""Our default: labels in the target's colours, a teacher that has seen the whole image."""

import math

import torch
from torch.nn import functional

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.discriminator import (
    confusion_loss, discriminator_accuracy, discriminator_loss, DomainDiscriminator)
from mde_ros.adaptation.methods.base import (
    Batch, evaluated, Method, still_statistics, to_network)
from mde_ros.adaptation.methods.lfda import adversarial_ramp, ALIGNED, DISCRIMINATOR_RATE
from mde_ros.adaptation.methods.mean_teacher import (
    consistency_loss, strong_augmentation, teach)
from mde_ros.network.batch_norm import batch_norms, copy_domain, SOURCE, TARGET, use_domain
from mde_ros.network.depth_network import DepthNetwork


def colour_transfer(image: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """
    Return images with the mean and deviation of each channel of other ones (Reinhard 2001).

    :param image: N x 3 x H x W in [-1, 1].
    :param style: N x 3 x h x w.
    """
    mean, deviation = image.mean((2, 3), True), image.std((2, 3), keepdim=True)
    gain = style.std((2, 3), keepdim=True) / deviation.clamp(min=1e-2)
    # A nearly grey image has no colours that could be stretched.
    return ((image - mean) * gain.clamp(.3, 3) + style.mean((2, 3), True)).clamp(-1, 1)


def student_view(image: torch.Tensor, label: torch.Tensor, smallest: float
                 ) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return a zoomed part of images and of their log canonical depth, at the same sizes.

    Zooming makes the focal length longer by 1 / share, and the same metric depth then is a
    canonical depth of ``share`` times as much: what ties the network to the focal length.

    :param image: N x 3 x H x W.
    :param label: N x 1 x h x w log canonical depth, NaN where unknown.
    :param smallest: share of the sides that is kept at least.
    """
    height, width = label.shape[-2:]
    draw = torch.rand(4).tolist()
    share = math.exp(draw[0] * math.log(smallest))
    h, w = max(2, round(height * share)), max(2, round(width * share))
    top, left = int(draw[1] * (height - h + 1)), int(draw[2] * (width - w + 1))
    sy, sx = image.shape[-2] // height, image.shape[-1] // width
    part = image[..., top * sy:(top + h) * sy, left * sx:(left + w) * sx]
    known = label[..., top:top + h, left:left + w] + math.log(w / width)
    if (h, w) != (height, width):
        part = functional.interpolate(
            part, image.shape[-2:], mode='bilinear', align_corners=False, antialias=True)
        known = functional.interpolate(known, (height, width), mode='nearest-exact')
    if draw[3] < .5:
        part, known = part.flip(-1), known.flip(-1)
    return part.contiguous(memory_format=torch.channels_last), known


class Site(Method[DepthNetwork]):
    """
    Adapt to one site with what a robot has: labelled replay and unlabelled frames.

    * labelled images, a share of them in the colours of target images;
    * the averaged network labels target images where picture and mirrored picture agree; the
      network sees a zoomed part of them in other colours and has to give the same metres;
    * anchors, where frames have some, take the place of the teacher's depth;
    * optionally a discriminator on content and predicted depth.

    See :class:`mde_ros.adaptation.site_config.SiteConfig` for what can be left out.
    """

    name = 'site'
    summary = 'labels in the colours of the target, teacher, zoom: the default on site'

    def build(self) -> None:
        """Add the discriminator, if it is wanted."""
        self.site = self.config.site
        self.domain = SOURCE if self.site.statistics == 'shared' else TARGET
        if self.site.adversary:
            self.discriminator = DomainDiscriminator(
                self.network.content_encoder.channels[ALIGNED], condition=1)
            self.modules['discriminator'] = self.discriminator
            self.optimisers['discriminator'] = torch.optim.Adam(
                self.discriminator.parameters(), DISCRIMINATOR_RATE, (.5, .999))

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the source's depth loss, the consistency and the alignment."""
        source, target = to_network(batch.image), to_network(batch.target)
        styled = torch.rand(len(source)) < self.site.stylise
        if styled.any():
            source = torch.where(styled.view(-1, 1, 1, 1).to(source.device),
                                 colour_transfer(source, target), source)
            source = source.contiguous(memory_format=torch.channels_last)
        ramp = min(1., max(0., (progress - self.site.start) / .2))
        label = self._label(target, batch.anchor)
        student, label = student_view(
            strong_augmentation(target), label, self.site.student_zoom)
        self._settle(target, progress)
        if self.site.statistics == 'shared':
            content, depth = self._pass(torch.cat((source, student)))
            count = len(source)
            contents = [tap[:count] for tap in content], [tap[count:] for tap in content]
            depths = depth[:count], depth[count:]
        elif self.site.statistics == 'frozen':
            with evaluated(*batch_norms(self.network)):
                (c_s, d_s), (c_t, d_t) = self._pass(source), self._pass(student)
            contents, depths = (c_s, c_t), (d_s, d_t)
        else:
            with still_statistics(self.network):
                (c_s, d_s), (c_t, d_t) = self._pass(source), self._pass(student)
            contents, depths = (c_s, c_t), (d_s, d_t)
        terms = depth_losses(depths[0], batch.log_depth)
        if self.site.consistency:
            terms['consistency'] = (
                self.site.consistency * ramp * consistency_loss(depths[1], label))
        if self.site.adversary:
            terms['alignment'] = (self.site.adversary * adversarial_ramp(progress)
                                  * self._confusion(contents, depths))
        return terms

    def _pass(self, image: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return content and log depth."""
        with use_domain(self.network, self.domain):
            content = self.network.content_encoder(image)
            return content, self.network.decode(content)

    def _label(self, target: torch.Tensor, anchor: torch.Tensor | None) -> torch.Tensor:
        """Return the anchors of whole images, the teacher's depth of those without any."""
        known = None
        if anchor is not None and self.site.anchors:
            known = anchor.isfinite().flatten(1).any(1)
            if known.all():
                return anchor
        teacher = self.average.module.eval()
        assert isinstance(teacher, DepthNetwork)
        label = teach(teacher, target, self.domain)
        if known is not None:
            assert anchor is not None
            label = torch.where(known.view(-1, 1, 1, 1), anchor, label)
        return label

    def _settle(self, target: torch.Tensor, progress: float) -> None:
        """Move the target's own statistics: by clean images, at the end exactly."""
        if self.site.statistics == 'separate':
            with torch.no_grad():
                self.network.forward_domain(target, TARGET)
        left = round((1 - progress) * self.config.steps)
        if left > self.site.precise or self.site.statistics == 'shared':
            return
        teacher = self.average.module
        assert isinstance(teacher, DepthNetwork)
        layers = batch_norms(teacher)
        momenta = [layer.momentum for layer in layers]
        for layer in layers:
            layer.train()
            layer.momentum = 1 / (self.site.precise - left + 1)
        with torch.no_grad():
            teacher.forward_domain(target, TARGET)
        for layer, momentum in zip(layers, momenta):
            layer.eval()
            layer.momentum = momentum

    def _confusion(self, contents: tuple[list[torch.Tensor], list[torch.Tensor]],
                   depths: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the loss by which the encoder defeats the discriminator."""
        frozen = self.discriminator.requires_grad_(False)
        conditions = [depth.detach() for depth in depths]
        with evaluated(frozen):
            loss = confusion_loss(*(frozen(content[ALIGNED], condition)
                                    for content, condition in zip(contents, conditions)))
        self._seen = [([tap.detach() for tap in content[ALIGNED]], condition)
                      for content, condition in zip(contents, conditions)]
        return loss

    def after_step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Train the discriminator, if there is one."""
        del batch, progress
        if not self.site.adversary:
            return {}
        self.discriminator.requires_grad_(True)
        source, target = (self.discriminator(*seen) for seen in self._seen)
        loss = discriminator_loss(source, target)
        self.minimise('discriminator', loss)
        return {'discriminator/loss': float(loss.detach()),
                'discriminator/accuracy': discriminator_accuracy(source, target)}

    def result(self) -> DepthNetwork:
        """Return the averaged network on the statistics that it was trained with."""
        network = super().result()
        if self.site.statistics == 'shared':
            copy_domain(network, SOURCE, TARGET)
        return network
