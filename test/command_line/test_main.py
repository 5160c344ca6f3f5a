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

"""The mde command: its table, its exit codes."""

import argparse
from pathlib import Path
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mde_ros import __version__
from mde_ros.command_line import main as module
from mde_ros.command_line.main import COMMANDS, main
from mde_ros.errors import MdeError


class Failing(Exception):
    """A defect, not a user's error."""


def stub(outcome: int | BaseException) -> SimpleNamespace:
    """Return a command module that returns or raises ``outcome``."""
    def run(arguments: argparse.Namespace) -> int:
        assert arguments.what == 'x'
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return SimpleNamespace(add_arguments=lambda parser: parser.add_argument('what'), run=run)


@pytest.mark.parametrize(('outcome', 'code', 'printed'), [
    (0, 0, ''), (1, 1, ''),
    (MdeError('x.json: give --out'), 2, 'mde info: error: x.json: give --out\n'),
    (OSError(28, 'No space left on device', 'a.csv'), 2,
     "mde info: error: [Errno 28] No space left on device: 'a.csv'\n"),
    (KeyboardInterrupt(), 130, 'mde info: interrupted\n')])
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                    outcome: int | BaseException, code: int, printed: str) -> None:
    monkeypatch.setattr(module, 'import_module', lambda name: stub(outcome))
    assert main(['info', 'x']) == code
    assert capsys.readouterr().err == printed


def test_defects_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'import_module', lambda name: stub(Failing()))
    with pytest.raises(Failing):
        main(['info', 'x'])


@pytest.mark.parametrize('command', sorted(COMMANDS))
def test_every_command_explains_itself(command: str,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    if command == 'play':
        pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
    with pytest.raises(SystemExit) as ended:
        main([command, '--help'])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f'usage: mde {command} ')
    assert '--json' in text or command == 'play'


def test_the_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(['--help'])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert name in text and line in text


@pytest.mark.parametrize('words', [[], ['fly'], ['info'], ['info', 'x', '--nonsense']])
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert 'usage: mde' in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['--version'])
    assert capsys.readouterr().out == f'mde_ros {__version__}\n'


def test_only_the_command_that_is_called_is_imported() -> None:
    code = ('import sys\nfrom mde_ros.command_line.main import build_parser\nbuild_parser()\n'
            'print([m for m in ("torch", "rclpy", "mujoco", "cv2") if m in sys.modules])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          check=True, cwd=Path(module.__file__).parents[2])
    assert done.stdout == '[]\n'


def test_it_is_installed_as_mde() -> None:
    setup = (Path(module.__file__).parents[2] / 'setup.py').read_text()
    assert 'mde = mde_ros.command_line.main:main' in setup
