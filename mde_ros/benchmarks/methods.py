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

"""The methods of a table: those of the trainer, T2Net's own network, and the oracle."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mde_ros.adaptation.config_file import method_file, read_config
from mde_ros.adaptation.methods.base import Method, SourceOnly
from mde_ros.adaptation.methods.lfda import Lfda
from mde_ros.adaptation.methods.registry import METHODS
from mde_ros.adaptation.methods.t2net import (
    ImageTranslation, T2Net, T2NetFocal, T2NetOurs)
from mde_ros.adaptation.recognition import URLS
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.settings import SHARED

SOURCE_ONLY, LFDA, ORACLE = 'source_only', Lfda.name, 'oracle'
# Source only with random camera appearances: what our default has before it sees a target.
AUGMENTED = 'augmented'
# Networks of their own: no weights of ours fit, so they train in one stage.
OWN_NETWORK: dict[str, type[Method[Any]]] = {'t2net': T2Net, 't2net_focal': T2NetFocal}
KINDS: dict[str, type[Method[Any]]] = {
    **METHODS, **OWN_NETWORK, AUGMENTED: SourceOnly, ORACLE: SourceOnly}
# What the article's method is compared with.
PREDECESSORS = ('adabn', 'adversary', 't2net_ours', 'mean_teacher', 't2net')
# T2Net's own network takes hours on two cores: --methods asks for it there.
SLOW = tuple(OWN_NETWORK)
# What a file of config/methods writes for the weights that --recognition names.
GIVEN = 'given'


@dataclass(frozen=True)
class Contender:
    """
    One row of a table.

    :param name: of the row.
    :param kind: what trains it.
    :param values: what its file changes in TrainConfig.
    """

    name: str
    kind: type[Method[Any]]
    values: dict[str, Any]

    @property
    def own_network(self) -> bool:
        """Return whether it cannot start from the shared warm start."""
        return self.name in OWN_NETWORK

    @property
    def sees_labels(self) -> bool:
        """Return whether it is trained on labels of the target: an upper bound only."""
        return self.name == ORACLE


def contender(name: str, channels: int = ImageTranslation.channels,
              recognition: str | None = None) -> Contender:
    """
    Return a row by its name, with the settings of config/methods/NAME.yaml.

    Besides those of the code, each file there is a row: a method with other settings.

    :param channels: of the image translation around our network.
    :param recognition: weights for the rows whose file leaves them to the command.
    :raises BenchmarkError: for an unknown name, a file that changes what all rows share, or
        weights that are needed.
    """
    path = method_file(name)
    values = read_config(path) if path else {}
    chosen = KINDS.get(name) or METHODS.get(values.get('method', ''))
    if chosen is None:
        raise BenchmarkError(f"no method '{name}'; there are: {', '.join(KINDS)}, and each file "
                             'of config/methods that names its method')
    kind = values.pop('method', chosen.name)
    if kind != chosen.name:
        raise BenchmarkError(f"{path}: method '{kind}' where {chosen.name} belongs")
    if wrong := sorted(set(values) & set(SHARED)):
        raise BenchmarkError(
            f"{path}: {', '.join(wrong)}: the same for all methods of a table; leave them out")
    if values.get('recognition') == GIVEN:
        if not recognition:
            raise BenchmarkError(f'{name}: needs --recognition FILE, the weights of the network '
                                 'that judges style and content')
        if recognition not in URLS and not Path(recognition).is_file():
            raise BenchmarkError(f'--recognition {recognition}: no such file')
        values['recognition'] = recognition
    if issubclass(chosen, T2NetOurs) and channels != chosen.channels:
        chosen = type(chosen.__name__, (chosen,), {'channels': channels})
    return Contender(name, chosen, values)


def contenders(names: Sequence[str] | None, size: str,
               channels: int = ImageTranslation.channels,
               recognition: str | None = None) -> list[Contender]:
    """
    Return the rows of a table in the order of the code, then of files; source_only first.

    :param names: None for all that the size is meant for.
    """
    if names is None:
        wanted = {name for name in KINDS if name != 't2net_focal'
                  and not (size == 'quick' and name in SLOW)}
    else:
        wanted = {*names, SOURCE_ONLY}
    others = sorted(wanted - set(KINDS))
    return [contender(name, channels, recognition)
            for name in (*KINDS, *others) if name in wanted]
