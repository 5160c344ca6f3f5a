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

"""The scripts of benchmark/ as modules."""

from collections.abc import Callable
import importlib.util
from pathlib import Path
import sys
from types import ModuleType

import pytest

LoadScript = Callable[[str], ModuleType]


@pytest.fixture(scope='session')
def load_script(repository: Path) -> LoadScript:
    """Return a function that makes a new module of benchmark/NAME.py each time."""
    sys.path.append(str(repository / 'benchmark'))  # scripts import what they share

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(
            f'benchmark_{name}', repository / 'benchmark' / f'{name}.py')
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look there
        spec.loader.exec_module(module)
        return module
    return load
