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

"""T2Net: translate labelled images to the target, learn depth of the translations."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.methods.base import Batch, Method, Network, to_network
from mde_ros.adaptation.predecessors.t2net_discriminators import (
    adversary_loss, FeatureDiscriminator, ImageDiscriminator, ImagePool, least_squares_loss)
from mde_ros.adaptation.predecessors.t2net_loss import (
    scales_loss, smoothness_loss, translation_accuracy)
from mde_ros.adaptation.predecessors.t2net_translator import T2NetTranslator
from mde_ros.adaptation.predecessors.t2net_unet import STRIDE, T2NetConfig, T2NetUnet
from mde_ros.adaptation.recognition import half_size
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.batch_norm import copy_domain, SOURCE, TARGET, use_domain
from mde_ros.network.depth_network import DepthNetwork

# Weights, learning rates and schedule of the authors' public code.
IMAGE_ADVERSARY, IDENTITY, FEATURE_ADVERSARY, DEPTH, SMOOTHNESS = 1.0, 100.0, .1, 100.0, .1
TASK_RATE, TASK_BETAS = 1e-4, (.95, .999)
TRANSLATION_RATE, TRANSLATION_BETAS = 5e-5, (.5, .9)
DISCRIMINATOR_EVERY = 5
# The share of the training after which the learning rates fall to 0 (4 of 10 epochs).
CONSTANT = .6
# Reflection at dilation 5 needs six features a side.
SMALLEST = 6 * STRIDE


class ImageTranslation(Method[Network]):
    """
    What T2Net is, whatever network estimates the depth.

    * The translator paints source images as target images (least squares GAN) and leaves target
      images as they are;
    * depth is learnt from translations, end to end with the translator;
    * deep features of translations and target images are told apart by a discriminator that
      the network defeats; depth of the target is smooth where its image is.

    Both kinds of images pass separately and share batch statistics.
    """

    # All losses relative to T2Net's own.
    unit: ClassVar[float] = 1.0
    channels: ClassVar[int] = 64

    def feature_shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of the deep features in the last stage."""
        raise NotImplementedError

    def predict(self, image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return deep features and the depth outputs, coarsest first."""
        raise NotImplementedError

    def depth_terms(self, outputs: list[torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
        """Return the depth loss on the labels of ``batch``."""
        raise NotImplementedError

    def build(self) -> None:
        """Add translator, both discriminators and the pool."""
        self.translator = T2NetTranslator(self.channels)
        self.image_discriminator = ImageDiscriminator(self.channels)
        self.feature_discriminator = FeatureDiscriminator(self.feature_shape())
        self.discriminators = nn.ModuleList(
            [self.image_discriminator, self.feature_discriminator])
        self.pool = ImagePool()
        self.modules |= {'translator': self.translator, 'discriminator': self.discriminators,
                         'pool': self.pool}
        for name in ('translator', 'discriminator'):
            self.optimisers[name] = Adam(
                self.modules[name].parameters(), TRANSLATION_RATE, TRANSLATION_BETAS)

    def set_rates(self, progress: float) -> None:
        """Let the learning rates that are T2Net's own fall at the end."""
        share = min(1., max(0., (1 - progress) / (1 - CONSTANT)))
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                if 'rate' not in group:
                    group['lr'] = share * (
                        TASK_RATE if name == 'network' else TRANSLATION_RATE)

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the terms of translation, depth, features and smoothness."""
        self.set_rates(progress)
        self.discriminators.requires_grad_(False)
        source, target = to_network(batch.image), to_network(batch.target)
        translated, same = self.translator(torch.cat((source, target))).split(
            (len(source), len(target)))
        features_s, depth_s = self.predict(translated)
        features_t, depth_t = self.predict(target)
        unit = self.unit
        terms = self.depth_terms(depth_s, batch)
        terms |= {
            'translation/adversary': unit * IMAGE_ADVERSARY * adversary_loss(
                self.image_discriminator(translated)),
            'translation/identity': unit * IDENTITY * functional.l1_loss(same, target),
            'alignment': unit * FEATURE_ADVERSARY * adversary_loss(
                self.feature_discriminator(features_s)),
            'smoothness': unit * SMOOTHNESS * smoothness_loss(depth_t, target)}
        self._images = target, self.pool(translated.detach())
        self._features = features_t.detach(), features_s.detach()
        return terms

    def after_step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Train the discriminators at every fifth step."""
        del batch
        if round(progress * self.config.steps) % DISCRIMINATOR_EVERY:
            return {}
        self.discriminators.requires_grad_(True)
        images = [self.image_discriminator(image) for image in self._images]
        features = [self.feature_discriminator(feature) for feature in self._features]
        loss = least_squares_loss(*images) + least_squares_loss(*features)
        self.minimise('discriminator', loss)
        self.feature_discriminator.clamp()
        return {'discriminator/loss': float(loss.detach()),
                'discriminator/accuracy': translation_accuracy(*images),
                'discriminator/feature_accuracy': translation_accuracy(*features)}

    def pictures(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return the images and what the translator makes of them."""
        out = {}
        # On the statistics of the batch, as it is trained, which then stay as they were.
        before = {name: value.clone() for name, value in self.translator.named_buffers()}
        with torch.no_grad():
            for name, image in (('s', batch.image), ('t', batch.target)):
                out[name] = to_network(image[:4])
                out[f'{name} translated'] = self.translator(out[name])
            for name, value in self.translator.named_buffers():
                value.copy_(before[name])
        return {name: half_size(image * .5 + .5).clamp(0, 1) for name, image in out.items()}


class T2Net(ImageTranslation[T2NetUnet]):
    """
    T2Net as published (Zheng et al. 2018), on its own U-Net from scratch.

    Depth is linear in the range of tanh and metric whatever the lens: the labels' canonical
    focal length is undone, so the data must give :attr:`Batch.focal`.
    """

    name = 't2net'
    summary = 'image translation and adversarial features on its own U-Net (T2Net)'
    clipped = False
    canonical: ClassVar[bool] = False

    @classmethod
    def make_network(cls, config: TrainConfig) -> T2NetUnet:
        """
        Return the U-Net.

        :raises TrainingError: for image sizes that it cannot take.
        """
        for _, width, height in config.sizes:
            if width % STRIDE or height % STRIDE or min(width, height) < SMALLEST:
                raise TrainingError(f'size {width}x{height}: method {cls.name} needs sides that '
                                    f'are multiples of {STRIDE} and at least {SMALLEST}')
        return T2NetUnet(T2NetConfig(
            cls.channels, config.max_depth, config.min_depth,
            config.network.canonical_focal if cls.canonical else None))

    def network_optimiser(self) -> Optimizer:
        """Return Adam with T2Net's settings."""
        return Adam(self.network.parameters(), TASK_RATE, TASK_BETAS)

    def feature_shape(self) -> tuple[int, int, int]:
        """Return the shape at stride 16."""
        _, width, height = self.config.sizes[-1]
        return 8 * self.network.config.channels, height // STRIDE, width // STRIDE

    def predict(self, image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the features at stride 16 and four outputs in tanh's range."""
        return self.network.scales(image)

    def depth_terms(self, outputs: list[torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
        """Return the absolute differences over the scales."""
        depth = batch.log_depth.exp()
        if not self.canonical:
            if batch.focal is None:
                raise TrainingError(f'method {self.name} needs the focal length of each sample: '
                                    'use t2net_focal where the data give none')
            depth = depth * (batch.focal.view(-1, 1, 1, 1) / self.config.network.canonical_focal)
        return {'depth/scales': self.unit * DEPTH * scales_loss(
            outputs, self.network.to_tanh(depth))}


class T2NetFocal(T2Net):
    """T2Net that learns canonical depth, as our networks do: the lens is no longer a gap."""

    name = 't2net_focal'
    summary = 'T2Net with canonical focal length'
    canonical = True


class T2NetOurs(ImageTranslation[DepthNetwork]):
    """
    T2Net's method around our network, with our depth loss and optimiser.

    Its weights keep their ratio to that of depth, which is 1 here and 100 there.
    """

    name = 't2net_ours'
    summary = "T2Net's method on our network"
    unit = 1 / DEPTH

    def feature_shape(self) -> tuple[int, int, int]:
        """Return the shape of the content at stride 16."""
        _, width, height = self.config.sizes[-1]
        return (self.network.content_encoder.channels[3],
                -(-height // STRIDE), -(-width // STRIDE))

    def predict(self, image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the content at stride 16 and log depth."""
        with use_domain(self.network, SOURCE):
            content = self.network.content_encoder(image)
            return content[3], [self.network.decode(content)]

    def depth_terms(self, outputs: list[torch.Tensor], batch: Batch) -> dict[str, torch.Tensor]:
        """Return our depth loss."""
        return depth_losses(outputs[-1], batch.log_depth)

    def result(self) -> DepthNetwork:
        """Return the averaged network; both domains share its statistics."""
        network = super().result()
        copy_domain(network, SOURCE, TARGET)
        return network
