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

"""The one training loop of all methods: resumable, guarded, logged."""

from collections.abc import Callable, Iterator
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
from torch import nn
from torch.utils.data import DataLoader

from mde_ros.adaptation.checkpoint import load_checkpoint, save_checkpoint
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.history import History
from mde_ros.adaptation.methods.base import average_gradients, Batch, Method
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import collate, SharedBatches, TrainingData


def learning_rate(step: int, config: TrainConfig) -> float:
    """Return the learning rate of ``step``: linear warm-up, then half a cosine."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    progress = (step - config.warm_up) / max(config.steps - config.warm_up, 1)
    return config.learning_rate * .5 * (1 + math.cos(math.pi * min(progress, 1.)))


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the fields that are not the same, as JSON knows them."""
    now = json.loads(json.dumps(now))
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def prepare_worker(number: int) -> None:
    """Give a data process one thread of OpenCV: the processes themselves run in parallel."""
    cv2.setNumThreads(0)


class Trainer:
    """
    One readable loop; everything it needs to go on is in its checkpoints.

    In several processes each sees its share of every batch; gradients and batch statistics are
    those of the whole batch, so that the losses are those of one process.

    :param method: with its networks; trained in place.
    :param out: folder of the run: checkpoints/, history.jsonl, tensorboard/, run.json.
    :param identity: what else must be the same for a run to be resumed (the data).
    :raises TrainingError: when ``out`` holds a run with other settings.
    """

    def __init__(self, method: Method[Any], data: TrainingData, out: Path, fabric: Fabric,
                 identity: dict[str, Any], workers: int = 1) -> None:
        self.method, self.fabric = method, fabric
        self.config, self.data, self.out = data.config, data, out
        self.checkpoints = out / 'checkpoints'
        self.workers = workers
        out.mkdir(parents=True, exist_ok=True)
        self._claim({'method': method.name, 'config': self.config.to_dict(), **identity})
        seed_everything(self.config.seed, verbose=False)
        method.place(fabric)
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
        for name, module in self.method.modules.items():
            module.load_state_dict(state['modules'][name])
        for name, optimiser in self.method.optimisers.items():
            optimiser.load_state_dict(state['optimisers'][name])
        torch.set_rng_state(state['random'])
        self.step, self.seconds = int(state['step']), float(state['seconds'])

    def save(self) -> None:
        """Write a checkpoint of this moment."""
        save_checkpoint(self.fabric, self.checkpoints, self.step, {
            'modules': {name: m.state_dict() for name, m in self.method.modules.items()},
            'optimisers': {name: o.state_dict() for name, o in self.method.optimisers.items()},
            'random': torch.get_rng_state(), 'step': self.step, 'seconds': self.seconds})

    def batches(self) -> Iterator[Batch]:
        """Yield the batches from the present step on."""
        plan = SharedBatches(self.config, self.step, self.fabric.global_rank,
                             self.fabric.world_size)
        # A generator of its own: starting a loader must not move the training's random state.
        loader: Any = self.fabric.setup_dataloaders(DataLoader(
            self.data, batch_sampler=plan, num_workers=self.workers,
            worker_init_fn=prepare_worker, collate_fn=collate,
            prefetch_factor=4 if self.workers else None, generator=torch.Generator()),
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

    def train_step(self, batch: Batch) -> dict[str, float]:
        """
        Take one step of the method and return its losses and numbers.

        :raises TrainingError: when a loss is not finite, before it can spoil the weights.
        """
        method, progress = self.method, self.step / self.config.steps
        rate = learning_rate(self.step, self.config)
        stepped = [o for name, o in method.optimisers.items() if name not in method.own_steps]
        for optimiser in stepped:
            for group in optimiser.param_groups:
                group['lr'] = rate * group['rate'] if 'rate' in group else group['lr']
        with self.fabric.autocast():
            losses = method.losses(batch, progress)
        values = self._agree({name: float(term.detach()) for name, term in losses.items()})
        for optimiser in stepped:
            optimiser.zero_grad()
        self.fabric.backward(torch.stack([t.float() for t in losses.values()]).sum())
        average_gradients(self.fabric, [
            p for o in stepped for group in o.param_groups for p in group['params']])
        norm = nn.utils.clip_grad_norm_(
            method.network.parameters(), self.config.clip if method.clipped else math.inf)
        if not torch.isfinite(norm):
            raise TrainingError(f'gradients are not finite at step {self.step}: the last good '
                                f'checkpoint is kept in {self.checkpoints}')
        for optimiser in stepped:
            optimiser.step()
        numbers = self._agree(method.after_step(batch, progress))
        method.average.update_parameters(method.network)
        return {**values, 'loss': sum(values.values()), 'learning_rate': rate, **numbers}

    def _agree(self, values: dict[str, float]) -> dict[str, float]:
        """
        Return the means over all processes: every one of them then stops at the same step.

        :raises TrainingError: naming the first that is not finite.
        """
        if not values:
            return {}
        mean = self.fabric.all_reduce(torch.tensor(list(values.values()), dtype=torch.float64))
        assert isinstance(mean, torch.Tensor)
        agreed = dict(zip(values, mean.tolist()))
        for name, value in agreed.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f'loss {name} is {value} at step {self.step}: the last good checkpoint is '
                    f'kept in {self.checkpoints}; lower --learning-rate in a new --out')
        return agreed

    def run(self, validate: Callable[[Any], dict[str, float]] | None = None,
            progress: Callable[[int, dict[str, float]], None] | None = None) -> Any:
        """
        Train to the end and return the method's result: the averaged network.

        :param validate: called as validate(network) -> numbers, every ``validate_every`` steps.
        :param progress: called as progress(step, losses) after every step.
        """
        history = History(self.out, self.step) if self.fabric.is_global_zero else None
        try:
            self._run(history, validate, progress)
        finally:
            if history:
                history.close()
        return self.method.result()

    def _run(self, history: History | None,
             validate: Callable[[Any], dict[str, float]] | None,
             progress: Callable[[int, dict[str, float]], None] | None) -> None:
        batches = self.batches()
        for module in self.method.modules.values():
            module.train()
        while self.step < self.config.steps:
            start = perf_counter()
            batch = next(batches)
            record = self.train_step(batch)
            self.seconds += perf_counter() - start
            last = self.step + 1 == self.config.steps
            if last or (self.step + 1) % self.config.validate_every == 0:
                if validate:
                    record |= {f'validation/{name}': value
                               for name, value in validate(self.method.result()).items()}
                if history:
                    history.add_pictures(self.step, self.method.pictures(batch))
            if history:
                history.add(self.step, record)
            self.step += 1
            if progress:
                progress(self.step, record)
            if last or self.step % self.config.checkpoint_every == 0:
                self.save()

    @property
    def peak_memory_mb(self) -> float:
        """Return the largest memory of this process so far, in MiB."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
