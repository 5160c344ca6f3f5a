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

"""The depth network of LFDA's inference path, in a canonical camera."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import math
from typing import Any

import torch
from torch import nn

from mde_ros.errors import MdeError
from mde_ros.network.batch_norm import DOMAINS, TARGET, use_domain
from mde_ros.network.content_encoder import ContentEncoder
from mde_ros.network.depth_decoder import DepthDecoder
from mde_ros.network.style_encoder import StyleEncoder


class NetworkError(MdeError):
    """A network configuration that cannot be built; the message names the field."""


@dataclass(frozen=True)
class NetworkConfig:
    """
    Everything that determines the network's shape and the meaning of its output.

    :param encoder_width: channel multiplier of the MobileNetV2 encoder.
    :param decoder_channels: outputs of the decoder at strides 16, 8, 4 and 2.
    :param decoder: 'dense' or 'depthwise' convolutions.
    :param style_channels: length of the style code, 0 for no style at all.
    :param style_to_depth: how style enters the decoder: 'none', 'add' or 'film'.
    :param affine: batch norm scale and shift, 'shared' by the domains or 'separate'.
    :param canonical_focal: focal length in pixels of the network's input at which the output
        is depth itself; at focal length f, depth is the output times f / canonical_focal.
    :param min_depth: smallest canonical depth in metres that the output can express.
    :param max_depth: largest.
    """

    encoder_width: float = 1.0
    decoder_channels: tuple[int, ...] = (128, 64, 48, 32)
    decoder: str = 'dense'
    style_channels: int = 8
    style_to_depth: str = 'add'
    affine: str = 'shared'
    canonical_focal: float = 260.0
    min_depth: float = 0.1
    max_depth: float = 100.0

    def __post_init__(self) -> None:
        """Check every field."""
        for name, allowed in (('decoder', ('dense', 'depthwise')),
                              ('style_to_depth', ('none', 'add', 'film')),
                              ('affine', ('shared', 'separate'))):
            if getattr(self, name) not in allowed:
                raise NetworkError(f"{name} = '{getattr(self, name)}': use one of "
                                   + ', '.join(allowed))
        if len(self.decoder_channels) != 4 or min(self.decoder_channels) < 1:
            raise NetworkError(
                f'decoder_channels = {self.decoder_channels}: four positive numbers are needed')
        if not isinstance(self.style_channels, int) or self.style_channels < 0:
            raise NetworkError(
                f'style_channels = {self.style_channels}: a number of at least 0 is needed')
        for name in ('encoder_width', 'canonical_focal', 'min_depth', 'max_depth'):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise NetworkError(f'{name} = {value}: must be positive and finite')
        if not self.min_depth < self.max_depth:
            raise NetworkError(f'min_depth = {self.min_depth}: must be below max_depth')

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return {**asdict(self), 'decoder_channels': list(self.decoder_channels)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'NetworkConfig':
        """
        Read :meth:`to_dict`'s form.

        :raises NetworkError: for unknown fields: weights of a newer or another architecture.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise NetworkError(
                f"network fields {', '.join(sorted(unknown))} are unknown to this version of "
                'mde_ros: update it, or use other weights')
        try:
            channels = tuple(int(c) for c in values.get('decoder_channels', cls.decoder_channels))
            return cls(**{**values, 'decoder_channels': channels})
        except (AttributeError, TypeError, ValueError) as error:
            raise NetworkError(f'network fields of a wrong type: {error}') from error


# The two sizes the package ships code for; `mde info` counts them.
SIZES: dict[str, NetworkConfig] = {
    'small': NetworkConfig(decoder='depthwise'),
    'base': NetworkConfig(decoder='dense'),
}


class DepthNetwork(nn.Module):
    """
    Content encoder, style encoder per domain, depth decoder; LFDA's inference path.

    The decoder takes the style of the *target*. In operation that is the constant
    ``style_code``, the site's average of the target style encoder, so neither style encoder
    runs on the robot.
    """

    style_code: torch.Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        mode = config.style_to_depth if config.style_channels else 'none'
        self.content_encoder = ContentEncoder(config.encoder_width, config.affine)
        self.style_encoders = nn.ModuleDict(
            {d: StyleEncoder(config.style_channels) for d in DOMAINS}
            if config.style_channels else {})
        self.decoder = DepthDecoder(
            self.content_encoder.channels, config.decoder_channels, config.decoder,
            config.affine, config.style_channels if mode != 'none' else 0, mode)
        self.register_buffer('style_code', torch.zeros(max(config.style_channels, 1)))

    def encode_style(self, image: torch.Tensor, domain: str = TARGET) -> torch.Tensor:
        """Return the N x S style codes of N x 3 x H x W images."""
        code: torch.Tensor = self.style_encoders[domain](image)
        return code

    def to_log_depth(self, raw: torch.Tensor) -> torch.Tensor:
        """Map the decoder's output to the log of canonical depth, uniform over the range."""
        low, high = math.log(self.config.min_depth), math.log(self.config.max_depth)
        return low + (high - low) * torch.sigmoid(raw)

    def decode(self, content: list[torch.Tensor],
               style: torch.Tensor | None = None) -> torch.Tensor:
        """
        Return log canonical depth, N x 1 x H / 2 x W / 2.

        :param style: N x S codes; None takes the constant ``style_code``.
        """
        if style is None:
            style = self.style_code.expand(content[0].shape[0], -1)
        return self.to_log_depth(self.decoder(content, style))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """
        Return the log of canonical depth, N x 1 x H / 2 x W / 2, on the present domain.

        :param image: N x 3 x H x W, RGB in [-1, 1].
        """
        return self.decode(self.content_encoder(image))

    def forward_domain(self, image: torch.Tensor, domain: str) -> torch.Tensor:
        """Return :meth:`forward` on the batch statistics of ``domain``."""
        with use_domain(self, domain):
            out: torch.Tensor = self(image)
        return out


def normalise(image: torch.Tensor) -> torch.Tensor:
    """Return uint8 RGB images as the network takes them: float in [-1, 1]."""
    return image.float() * (1 / 127.5) - 1


def canonical_log_depth(depth: torch.Tensor, focal: torch.Tensor | float,
                        canonical_focal: float) -> torch.Tensor:
    """
    Return the log of the depth a camera of ``canonical_focal`` would need to see the same.

    :param depth: metres.
    :param focal: focal length in pixels of the network's input.
    """
    ratio = torch.as_tensor(canonical_focal / focal, dtype=depth.dtype, device=depth.device)
    return torch.log(depth) + torch.log(ratio)


def metric_depth(log_depth: torch.Tensor, focal: torch.Tensor | float,
                 canonical_focal: float | None) -> torch.Tensor:
    """
    Return metres: the inverse of :func:`canonical_log_depth`.

    :param canonical_focal: None for networks that give metres whatever the lens.
    """
    if canonical_focal is None:
        return torch.exp(log_depth)
    ratio = torch.as_tensor(focal / canonical_focal, dtype=log_depth.dtype,
                            device=log_depth.device)
    return torch.exp(log_depth) * ratio
