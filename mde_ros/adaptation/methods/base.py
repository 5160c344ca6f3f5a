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

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import copy
from typing import Any, cast, ClassVar, Generic, NamedTuple, TypeVar

from lightning_fabric import Fabric
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.batch_norm import batch_norms, copy_domain, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork, normalise

# What a method trains: image N x 3 x H x W in [-1, 1] to log depth N x 1 x h x w, where h x w is
# the input or a whole fraction of it.
Network = TypeVar('Network', bound=nn.Module)
Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]


class Batch(NamedTuple):
    """
    Samples of one step.

    :param image: N x 3 x H x W uint8, labelled source.
    :param log_depth: N x 1 x H / 2 x W / 2, log canonical depth, NaN where unlabelled.
    :param target: N x 3 x H x W uint8, unlabelled target; 0 x 3 x H x W for methods without.
    :param focal: N focal lengths of the source in pixels of the network's input, for methods
        that undo the canonical focal length of ``log_depth``; None where none of them runs.
    :param anchor: N x 1 x H / 2 x W / 2, log canonical depth of the target at a scale that is
        known without labels, NaN elsewhere; None where no target has anchors.
    """

    image: torch.Tensor
    log_depth: torch.Tensor
    target: torch.Tensor
    focal: torch.Tensor | None = None
    anchor: torch.Tensor | None = None


def ramped_average(decay: float) -> Callable[[Tensors, Tensors, torch.Tensor | int], None]:
    """Return an average that forgets its start: the decay rises with the number of steps."""
    def update(averages: Tensors, present: Tensors, count: torch.Tensor | int) -> None:
        rate = 1 - min(decay, (1 + float(count)) / (10 + float(count)))
        with torch.no_grad():
            for average, value in zip(averages, present):
                if average.is_floating_point():
                    average.lerp_(value, rate)
                else:
                    average.copy_(value)  # nn.BatchNorm2d's count of batches
    return update


def learns_on_site(name: str, parameter: torch.Tensor) -> bool:
    """
    Tell whether a weight is among those that a camera profile holds.

    Those are scale and shift of the batch norms, the projections of the style, and the last
    two blocks and the head of the decoder: a hundredth of the encoder's weights.
    """
    late = ('decoder.blocks.2.', 'decoder.blocks.3.', 'decoder.head.')
    return ((parameter.ndim == 1 and not name.startswith('style_encoders.'))
            or '.style.' in name or name.startswith(late))


def parameter_groups(network: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Return the optimiser's groups: encoder and rest, with weight decay on kernels only."""
    groups = []
    if config.trainable == 'site':
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(learns_on_site(name, parameter))
    for rate, wanted in ((config.encoder_rate, True), (1.0, False)):
        for decay, kernels in ((config.weight_decay, True), (0.0, False)):
            parameters = [
                p for name, p in network.named_parameters()
                if name.startswith('content_encoder.') == wanted and (p.ndim > 1) == kernels
                and p.requires_grad]
            groups.append({'params': parameters, 'lr': config.learning_rate * rate,
                           'rate': rate, 'weight_decay': decay})
    return groups


def to_network(image: torch.Tensor) -> torch.Tensor:
    """Return uint8 images as the networks take them, channels last."""
    return normalise(image).contiguous(memory_format=torch.channels_last)


@contextmanager
def evaluated(*modules: nn.Module) -> Iterator[None]:
    """Run a block with modules in evaluation: no statistics move."""
    before = [module.training for module in modules]
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for module, training in zip(modules, before):
            module.train(training)


@contextmanager
def still_statistics(network: nn.Module) -> Iterator[None]:
    """Run a block on the statistics of its batches, without the running ones moving."""
    layers = batch_norms(network)
    before = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.
    try:
        yield
    finally:
        for layer, momentum in zip(layers, before):
            layer.momentum = momentum


def copy_affine(network: nn.Module, origin: str, destination: str) -> None:
    """
    Give ``destination`` the scale and shift of ``origin``; its statistics stay its own.

    For paths that no loss trains, where the two domains do not share them anyway.
    """
    with torch.no_grad():
        for layer in batch_norms(network):
            if layer.affine == 'shared':
                continue
            for ours, theirs in zip(layer.scale_and_shift(destination),
                                    layer.scale_and_shift(origin)):
                ours.copy_(theirs)


def average_gradients(fabric: Fabric, parameters: Sequence[nn.Parameter]) -> None:
    """Replace the gradients of ``parameters`` by their mean over all processes."""
    grads = [p.grad for p in parameters if p.grad is not None]
    if fabric.world_size == 1 or not grads:
        return
    flat = fabric.all_reduce(torch.cat([grad.flatten() for grad in grads]))
    assert isinstance(flat, torch.Tensor)
    for grad, part in zip(grads, flat.split([grad.numel() for grad in grads])):
        grad.copy_(part.view_as(grad))


class Method(Generic[Network]):
    """
    The base: a depth network, its average and its optimiser.

    A method overrides :meth:`losses`, and where it has further networks :meth:`build` and
    :meth:`after_step`. Every module named in ``modules`` and optimiser in ``optimisers`` goes
    into the checkpoints. The loop steps all optimisers but those of ``own_steps``, and sets the
    learning rate of groups that have a 'rate'; other groups are the method's own.

    :param network: with its starting weights, as :meth:`make_network` builds it; trained in
        place.
    """

    name: ClassVar[str] = ''
    needs_target: ClassVar[bool] = True
    summary: ClassVar[str] = ''
    # Optimisers that after_step steps by itself.
    own_steps: ClassVar[tuple[str, ...]] = ('discriminator',)
    # Whether the loop clips the gradients of the network.
    clipped: ClassVar[bool] = True

    def __init__(self, network: Network, config: TrainConfig) -> None:
        self.config = config
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.modules: dict[str, nn.Module] = {'network': self.network}
        self.optimisers: dict[str, Optimizer] = {'network': self.network_optimiser()}
        self.build()
        self.average = AveragedModel(
            self.network, multi_avg_fn=ramped_average(config.average), use_buffers=True)
        self.modules['average'] = self.average

    @classmethod
    def make_network(cls, config: TrainConfig) -> nn.Module:
        """Return a new network of the kind that this method trains."""
        return DepthNetwork(config.network)

    def network_optimiser(self) -> Optimizer:
        """Return the optimiser of the depth network."""
        return torch.optim.AdamW(parameter_groups(self.network, self.config))

    def build(self) -> None:
        """Add further modules and optimisers."""

    def place(self, fabric: Fabric) -> None:
        """Move everything to the device and wrap it for several processes."""
        self.fabric = fabric
        for module in self.modules.values():
            module.to(fabric.device)
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

    def minimise(self, name: str, loss: torch.Tensor) -> None:
        """Step one of ``own_steps`` down ``loss``, with the mean gradients of all processes."""
        optimiser = self.optimisers[name]
        optimiser.zero_grad()
        self.fabric.backward(loss)
        average_gradients(self.fabric, [
            p for group in optimiser.param_groups for p in group['params']])
        optimiser.step()

    def result(self) -> Network:
        """Return a copy of the averaged network on the CPU, for inference on the target path."""
        network = cast(Network, copy.deepcopy(self.average.module))
        return network.cpu().eval().requires_grad_(False)

    def pictures(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return named N x 3 x h x w pictures in [0, 1] for the log."""
        del batch
        return {}


class SourceOnly(Method[DepthNetwork]):
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
