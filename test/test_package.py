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

"""package.xml, setup.py and the requirements agree with each other and with the source."""

import ast
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
import re
import sys
from typing import Any
from xml.etree import ElementTree

from catkin_pkg.package import parse_package
import pytest
from setuptools.dist import Distribution

import mde_ros

REPOSITORY = Path(__file__).resolve().parents[1]
# import name: name in requirements.txt, where they differ.
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'yaml': 'PyYAML'}
# Come with another requirement: the compressions of rosbags, what Jinja escapes with.
BROUGHT_ALONG = {'lz4', 'backports', 'compression', 'markupsafe'}


def top_modules(*folders: str) -> set[str]:
    """Return the top-level modules that the Python files of some folders import."""
    modules = set()
    for path in (path for folder in folders for path in (REPOSITORY / folder).rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {name.name.split('.')[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add(str(node.module).split('.')[0])
    beside = {path.stem for path in (REPOSITORY / 'demo').glob('*.py')}
    return modules - set(sys.stdlib_module_names) - beside - {'mde_ros'}


def requirements(name: str) -> set[str]:
    """Return the names in a requirements file."""
    lines = (REPOSITORY / name).read_text().splitlines()
    return {re.split(r'[\[<>=!;# ]', line)[0] for line in lines if line and line[0] != '#'}


def is_ros(module: str) -> bool:
    """Tell whether a module comes from a ROS package and not from PyPI."""
    return module.endswith(('_msgs', '_srvs', '_interfaces')) or module in {
        'rclpy', 'launch', 'launch_ros', 'ament_index_python', 'cv_bridge', 'tf2_ros'}


@pytest.fixture
def setup_arguments(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the keyword arguments that setup.py gives to setup()."""
    given: dict[str, Any] = {}
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr('setuptools.setup', lambda **arguments: given.update(arguments))
    exec(compile((REPOSITORY / 'setup.py').read_text(), 'setup.py', 'exec'), {})
    return given


def test_package_xml_is_valid() -> None:
    warnings: list[str] = []
    package = parse_package(str(REPOSITORY), warnings=warnings)
    package.validate(warnings)
    assert not warnings
    assert package.package_format == 3
    assert package.get_build_type() == 'ament_python'
    assert package.licenses == ['Apache-2.0']


def test_build_type_is_not_asked_of_rosdep() -> None:
    # ament_python is no rosdep key: named as a dependency it breaks 'rosdep install'.
    root = ElementTree.parse(REPOSITORY / 'package.xml').getroot()
    assert 'ament_python' not in {element.text for element in root if 'depend' in element.tag}


def test_versions_agree(setup_arguments: dict[str, Any]) -> None:
    package = parse_package(str(REPOSITORY))
    assert package.version == setup_arguments['version'] == mde_ros.__version__
    released = re.findall(r'^## \[(\d[^]]*)\]', (REPOSITORY / 'CHANGELOG.md').read_text(), re.M)
    assert not released or released[0] == package.version


def test_every_ros_import_is_in_package_xml() -> None:
    package = parse_package(str(REPOSITORY))
    declared = {dependency.name for dependency in package.exec_depends}
    used = {module for module in top_modules('mde_ros', 'launch') if is_ros(module)}
    assert used - declared == set()
    python_only = {name for name in declared if name.startswith('python3-')}
    # ros2launch gives 'ros2 launch'; nav_msgs is imported by name where odometry is recorded.
    assert declared - python_only - used - {'ros2launch', 'nav_msgs'} == set()


def test_every_other_import_is_required(setup_arguments: dict[str, Any]) -> None:
    used = {DISTRIBUTIONS.get(module, module.replace('_', '-')).lower()
            for module in top_modules('mde_ros', 'demo') - BROUGHT_ALONG
            if not is_ros(module)}
    listed = {name.lower() for name in requirements('requirements.txt')} | {'torch'}
    assert used - listed == set()
    assert {name.lower() for name in setup_arguments['install_requires']} \
        == listed - {'setuptools'}


def test_constraints_name_every_requirement() -> None:
    wanted = requirements('requirements.txt') | requirements('requirements-test.txt') | {'torch'}
    assert wanted - {'setuptools'} == requirements('constraints.txt')


def test_setup_installs_every_data_file(setup_arguments: dict[str, Any]) -> None:
    installed = {name for _, names in setup_arguments['data_files'] for name in names}
    assert {'package.xml', 'resource/mde_ros'} <= installed
    present = {str(path.relative_to(REPOSITORY))
               for folder in ('launch', 'config') for path in (REPOSITORY / folder).rglob('*')
               if path.is_file() and '__pycache__' not in path.parts}
    assert present
    assert present - installed == set()
    globs = setup_arguments['package_data']['mde_ros']
    for path in (REPOSITORY / 'mde_ros').rglob('*'):
        name = str(path.relative_to(REPOSITORY / 'mde_ros'))
        if path.is_file() and path.suffix not in ('.py', '.pyc'):
            assert any(fnmatch(name, glob) for glob in globs), f'{name} is not installed'


def test_every_package_is_found(setup_arguments: dict[str, Any]) -> None:
    folders = {str(path.parent.relative_to(REPOSITORY)).replace('/', '.')
               for path in (REPOSITORY / 'mde_ros').rglob('*.py')}
    assert folders == set(setup_arguments['packages'])


def test_every_entry_point_exists(setup_arguments: dict[str, Any]) -> None:
    for line in setup_arguments['entry_points']['console_scripts']:
        module, function = line.split('=')[1].strip().split(':')
        if 'nodes' in module:
            pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
        assert callable(getattr(import_module(module), function))


def test_setup_cfg_puts_scripts_where_ros2_run_looks() -> None:
    distribution = Distribution()
    distribution.parse_config_files([str(REPOSITORY / 'setup.cfg')])
    options = distribution.command_options
    assert options['install']['install_scripts'][1] == '$base/lib/mde_ros'
    assert options['develop']['script_dir'][1] == '$base/lib/mde_ros'
    # So that 'ros2 run' uses the Python of the active virtual environment.
    assert options['build_scripts']['executable'][1] == '/usr/bin/env python3'
