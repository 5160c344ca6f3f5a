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

"""Networks of other sizes than the shipped ones, trained alike, and which of them are worth it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mde_ros.adaptation.errors import TrainingError
from mde_ros.benchmarks.claims import claim, read_json, write_json
from mde_ros.benchmarks.data import Part
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.input_sizes import METRICS
from mde_ros.benchmarks.methods import contender, SOURCE_ONLY
from mde_ros.benchmarks.runner import EXAMPLES_FILE, SCORE, unwatched, Watch
from mde_ros.benchmarks.scoring import score
from mde_ros.benchmarks.settings import Settings
from mde_ros.benchmarks.summary import ERROR, mean_spread
from mde_ros.benchmarks.training import DONE, load_network, Machine, train, Training
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.network.depth_network import NetworkConfig, SIZES

HALF, LARGE = (64, 32, 24, 16), (192, 96, 72, 48)
# By name: width of the encoder, decoder, its channels where they are not those of the shipped
# sizes. In order of multiply-accumulates.
CANDIDATES: dict[str, NetworkConfig] = {
    '0.5-depthwise-half': NetworkConfig(.5, HALF, 'depthwise'),
    '0.5-dense-half': NetworkConfig(.5, HALF),
    '0.75-depthwise': NetworkConfig(.75, decoder='depthwise'),
    '0.75-dense-half': NetworkConfig(.75, HALF),
    'small': SIZES['small'],
    '1.0-dense-half': NetworkConfig(1., HALF),
    '0.5-dense': NetworkConfig(.5),
    '0.75-dense': NetworkConfig(.75),
    '1.4-dense-half': NetworkConfig(1.4, HALF),
    'base': SIZES['base'],
    '1.0-dense-large': NetworkConfig(1., LARGE),
}
# Of the rooms; the last ones are scored.
SCORED_SHARE = .15


def split_by_room(source: Path, view: Path, share: float = SCORED_SHARE) -> tuple[Part, Part]:
    """
    Return frames to train on and frames to score that show other rooms.

    :param source: folder of ``mde simulate``; its frames are named ROOM_VIEW.
    :param view: folder that is made: links to the images, and a meta.json with these splits.
    :param share: of the rooms that are scored, at least one.
    :raises BenchmarkError: when there are not two rooms.
    """
    folder = RgbdFolder(source)
    rooms: dict[str, list[str]] = {}
    for name in sorted(folder.names):
        rooms.setdefault(name.rpartition('_')[0], []).append(name)
    scored = max(1, round(share * len(rooms)))
    if len(rooms) <= scored:
        raise BenchmarkError(f'{source}: frames of {len(rooms)} room where two are needed, one '
                             'to train on and one to score')
    view.mkdir(parents=True, exist_ok=True)
    for name in ('rgb', 'depth'):
        (view / name).unlink(missing_ok=True)
        (view / name).symlink_to((source / name).resolve())
    parts = {'train': list(rooms)[:-scored], 'score': list(rooms)[-scored:]}
    write_json(view / 'meta.json', {**folder.meta, 'splits': {
        split: [name for room in names for name in rooms[room]]
        for split, names in parts.items()}})
    return Part(view, 'train'), Part(view, 'score')


@dataclass
class Search:
    """
    Candidates x seeds, each from random weights by the same steps on the same samples.

    A folder a cell holds run, weights and score: OUT/CANDIDATE/seedN.

    :param source: labelled frames to train on.
    :param scored: frames of other rooms.
    """

    candidates: Mapping[str, NetworkConfig]
    settings: Settings
    source: Part
    scored: Part
    seeds: Sequence[int]
    out: Path
    machine: Machine = field(default_factory=Machine)
    watch: Watch = unwatched
    failures: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> Iterator[dict[str, Any]]:
        """
        Yield the row of every cell, seed by seed; what is finished is not run again.

        :raises BenchmarkError: naming what changed since a cell was started.
        """
        for seed in self.seeds:
            for name in self.candidates:
                try:
                    row = self.cell(name, seed)
                except TrainingError as error:
                    self.failures.append({'name': name, 'seed': seed, 'reason': str(error)})
                    continue
                yield row

    def training(self, name: str, seed: int) -> Training:
        """Return the training of one cell."""
        one = contender(SOURCE_ONLY)
        config = replace(self.settings.train_config(seed, one.values, whole=True),
                         network=self.candidates[name])
        return Training(self.out / name / f'seed{seed}', one, config, (self.source,))

    def cell(self, name: str, seed: int) -> dict[str, Any]:
        """Return the row of one cell, trained and scored if it is not finished."""
        training = self.training(name, seed)
        finished = (training.folder / DONE).exists()
        trained = train(training, self.machine, None if finished else self.watch(
            f'{name}, seed {seed}', training.config.steps))
        claim(training.folder / 'scored.json', {
            'sha256': trained['sha256'], 'score': self.scored.to_dict()})
        row = read_json(training.folder / SCORE)
        if row is None:
            row = {'name': name, 'seed': seed, 'steps': trained['steps'],
                   'batch': trained['batch'], 'seconds': trained['seconds'],
                   **score(load_network(training), training.config, name, self.scored,
                           training.folder / EXAMPLES_FILE, self.machine.device)}
            write_json(training.folder / SCORE, row)
        return dict(row)


def summarise_candidates(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return, by candidate, its seeds, and mean and spread over them of each column's metrics."""
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(row['name'] for row in rows):
        own = [row for row in rows if row['name'] == name]
        found[name] = {
            'seeds': sorted(row['seed'] for row in own),
            'seconds': mean_spread([row['seconds'] for row in own]),
            **{column: {metric: mean_spread([row[column][metric] for row in own])
                        for metric in METRICS} for column in COLUMNS}}
    return found


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """
    Return the names that no other beats, the cheapest first.

    Another beats one that costs as much or more and errs as much or more, and not both the same.

    >>> pareto_front({'a': (1, 3), 'b': (2, 4), 'c': (3, 1)})
    ['a', 'c']

    :param points: (cost, error) by name.
    """
    return sorted((name for name, (cost, error) in points.items() if not any(
        c <= cost and e <= error and (c, e) != (cost, error) for c, e in points.values())),
        key=points.__getitem__)


def excess(points: Mapping[str, tuple[float, float]], name: str) -> float:
    """Return the error of one over the least error of all that cost no more."""
    cost, error = points[name]
    return error / min(e for c, e in points.values() if c <= cost)


def judge(facts: Mapping[str, dict[str, Any]], rows: Sequence[Mapping[str, Any]]
          ) -> dict[str, Any]:
    """
    Return the candidates that have rows, and the fronts by back end and column.

    :param facts: by candidate; its 'latency' has 'p50' by back end.
    :param rows: of :meth:`Search.run`.
    """
    found = {name: {**facts[name], **one, 'excess': {}}
             for name, one in summarise_candidates(rows).items()}
    front: dict[str, dict[str, list[str]]] = {}
    for backend in next(iter(facts.values()))['latency']:
        points = {column: {name: (one['latency'][backend]['p50'], one[column][ERROR]['mean'])
                           for name, one in found.items()} for column in COLUMNS}
        front[backend] = {column: pareto_front(points[column]) for column in COLUMNS}
        for name, one in found.items():
            one['excess'][backend] = {column: round(excess(points[column], name), 4)
                                      for column in COLUMNS}
    return {'candidates': found, 'front': front}
