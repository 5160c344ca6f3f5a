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

"""``--config FILE``: settings from YAML under the options that are given."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mde_ros.adaptation.config_file import read_config


class Given(argparse.Action):
    """Store an option and note that it was given, wherever --config stands."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: Any, option_string: str | None = None) -> None:
        """Store the value."""
        setattr(namespace, self.dest, values)
        namespace.given = {*getattr(namespace, 'given', ()), self.dest}


def apply_config(arguments: argparse.Namespace, path: Path | None,
                 names: Iterable[str]) -> None:
    """
    Set what a file says and no option does.

    :param names: fields that the command has as options.
    :raises mde_ros.adaptation.errors.TrainingError: naming the file and what is wrong in it.
    """
    values = read_config(path) if path else {}
    for name in set(names) & set(values) - getattr(arguments, 'given', set()):
        setattr(arguments, name, values[name])
