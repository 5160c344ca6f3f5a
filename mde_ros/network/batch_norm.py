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

"""Separate batch normalisation: each domain keeps its own statistics (LFDA)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn
from torch.nn import functional

SOURCE, TARGET = 'source', 'target'
DOMAINS = (SOURCE, TARGET)


def several_processes() -> bool:
    """Return whether this process trains together with others."""
    return (distributed.is_available() and distributed.is_initialized()
            and distributed.get_world_size() > 1)


class SeparateBatchNorm2d(nn.Module):
    """
    Batch normalisation with running statistics per domain.

    Every forward pass belongs to one domain, chosen by :func:`use_domain` for all layers of a
    network at once: batches of two domains are never mixed. At inference only the target's
    statistics are used, and folding them into the convolutions makes them free. In training
    with several processes the statistics are those of the batches of all of them.

    :param channels: number of feature channels.
    :param affine: 'shared' for one scale and shift, 'separate' for one per domain (as DSBN).
    """

    def __init__(self, channels: int, affine: str = 'shared', eps: float = 1e-3,
                 momentum: float = .03) -> None:
        super().__init__()
        if affine not in ('shared', 'separate'):
            raise ValueError(f"affine '{affine}': use 'shared' or 'separate'")
        self.channels, self.affine, self.eps, self.momentum = channels, affine, eps, momentum
        self.domain = TARGET
        for domain in DOMAINS:
            self.register_buffer(f'{domain}_mean', torch.zeros(channels))
            self.register_buffer(f'{domain}_var', torch.ones(channels))
        for prefix in ('',) if affine == 'shared' else ('source_', 'target_'):
            self.register_parameter(prefix + 'weight', nn.Parameter(torch.ones(channels)))
            self.register_parameter(prefix + 'bias', nn.Parameter(torch.zeros(channels)))

    def statistics(self, domain: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the running (mean, variance) of ``domain``, each C."""
        return getattr(self, f'{domain}_mean'), getattr(self, f'{domain}_var')

    def scale_and_shift(self, domain: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the affine (weight, bias) that ``domain`` uses, each C."""
        prefix = '' if self.affine == 'shared' else domain + '_'
        return getattr(self, prefix + 'weight'), getattr(self, prefix + 'bias')

    def folded(self, domain: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (scale, shift) such that the layer at inference is x * scale + shift."""
        mean, variance = self.statistics(domain)
        weight, bias = self.scale_and_shift(domain)
        scale = weight * torch.rsqrt(variance + self.eps)
        return scale, bias - mean * scale

    def copy_domain(self, origin: str, destination: str) -> None:
        """Give ``destination`` the statistics and affine of ``origin``."""
        with torch.no_grad():
            for ours, theirs in zip(
                    (*self.statistics(destination), *self.scale_and_shift(destination)),
                    (*self.statistics(origin), *self.scale_and_shift(origin))):
                ours.copy_(theirs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Normalise N x C x H x W features of the present domain."""
        mean, variance = self.statistics(self.domain)
        weight, bias = self.scale_and_shift(self.domain)
        if self.training and several_processes():
            return self._synchronised(features, mean, variance, weight, bias)
        return functional.batch_norm(
            features, mean, variance, weight, bias, self.training, self.momentum, self.eps)

    def _synchronised(self, features: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor,
                      weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Normalise by the batch of all processes, as one process with the whole batch would."""
        # Not every build of torch has it.
        from torch.distributed.nn.functional import all_reduce
        x = features.float()
        count = x.numel() / x.shape[1] * distributed.get_world_size()
        # Differentiable: a process's statistics depend on the pictures of the others.
        sums = all_reduce(torch.stack((x.sum((0, 2, 3)), (x * x).sum((0, 2, 3)))))
        batch_mean, square = sums / count
        batch_variance = (square - batch_mean ** 2).clamp(min=0)
        with torch.no_grad():
            mean.lerp_(batch_mean, self.momentum)
            variance.lerp_(batch_variance * (count / max(count - 1, 1)), self.momentum)
        scale = weight * torch.rsqrt(batch_variance + self.eps)
        shift = bias - batch_mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(features.dtype)

    def extra_repr(self) -> str:
        """Describe the layer in a printed network."""
        return f'{self.channels}, affine={self.affine}'


def batch_norms(network: nn.Module) -> list[SeparateBatchNorm2d]:
    """Return every separate batch normalisation of a network."""
    return [layer for layer in network.modules() if isinstance(layer, SeparateBatchNorm2d)]


def copy_domain(network: nn.Module, origin: str, destination: str) -> None:
    """Copy the statistics of one domain to the other in all layers of a network."""
    for layer in batch_norms(network):
        layer.copy_domain(origin, destination)


@contextmanager
def use_domain(network: nn.Module, domain: str) -> Iterator[None]:
    """
    Run a block with all layers of ``network`` on the statistics of ``domain``.

    :raises ValueError: for a name that is no domain.
    """
    if domain not in DOMAINS:
        raise ValueError(f"domain '{domain}': use one of {', '.join(DOMAINS)}")
    layers = batch_norms(network)
    before = [layer.domain for layer in layers]
    for layer in layers:
        layer.domain = domain
    try:
        yield
    finally:
        for layer, old in zip(layers, before):
            layer.domain = old
