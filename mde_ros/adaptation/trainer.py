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

"""Training on labelled sources only: the starting network, and the lower bound of methods."""

from collections.abc import Callable, Iterator, Sequence
import json
import math
import os
from pathlib import Path
import resource
from time import perf_counter
from typing import Any

import cv2
from lightning_fabric import Fabric, seed_everything
import torch
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from mde_ros.adaptation.checkpoint import load_checkpoint, save_checkpoint
from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.history import History
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import SharedBatches, TrainingData
from mde_ros.network.batch_norm import copy_domain, SOURCE, TARGET, use_domain
from mde_ros.network.depth_network import DepthNetwork, normalise

Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]


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


def learning_rate(step: int, config: TrainConfig) -> float:
    """Return the learning rate of ``step``: linear warm-up, then half a cosine."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    progress = (step - config.warm_up) / max(config.steps - config.warm_up, 1)
    return config.learning_rate * .5 * (1 + math.cos(math.pi * min(progress, 1.)))


def ramped_average(decay: float) -> Callable[[Tensors, Tensors, torch.Tensor | int], None]:
    """Return an average that forgets its start: the decay rises with the number of steps."""
    def update(averages: Tensors, present: Tensors, count: torch.Tensor | int) -> None:
        rate = 1 - min(decay, (1 + float(count)) / (10 + float(count)))
        with torch.no_grad():
            for average, value in zip(averages, present):
                average.lerp_(value, rate)
    return update


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the fields that are not the same, as JSON knows them."""
    now = json.loads(json.dumps(now))
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def prepare_worker(number: int) -> None:
    """Give a data process one thread of OpenCV: the processes themselves run in parallel."""
    cv2.setNumThreads(0)


class SourceOnlyTrainer:
    """
    One readable loop; everything it needs to go on is in its checkpoints.

    :param network: with its starting weights; trained in place.
    :param out: folder of the run: checkpoints/, history.jsonl, tensorboard/, run.json.
    :param identity: what else must be the same for a run to be resumed (the data).
    :raises TrainingError: when ``out`` holds a run with other settings.
    """

    def __init__(self, network: DepthNetwork, data: TrainingData, out: Path, fabric: Fabric,
                 identity: dict[str, Any], workers: int = 1) -> None:
        self.config, self.data, self.out, self.fabric = data.config, data, out, fabric
        self.checkpoints = out / 'checkpoints'
        self.workers = workers
        out.mkdir(parents=True, exist_ok=True)
        self._claim({'config': self.config.to_dict(), **identity})
        seed_everything(self.config.seed, verbose=False)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # No style on the source path; several processes must agree on what is trained.
        network.style_encoders.requires_grad_(False)
        optimiser = torch.optim.AdamW(parameter_groups(network, self.config))
        self.model, self.optimiser = fabric.setup(network, optimiser)
        self.network = network
        self.average = AveragedModel(
            network, multi_avg_fn=ramped_average(self.config.average), use_buffers=True)
        self.step = 0
        self.seconds = 0.0
        self._resume()

    def _claim(self, run: dict[str, Any]) -> None:
        path = self.out / 'run.json'
        if path.exists():
            try:
                before = json.loads(path.read_text())
                changed = [*differences(before['config'], run['config']), *differences(
                    {**before, 'config': 0}, {**run, 'config': 0})]
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise TrainingError(f'{path}: not the settings of a run: give another --out'
                                    ) from error
            if changed:
                raise TrainingError(
                    f"{self.out} holds a run with other settings ({', '.join(changed)}): give the "
                    'same ones to resume it, or another --out')
        elif self.fabric.is_global_zero:
            aside = path.with_suffix('.part')
            aside.write_text(json.dumps(run, indent=1) + '\n')
            os.replace(aside, path)

    def _resume(self) -> None:
        state = load_checkpoint(self.checkpoints)
        if state is None:
            return
        self.network.load_state_dict(state['network'])
        self.average.load_state_dict(state['average'])
        self.optimiser.load_state_dict(state['optimiser'])
        torch.set_rng_state(state['random'])
        self.step, self.seconds = int(state['step']), float(state['seconds'])

    def save(self) -> None:
        """Write a checkpoint of this moment."""
        save_checkpoint(self.fabric, self.checkpoints, self.step, {
            'network': self.network.state_dict(), 'average': self.average.state_dict(),
            'optimiser': self.optimiser.state_dict(), 'random': torch.get_rng_state(),
            'step': self.step, 'seconds': self.seconds})

    def batches(self) -> Iterator[Sequence[torch.Tensor]]:
        """Yield the batches from the present step on."""
        plan = SharedBatches(self.config, self.step, self.fabric.global_rank,
                             self.fabric.world_size)
        loader: Any = self.fabric.setup_dataloaders(DataLoader(
            self.data, batch_sampler=plan, num_workers=self.workers,
            worker_init_fn=prepare_worker, prefetch_factor=4 if self.workers else None),
            use_distributed_sampler=False)
        try:
            yield from loader
        except TrainingError as error:
            # From a data process it comes with a traceback as its text.
            raise TrainingError(str(error).strip().split('TrainingError: ')[-1]) from error
        except RuntimeError as error:
            if 'DataLoader worker' not in str(error):
                raise
            raise TrainingError('a data process was killed, as for want of memory: lower '
                                f'--workers or --batch ({error})') from error

    def losses(self, image: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the loss terms of a batch on the source path."""
        image = normalise(image).contiguous(memory_format=torch.channels_last)
        with use_domain(self.network, SOURCE):
            return depth_losses(self.model(image), target)

    def train_step(self, batch: Sequence[torch.Tensor]) -> dict[str, float]:
        """
        Take one optimiser step and return the losses.

        :raises TrainingError: when a loss is not finite, before it can spoil the weights.
        """
        rate = learning_rate(self.step, self.config)
        for group in self.optimiser.param_groups:
            group['lr'] = rate * group['rate']
        losses = self.losses(*batch)
        # The mean over all processes: every one of them then stops at the same step.
        mean = self.fabric.all_reduce(torch.stack([t.detach() for t in losses.values()]))
        values = dict(zip(losses, mean.tolist()))  # type: ignore[union-attr]
        for name, value in values.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f'loss {name} is {value} at step {self.step}: the last good checkpoint is '
                    f'kept in {self.checkpoints}; lower --learning-rate in a new --out')
        self.optimiser.zero_grad()
        self.fabric.backward(torch.stack(list(losses.values())).sum())
        norm = self.fabric.clip_gradients(
            self.model, self.optimiser, max_norm=self.config.clip, error_if_nonfinite=False)
        if norm is not None and not torch.isfinite(norm):
            raise TrainingError(f'gradients are not finite at step {self.step}: the last good '
                                f'checkpoint is kept in {self.checkpoints}')
        self.optimiser.step()
        self.average.update_parameters(self.network)
        return {**values, 'loss': sum(values.values()), 'learning_rate': rate}

    def run(self, validate: Callable[[DepthNetwork], dict[str, float]] | None = None,
            progress: Callable[[int, dict[str, float]], None] | None = None) -> DepthNetwork:
        """
        Train to the end and return the averaged network, its target path as the source's.

        :param validate: called as validate(network) -> numbers, every ``validate_every`` steps.
        :param progress: called as progress(step, losses) after every step.
        """
        history = History(self.out, self.step) if self.fabric.is_global_zero else None
        try:
            self._run(history, validate, progress)
        finally:
            if history:
                history.close()
        return self.result()

    def _run(self, history: History | None,
             validate: Callable[[DepthNetwork], dict[str, float]] | None,
             progress: Callable[[int, dict[str, float]], None] | None) -> None:
        batches = self.batches()
        self.model.train()
        while self.step < self.config.steps:
            start = perf_counter()
            record = self.train_step(next(batches))
            self.seconds += perf_counter() - start
            last = self.step + 1 == self.config.steps
            if validate and (last or (self.step + 1) % self.config.validate_every == 0):
                record |= {f'validation/{k}': v for k, v in validate(self.result()).items()}
            if history:
                history.add(self.step, record)
            self.step += 1
            if progress:
                progress(self.step, record)
            if last or self.step % self.config.checkpoint_every == 0:
                self.save()

    def result(self) -> DepthNetwork:
        """Return a copy of the averaged network for inference."""
        network = DepthNetwork(self.config.network)
        network.load_state_dict(self.average.module.state_dict())
        copy_domain(network, SOURCE, TARGET)
        return network.eval()

    @property
    def peak_memory_mb(self) -> float:
        """Return the largest memory of this process so far, in MiB."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
