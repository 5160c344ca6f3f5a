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

"""Two tiny domains and the loop's part of a step, for the tests of methods."""

from contextlib import nullcontext
from typing import Any

from lightning_fabric import Fabric
import torch
from torch import nn
from torch.nn import functional

from mde_ros.adaptation.methods.base import Batch, Method
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.depth_network import NetworkConfig

WIDTH, HEIGHT = 64, 48
TINY = NetworkConfig(encoder_width=.125, decoder_channels=(16, 16, 8, 8))
SETTINGS: dict[str, Any] = {
    'steps': 40, 'batch': 2, 'sizes': ((1., WIDTH, HEIGHT),), 'precision': '32-true',
    'warm_up': 0, 'learning_rate': 2e-3, 'network': TINY}


def make_config(**settings: Any) -> TrainConfig:
    """Return the settings of a run of seconds."""
    return TrainConfig(**{**SETTINGS, **settings})


def make_batch(count: int = 2, seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Batch:
    """
    Return pictures of blobs, brighter where nearer, with some labels missing.

    The target's pictures are other ones, darker and blue.
    """
    generator = torch.Generator().manual_seed(seed)

    def depth() -> torch.Tensor:
        coarse = torch.rand(count, 1, 4, 5, generator=generator) * 3 + 1
        return functional.interpolate(coarse, (height, width), mode='bilinear')

    def picture(metres: torch.Tensor, colour: tuple[float, float, float]) -> torch.Tensor:
        noise = torch.randn(count, 3, height, width, generator=generator) * .03
        shade = (1.2 - metres / 4) * torch.tensor(colour).view(1, 3, 1, 1)
        return ((shade + noise).clamp(0, 1) * 255).to(torch.uint8)

    source = depth()
    log_depth = source[..., ::2, ::2].log()
    log_depth[..., :2] = torch.nan
    return Batch(picture(source, (1., .8, .6)), log_depth, picture(depth(), (.3, .4, .7)),
                 torch.linspace(200, 300, count))


def make_method(kind: type[Method[Any]], **settings: Any) -> Method[Any]:
    """Return a method with a new network, placed on the CPU, in training."""
    torch.set_num_threads(1)
    config = make_config(**settings)
    torch.manual_seed(config.seed)
    method = kind(kind.make_network(config), config)
    method.place(Fabric(accelerator='cpu', devices=1,
                        precision=config.precision))  # type: ignore[arg-type]
    for module in method.modules.values():
        module.train()
    return method


def step(method: Method[Any], batch: Batch, progress: float) -> dict[str, float]:
    """Take one step as the training loop does; return losses and numbers."""
    mixed = method.config.precision == 'bf16-mixed'
    with torch.autocast('cpu', torch.bfloat16) if mixed else nullcontext():
        terms = method.losses(batch, progress)
    for optimiser in method.optimisers.values():
        optimiser.zero_grad()
    torch.stack([term.float() for term in terms.values()]).sum().backward()
    for name, optimiser in method.optimisers.items():
        if name not in method.own_steps:
            optimiser.step()
    method.average.update_parameters(method.network)
    return {**{name: float(term.detach()) for name, term in terms.items()},
            **method.after_step(batch, progress)}


def reached(loss: torch.Tensor, modules: dict[str, nn.Module]) -> set[str]:
    """Return the names of the modules that a loss has gradients for."""
    for module in modules.values():
        module.zero_grad()
    loss.backward(retain_graph=True)
    return {name for name, module in modules.items()
            if any(p.grad is not None and bool(p.grad.any()) for p in module.parameters())}


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of the tensors of a module."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def changed(module: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    """Return the names of the tensors that are not what they were."""
    return {name for name, value in module.state_dict().items()
            if not torch.equal(value, before[name])}
