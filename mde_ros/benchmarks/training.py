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

"""One training of a table: from the shared start to weights, killed and started again."""

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
from pathlib import Path
import shutil
from typing import Any

from lightning_fabric import Fabric
import numpy as np
from safetensors.torch import load_file, save_file
import torch
from torch import nn

from mde_ros.adaptation.augmentation import make_sample
from mde_ros.adaptation.encoder_start import start_encoder
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.trainer import Trainer
from mde_ros.adaptation.training_data import TrainingData
from mde_ros.benchmarks.claims import claim, read_json, write_json
from mde_ros.benchmarks.data import Part
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.methods import Contender
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, normalise

WEIGHTS, DONE, CLAIM = 'weights.safetensors', 'trained.json', 'training.json'
START_IMAGES = 48
Progress = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Machine:
    """Where trainings run; no part of what they are."""

    device: str = 'cpu'
    workers: int = 1

    def fabric(self, precision: str) -> Fabric:
        """
        Return the device.

        :raises BenchmarkError: when it is not there.
        """
        try:
            return Fabric(accelerator=self.device, devices=1,
                          precision=precision)  # type: ignore[arg-type]
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise BenchmarkError(f"--device '{self.device}' cannot be used: {reason}") from error


@dataclass(frozen=True)
class Training:
    """
    One training.

    :param folder: of its run and weights.
    :param source: labelled folders.
    :param target: opened without labels; None for methods that see no target.
    :param labelled_target: the oracle's additional source, half of every batch.
    :param start: folder of the warm start; None starts from ``encoder_start`` or random.
    :param encoder_start: file of encoder weights.
    """

    folder: Path
    contender: Contender
    config: TrainConfig
    source: tuple[Part, ...]
    target: Part | None = None
    labelled_target: Part | None = None
    start: Path | None = None
    encoder_start: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything that decides the weights."""
        start = None if self.start is None else read_json(self.start / DONE)['sha256']
        encoder = None
        if self.encoder_start and not (start or self.contender.own_network):
            encoder = {'name': self.encoder_start.name, 'sha256': _hash(self.encoder_start)}
        return {
            'method': self.contender.name, 'config': self.config.to_dict(), 'start': start,
            'encoder_start': encoder,
            'source': [part.to_dict() for part in self.source],
            'target': self.target and self.target.to_dict(),
            'labelled_target': self.labelled_target and self.labelled_target.to_dict()}

    def data(self) -> TrainingData:
        """Open the data; nothing but the oracle opens labels of a target."""
        sources = [part.open(read_depth=True) for part in self.source]
        shares = [len(one) / sum(map(len, sources)) for one in sources]
        if self.labelled_target is not None:
            sources.append(self.labelled_target.open(read_depth=True))
            shares = [*(share / 2 for share in shares), .5]
        targets = [] if self.target is None else [self.target.open(read_depth=False)]
        return TrainingData(sources, self.config, shares, targets)

    def network(self, data: TrainingData) -> nn.Module:
        """Return the network with its starting weights."""
        torch.manual_seed(self.config.seed)
        if self.start is not None:
            return load_weights(self.start / WEIGHTS)[0]
        network = self.contender.kind.make_network(self.config)
        if self.encoder_start is not None and isinstance(network, DepthNetwork):
            start_encoder(network.content_encoder, self.encoder_start,
                          _first_images(data.sources, self.config))
        return network


def train(training: Training, machine: Machine, progress: Progress | None = None
          ) -> dict[str, Any]:
    """
    Train, resume, or return at once what a finished training wrote.

    :return: steps, batch, seconds, hash of the weights and the last losses.
    :raises BenchmarkError: when the folder belongs to other settings.
    """
    settings = training.to_dict()
    claim(training.folder / CLAIM, settings)
    done = read_json(training.folder / DONE)
    if done is not None:
        return dict(done)
    data = training.data()
    method = training.contender.kind(training.network(data), training.config)
    trainer = Trainer(method, data, training.folder / 'run',
                      machine.fabric(training.config.precision), {}, machine.workers)
    last: dict[str, float] = {}

    def note(step: int, losses: dict[str, float]) -> None:
        last.clear()
        last.update(losses)
        if progress:
            progress(step, losses)

    network = trainer.run(None, note)
    path = training.folder / WEIGHTS
    save_network(path, network, training.config, training.contender.name)
    facts = {'steps': training.config.steps, 'batch': training.config.batch,
             'seconds': round(trainer.seconds, 2), 'sha256': _hash(path),
             'losses': {name: round(value, 6) for name, value in last.items()}}
    write_json(training.folder / DONE, facts)
    # Only now: what is left is the history and the weights.
    shutil.rmtree(trainer.checkpoints, ignore_errors=True)
    return facts


def card_of(config: TrainConfig, name: str) -> WeightCard:
    """Return the card under which a network is saved and scored."""
    width, height = config.sizes[-1][1:]
    return WeightCard(name, config.network, width * height,
                      (config.min_depth, config.max_depth), training={'benchmark': name})


def save_network(path: Path, network: nn.Module, config: TrainConfig, name: str) -> None:
    """Write a network: ours as a weight file that the depth node takes, others as tensors."""
    if isinstance(network, DepthNetwork):
        save_weights(path, network, card_of(config, name))
    else:
        # Clones: layers that share a parameter each keep a copy.
        save_file({key: value.detach().cpu().clone().contiguous()
                   for key, value in network.state_dict().items()}, path)


def load_network(training: Training) -> nn.Module:
    """Return the trained network."""
    path = training.folder / WEIGHTS
    if not training.contender.own_network:
        return load_weights(path)[0]
    network = training.contender.kind.make_network(training.config)
    network.load_state_dict(load_file(path))
    return network.eval()


def _first_images(sources: list[IndexedDataset], config: TrainConfig) -> torch.Tensor:
    """Return pictures as training sees them, to measure batch statistics on."""
    width, height = config.size_at(0)
    rng = np.random.default_rng(config.seed)
    frames = [sources[n % len(sources)].get(int(rng.integers(len(sources[n % len(sources)]))))
              for n in range(START_IMAGES)]
    images = [make_sample(frame, width, height, config, rng).image
              for frame in frames if frame is not None and frame.depth is not None]
    if not images:
        raise BenchmarkError(f'{sources[0].path}: no readable labelled frame')
    return normalise(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise BenchmarkError(f'{path}: cannot be read: {error.strerror}') from error
