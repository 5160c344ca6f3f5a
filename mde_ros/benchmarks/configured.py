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

"""Scenarios of a YAML file: data sets of the field, scored under a protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.benchmarks.data import Part, ReadyData, ReadyTarget
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.scenarios import SCENARIOS
from mde_ros.evaluation.benchmark_config import (
    check_disjoint, read_benchmark, resolve_benchmark, ROLES)
from mde_ros.evaluation.protocols import DepthProtocol, get_protocol

SUFFIXES = ('.yaml', '.yml')
# The folder of rendered rooms, beside those of the scenarios.
_TAKEN = ('data', *SCENARIOS)


@dataclass(frozen=True)
class Configured:
    """
    One table of a configuration: one source, one target.

    :param name: of its folder below --out.
    """

    name: str
    source: Part
    target: Part
    score: Part
    protocol: DepthProtocol

    @property
    def max_depth(self) -> float:
        """Return the largest label to train on: the protocol's cap, if that is far."""
        return max(TrainConfig.max_depth, self.protocol.maximum)

    def ready(self, targets: Sequence[str] | None = None) -> ReadyData:
        """
        Open everything once, so that no training ends at what cannot be scored.

        :param targets: of --targets; there is one, of the kind of its data set.
        :raises BenchmarkError: for another target, or what is scored without labels.
        :raises mde_ros.errors.MdeError: for data that cannot be read, shared frames, and a
            protocol that does not fit the data.
        """
        kind = self.target.spec.kind if self.target.spec else 'target'
        if wrong := sorted(set(targets or ()) - {kind}):
            raise BenchmarkError(f"--targets {', '.join(wrong)}: {self.name} has {kind}")
        score = self.score.open(read_depth=True)
        if not score.labelled:
            raise BenchmarkError(f"{self.name}: 'score': {score.path} has no depth")
        self.protocol.check_source(score)
        self.score.camera(self.protocol)
        for part in (self.source, self.target):
            check_disjoint(part.open(read_depth=False), score)
        return ReadyData((self.source,), (
            ReadyTarget(kind, self.target, self.score, self.protocol),))


def is_configuration(name: str) -> bool:
    """Tell whether a name is that of a YAML file, be it there or not."""
    return name not in SCENARIOS and (Path(name).suffix in SUFFIXES or Path(name).is_file())


def read_configured(path: str, folders: Sequence[str] = ()) -> Configured:
    """
    Return the scenario of a YAML file; nothing is opened yet.

    :param folders: NAME=FOLDER of each ${NAME}; those of the environment for the rest.
    :raises BenchmarkError: for a wrong --set or name.
    :raises mde_ros.evaluation.benchmark_config.BenchmarkConfigError: for a wrong file, or a
        ${NAME} that is not given.
    """
    config = read_benchmark(path)
    if not re.fullmatch(r'\w[\w.-]*', config['name']) or config['name'] in _TAKEN:
        raise BenchmarkError(f"{path}: 'name': '{config['name']}': it names a folder of results: "
                             f"letters, digits, _ - and ., none of {', '.join(_TAKEN)}")
    paths = _pairs(path, config, folders)
    found = resolve_benchmark(config, paths)
    parts = {role: Part.of(found[role]) for role in ROLES}
    return Configured(found['name'], **parts, protocol=get_protocol(found['protocol']))


def _pairs(path: str, config: dict[str, Any], folders: Sequence[str]) -> dict[str, str]:
    known = {name for role in ROLES for name in re.findall(r'\$\{(\w+)\}', config[role])}
    paths: dict[str, str] = {}
    for text in folders:
        name, equals, folder = text.partition('=')
        if not (equals and folder):
            raise BenchmarkError(f"--set '{text}': expected NAME=FOLDER")
        if name not in known:
            raise BenchmarkError(f'--set {name}: {path} has '
                                 f"{', '.join(sorted(known)) or 'no ${NAME}'}")
        paths[name] = folder
    return paths
