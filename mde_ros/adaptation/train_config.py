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

"""Everything that determines a training run, validated once and stored beside its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.lfda_config import LfdaConfig
from mde_ros.adaptation.method_parts import MethodParts
from mde_ros.adaptation.site_config import SiteConfig
from mde_ros.network.depth_network import NetworkConfig, SIZES

# Fields that hold the parts of the method of that name.
PARTS: dict[str, type[MethodParts]] = {'site': SiteConfig, 'lfda': LfdaConfig}


@dataclass(frozen=True)
class TrainConfig:
    """
    Settings of ``mde train``; each field is the option of the same name.

    :param steps: optimiser steps.
    :param batch: images a step.
    :param sizes: stages of training, each (share of the steps, width, height): low
        resolutions first make training cheap, the last stage is what the robot runs.
    :param learning_rate: of the decoder, after warm-up, falling as a cosine.
    :param encoder_rate: learning rate of the encoder, as a share of ``learning_rate``.
    :param warm_up: steps over which the learning rate rises.
    :param weight_decay: of the convolutions.
    :param clip: largest norm of the gradient.
    :param average: decay of the weight average (EMA) that is kept as the result.
    :param min_depth: smallest label in metres that is used.
    :param max_depth: largest.
    :param zoom: smallest share of the image that a zoom crop keeps.
    :param appearance: probability of a random camera appearance.
    :param weather: probability that a labelled image is seen through random haze, fog or smoke,
        rendered from its depth.
    :param seed: of weights, samples and augmentation.
    :param recognition: weights of the recognition network that judges style and content: a
        file, 'vgg16' or 'vgg19' to download; '' takes the frozen starting content encoder.
    :param trainable: 'all' weights, or 'site': scale and shift of the batch norms, style, and the
        decoder's last blocks, which a camera profile holds.
    :param site: the parts of the method ``site``.
    :param lfda: what the article leaves open in the method ``lfda``.
    :param precision: 'bf16-mixed' or '32-true', as Lightning Fabric names them.
    :param checkpoint_every: steps between checkpoints.
    :param validate_every: steps between validations.
    """

    steps: int = 8000
    batch: int = 16
    sizes: tuple[tuple[float, int, int], ...] = ((.6, 192, 144), (.3, 256, 192), (.1, 320, 240))
    learning_rate: float = 1e-3
    encoder_rate: float = .5
    warm_up: int = 300
    weight_decay: float = .01
    clip: float = 5.0
    average: float = .998
    min_depth: float = .1
    max_depth: float = 20.0
    zoom: float = .6
    appearance: float = .9
    weather: float = 0.
    seed: int = 0
    recognition: str = ''
    trainable: str = 'all'
    site: SiteConfig = field(default_factory=SiteConfig)
    lfda: LfdaConfig = field(default_factory=LfdaConfig)
    precision: str = 'bf16-mixed'
    checkpoint_every: int = 250
    validate_every: int = 500
    network: NetworkConfig = field(default_factory=lambda: SIZES['base'])

    def __post_init__(self) -> None:
        """Check every field."""
        for name in ('steps', 'batch', 'checkpoint_every', 'validate_every'):
            if getattr(self, name) < 1:
                raise TrainingError(f'{name} = {getattr(self, name)}: must be at least 1')
        for name in ('learning_rate', 'encoder_rate', 'clip', 'min_depth'):
            if not getattr(self, name) > 0:
                raise TrainingError(f'{name} = {getattr(self, name)}: must be positive')
        for name in ('warm_up', 'weight_decay', 'seed'):
            if not getattr(self, name) >= 0:
                raise TrainingError(f'{name} = {getattr(self, name)}: must not be negative')
        if not 0 <= self.average < 1:
            raise TrainingError(f'average = {self.average}: must be at least 0 and below 1')
        if not 0 < self.zoom <= 1:
            raise TrainingError(f'zoom = {self.zoom}: must be above 0 and at most 1')
        for name in ('appearance', 'weather'):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainingError(
                    f'{name} = {getattr(self, name)}: must lie between 0 and 1')
        if self.max_depth <= self.min_depth:
            raise TrainingError(f'max_depth = {self.max_depth}: must be above min_depth')
        if self.trainable not in ('all', 'site'):
            raise TrainingError(f"trainable '{self.trainable}': use all or site")
        if self.precision not in ('bf16-mixed', '32-true'):
            raise TrainingError(f"precision '{self.precision}': use bf16-mixed or 32-true")
        if not self.sizes or abs(sum(s[0] for s in self.sizes) - 1) > 1e-6:
            raise TrainingError(f'sizes = {self.sizes}: the shares must add up to 1')
        for share, width, height in self.sizes:
            if not share > 0:
                raise TrainingError(f'sizes = {self.sizes}: every share must be positive')
            if width < 32 or height < 32 or width % 2 or height % 2:
                raise TrainingError(f'size {width}x{height}: sides must be even, at least 32')

    def size_at(self, step: int) -> tuple[int, int]:
        """Return (width, height) of the images of ``step``."""
        end = 0.0
        for share, width, height in self.sizes:
            end += share * self.steps
            if step < end - 1e-6:
                return width, height
        return self.sizes[-1][1:]

    def to_dict(self) -> dict[str, Any]:
        """
        Return the fields as JSON knows them.

        Newer fields only where they are not the default: runs that were begun before there were
        these fields go on.
        """
        values = {**asdict(self), 'sizes': [list(s) for s in self.sizes],
                  'network': self.network.to_dict()}
        newer = {'trainable': 'all', 'weather': 0.,
                 **{name: asdict(kind()) for name, kind in PARTS.items()}}
        for name, default in newer.items():
            if values[name] == default:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'TrainConfig':
        """
        Read :meth:`to_dict`'s form.

        :raises TrainingError: for unknown fields.
        """
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise TrainingError(f"unknown settings {', '.join(sorted(unknown))}")
        kept = dict(values)
        if 'sizes' in kept:
            kept['sizes'] = tuple((float(s), int(w), int(h)) for s, w, h in kept['sizes'])
        for name, kind in PARTS.items():
            if name in kept:
                kept[name] = kind.from_dict(kept[name])
        if 'network' in kept:
            kept['network'] = NetworkConfig.from_dict(kept['network'])
        return cls(**kept)
