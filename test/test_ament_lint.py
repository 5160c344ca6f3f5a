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

"""The linters of ament, where a ROS installation has them; 'make lint' runs ruff and mypy."""

from pathlib import Path
import shutil
import socket

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = [str(REPOSITORY / name) for name in ('mde_ros', 'launch', 'demo', 'test', 'setup.py')]
REASON = 'the linters of ROS 2 are not installed; make lint checks the same rules'


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where setup.cfg lies."""
    monkeypatch.chdir(REPOSITORY)


def test_ament_flake8() -> None:
    linter = pytest.importorskip('ament_flake8.main', reason=REASON)
    # The configuration of ament_flake8, told that mde_ros is this package.
    code, errors = linter.main_with_errors(argv=['--config', 'setup.cfg', *SOURCES])
    assert code == 0, '\n'.join(errors)


def test_ament_pep257() -> None:
    linter = pytest.importorskip('ament_pep257.main', reason=REASON)
    assert linter.main(argv=SOURCES) == 0


def test_ament_copyright() -> None:
    linter = pytest.importorskip('ament_copyright.main', reason=REASON)
    assert linter.main(argv=[*SOURCES, '--exclude', str(REPOSITORY / '.venv')]) == 0


def test_ament_xmllint() -> None:
    linter = pytest.importorskip('ament_xmllint.main', reason=REASON)
    if shutil.which('xmllint') is None:
        pytest.skip('xmllint is not installed (Debian package libxml2-utils)')
    try:
        socket.create_connection(('download.ros.org', 80), timeout=5).close()
    except OSError:
        pytest.skip('the schema of package.xml is on download.ros.org, which is not reached')
    assert linter.main(argv=[str(REPOSITORY / 'package.xml')]) == 0
