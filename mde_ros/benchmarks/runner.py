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

"""Trains and scores every cell of a table; what is finished is not run again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mde_ros.adaptation.errors import TrainingError
from mde_ros.benchmarks.claims import claim, read_json, write_json
from mde_ros.benchmarks.data import ReadyData, ReadyTarget
from mde_ros.benchmarks.methods import Contender, contender, SOURCE_ONLY
from mde_ros.benchmarks.scoring import cost, score
from mde_ros.benchmarks.settings import Settings
from mde_ros.benchmarks.training import (
    DONE, load_network, Machine, Progress, train, Training, WEIGHTS)

SCORE, EXAMPLES_FILE = 'score.json', 'examples.npz'
# Called at the start of each training with its title and steps; returns its progress.
Watch = Callable[[str, int], Progress | None]


def unwatched(title: str, steps: int) -> Progress | None:
    """Show nothing."""
    del title, steps
    return None


@dataclass
class Benchmark:
    """
    One scenario: methods x targets x seeds.

    A folder per cell holds run, weights and score: OUT/TARGET/METHOD/seedN. What does not
    depend on the target, the warm start and source_only, is trained once: OUT/source/...

    :param out: folder of this scenario.
    :param encoder_start: file of encoder weights that all of our networks start from.
    """

    scenario: str
    data: ReadyData
    settings: Settings
    contenders: Sequence[Contender]
    seeds: Sequence[int]
    out: Path
    encoder_start: Path | None = None
    machine: Machine = field(default_factory=Machine)
    watch: Watch = unwatched
    failures: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> Iterator[dict[str, Any]]:
        """
        Yield the row of every cell, seed by seed, so that a whole table is there early.

        A training that fails, as by a loss that is not finite, is noted in ``failures`` and the
        others go on.

        :raises mde_ros.benchmarks.errors.BenchmarkError: naming what changed since a cell was
            started.
        """
        claim(self.out / 'settings.json', {
            'scenario': self.scenario, 'settings': self.settings.to_dict(),
            'encoder_start': self.encoder_start and self.encoder_start.name,
            'source': [part.to_dict() for part in self.data.source]})
        for seed in self.seeds:
            if self.settings.warm_steps:
                self._train(self.warm_training(seed), 'warm start', seed)
            for one in self.contenders:
                for target in self.data.targets:
                    try:
                        row = self.cell(one, target, seed)
                    except TrainingError as error:
                        self.failures.append({'target': target.name, 'method': one.name,
                                              'seed': seed, 'reason': str(error)})
                        continue
                    yield row

    def warm_training(self, seed: int) -> Training:
        """Return the training that all methods on our network start from."""
        return Training(
            self.out / 'source' / 'warm' / f'seed{seed}', contender(SOURCE_ONLY),
            self.settings.train_config(seed, {}, warm=True), self.data.source,
            encoder_start=self.encoder_start)

    def training(self, one: Contender, target: ReadyTarget, seed: int) -> Training:
        """Return the training of one cell; one that sees none is the same for all."""
        place = target.name if one.kind.needs_target or one.sees_labels else 'source'
        warm = self.settings.warm_steps and not one.own_network
        return Training(
            self.out / place / one.name / f'seed{seed}', one,
            self.settings.train_config(seed, one.values, whole=one.own_network,
                                       images=1 + one.sees_labels),
            self.data.source, target.adapt if one.kind.needs_target else None,
            target.adapt if one.sees_labels else None,
            self.warm_training(seed).folder if warm else None, self.encoder_start)

    def cell(self, one: Contender, target: ReadyTarget, seed: int) -> dict[str, Any]:
        """Return the row of one cell, trained and scored if it is not finished."""
        training = self.training(one, target, seed)
        trained = self._train(training, f'{target.name} {one.name}', seed)
        folder = self.out / target.name / one.name / f'seed{seed}'
        claim(folder / 'scored.json', {
            'sha256': trained['sha256'], 'score': target.score.to_dict(),
            'protocol': target.protocol and target.protocol.to_dict()})
        row = read_json(folder / SCORE)
        if row is None:
            network = load_network(training)
            warm = read_json(training.start / DONE) if training.start else {}
            row = {
                'scenario': self.scenario, 'target': target.name, 'method': one.name,
                'seed': seed, 'target_labels': one.sees_labels, 'steps': trained['steps'],
                'warm_steps': warm.get('steps', 0), 'batch': trained['batch'],
                'seconds': trained['seconds'], 'warm_seconds': warm.get('seconds', 0.),
                'device': self.machine.device,
                **cost(network, training.config, target.score, target.protocol),
                **score(network, training.config, one.name, target.score,
                        folder / EXAMPLES_FILE, self.machine.device, target.protocol)}
            write_json(folder / SCORE, row)
        return dict(row)

    def examples(self, target: str, seed: int) -> dict[str, Path]:
        """Return the example files of the finished cells by method."""
        paths = {one.name: self.out / target / one.name / f'seed{seed}' / EXAMPLES_FILE
                 for one in self.contenders}
        return {name: path for name, path in paths.items() if path.is_file()}

    def _train(self, training: Training, title: str, seed: int) -> dict[str, Any]:
        finished = (training.folder / DONE).exists() and (training.folder / WEIGHTS).exists()
        progress = None if finished else self.watch(
            f'{title}, seed {seed}', training.config.steps)
        return train(training, self.machine, progress)
