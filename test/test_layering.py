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

"""Which folder may import which: the table of docs/architecture.md, checked on the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'mde_ros'

# folder: the folders of mde_ros that it may import, besides itself and mde_ros.errors.
LAYERS: dict[str, set[str]] = {
    'camera': set(),
    'datasets': {'camera'},
    'network': {'camera'},
    'adaptation': {'camera', 'datasets', 'network'},
    'estimation': {'camera', 'network'},
    'evaluation': {'camera', 'datasets', 'network', 'estimation'},
    'simulation': {'camera', 'datasets'},
    'benchmarks': {'camera', 'datasets', 'network', 'adaptation', 'estimation', 'evaluation',
                   'simulation'},
    'onsite': {'camera', 'datasets', 'network', 'adaptation', 'estimation', 'evaluation',
               'simulation'},
    'nodes': {'camera', 'datasets', 'network', 'adaptation', 'estimation', 'evaluation',
              'onsite'},
    'command_line': {'camera', 'datasets', 'network', 'adaptation', 'estimation', 'evaluation',
                     'simulation', 'benchmarks', 'onsite', 'nodes'},
}
ROS = ('rclpy', 'ament_index_python', 'launch', 'launch_ros', 'builtin_interfaces',
       'rcl_interfaces', 'tf2_ros')


def imported_modules(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted module) of every import, those within functions included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            for name in node.names:
                yield node.lineno, f'{node.module}.{name.name}'


def is_ros(module: str) -> bool:
    """Tell whether a module comes with ROS."""
    top = module.split('.')[0]
    return top in ROS or top.endswith(('_msgs', '_srvs'))


def violations(folder: str, source: str) -> list[str]:
    """Return one line for each import that the table does not allow."""
    found = []
    for line, module in imported_modules(source):
        if is_ros(module) and folder != 'nodes':
            found.append(f'{line}: only nodes/ may import {module}')
        parts = module.split('.')
        other = parts[1] if parts[0] == 'mde_ros' and len(parts) > 1 else ''
        if other in LAYERS and other not in LAYERS[folder] | {folder}:
            found.append(f'{line}: {folder}/ may not import {module}')
    return sorted(set(found))


def test_every_folder_is_in_the_table() -> None:
    folders = {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    assert folders == set(LAYERS)


@pytest.mark.parametrize('folder', sorted(LAYERS))
def test_imports_go_one_way(folder: str) -> None:
    found = [f'{path.relative_to(PACKAGE.parent)}:{line}'
             for path in sorted((PACKAGE / folder).rglob('*.py'))
             for line in violations(folder, path.read_text())]
    assert not found, '\n'.join(found)


def test_no_folder_can_reach_itself_through_the_others() -> None:
    for folder, allowed in LAYERS.items():
        for other in allowed:
            assert folder not in LAYERS[other], f'{folder} and {other} import each other'


@pytest.mark.parametrize(('folder', 'source', 'count'), [
    ('camera', 'import numpy', 0),
    ('camera', 'from sensor_msgs.msg import Image', 1),
    ('nodes', 'from sensor_msgs.msg import Image', 0),
    ('datasets', 'def late():\n    import rclpy', 1),
    ('camera', 'from mde_ros.datasets.frame import Frame', 1),
    ('camera', 'from mde_ros import network', 1),
    ('evaluation', 'from mde_ros.datasets.frame import Frame', 0),
    ('estimation', 'from mde_ros.errors import MdeError', 0),
])
def test_the_check_finds_violations(folder: str, source: str, count: int) -> None:
    assert bool(violations(folder, source)) == bool(count)
