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

"""What a method is: modules, optimisers and one step."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from lightning_fabric import Fabric
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.batch_norm import copy_domain, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork, normalise


class Batch(NamedTuple):
    """
    Samples of one step.

    :param image: N x 3 x H x W uint8, labelled source.
    :param log_depth: N x 1 x H / 2 x W / 2, log canonical depth, NaN where unlabelled.
    :param target: M x 3 x H x W uint8, unlabelled target; M is 0 for methods without.
    """

    image: torch.Tensor
    log_depth: torch.Tensor
    target: torch.Tensor


def ramped_average(decay: float) -> Callable[[list[torch.Tensor], list[torch.Tensor], Any], None]:
    """Return an average that forgets its start: the decay rises with the number of steps."""
    def update(averages: list[torch.Tensor], present: list[torch.Tensor], count: Any) -> None:
        rate = 1 - min(decay, (1 + float(count)) / (10 + float(count)))
        with torch.no_grad():
            for average, value in zip(averages, present):
                average.lerp_(value, rate)
    return update


def parameter_groups(network: DepthNetwork, config: TrainConfig) -> list[dict[str, Any]]:
    """Return the optimiser's groups: encoder and rest, with weight decay on kernels only."""
    groups = []
    for rate, wanted in ((config.encoder_rate, True), (1.0, False)):
        for decay, kernels in ((config.weight_decay, True), (0.0, False)):
            parameters = [
                p for name, p in network.named_parameters()
                if name.startswith('content_encoder.') == wanted and (p.ndim > 1) == kernels]
            groups.append({'params': parameters, 'lr': config.learning_rate * rate,
                           'rate': rate, 'weight_decay': decay})
    return groups


def to_network(image: torch.Tensor) -> torch.Tensor:
    """Return uint8 images as the networks take them, channels last."""
    return normalise(image).contiguous(memory_format=torch.channels_last)


class Method:
    """
    The base: a depth network, its average and its optimiser.

    A method overrides :meth:`losses`, and where it has further networks :meth:`build` and
    :meth:`after_step`. Every module named in ``modules`` and optimiser in ``optimisers`` goes
    into the checkpoints.

    :param network: with its starting weights; trained in place.
    """

    name: ClassVar[str] = ''
    needs_target: ClassVar[bool] = True
    summary: ClassVar[str] = ''

    def __init__(self, network: DepthNetwork, config: TrainConfig) -> None:
        self.config = config
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.modules: dict[str, nn.Module] = {'network': self.network}
        self.optimisers: dict[str, Optimizer] = {
            'network': torch.optim.AdamW(parameter_groups(self.network, config))}
        self.build()
        self.average = AveragedModel(
            self.network, multi_avg_fn=ramped_average(config.average), use_buffers=True)
        self.modules['average'] = self.average

    def build(self) -> None:
        """Add further modules and optimisers."""

    def place(self, fabric: Fabric) -> None:
        """Move everything to the device and wrap it for several processes."""
        self.fabric = fabric
        for name, module in self.modules.items():
            module.to(fabric.device)
            del name
        self.optimisers = dict(zip(
            self.optimisers, _as_tuple(fabric.setup_optimizers(*self.optimisers.values()))))

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """
        Return the loss terms by name; the loop minimises their sum.

        :param progress: share of the training that is done, 0 to 1.
        """
        raise NotImplementedError

    def after_step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Train what has losses of its own (a discriminator); return numbers for the log."""
        del batch, progress
        return {}

    def result(self) -> DepthNetwork:
        """Return a copy of the averaged network for inference on the target path."""
        network = DepthNetwork(self.config.network)
        network.load_state_dict(self.average.module.state_dict())
        return network.eval()

    def pictures(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return named N x 3 x h x w pictures in [0, 1] for the log."""
        del batch
        return {}


class SourceOnly(Method):
    """Labelled source alone: the starting network and the lower bound of all methods."""

    name = 'source_only'
    needs_target = False
    summary = 'labelled source only'

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the depth loss on the source path."""
        del progress
        return depth_losses(
            self.network.forward_domain(to_network(batch.image), SOURCE), batch.log_depth)

    def result(self) -> DepthNetwork:
        """Return the averaged network, its target path as the source's."""
        network = super().result()
        copy_domain(network, SOURCE, TARGET)
        return network


def _as_tuple(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)
