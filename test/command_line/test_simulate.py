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

"""mde simulate: options, folders, bags, reports and errors."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mde_ros.command_line.main import main
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.renderer import Renderer


@pytest.fixture(scope='module')
def opengl() -> None:
    """Skip where nothing can be rendered."""
    os.environ.setdefault('LP_NUM_THREADS', '1')
    try:
        Renderer(16, 16).close()
    except SimulationError as error:
        pytest.skip(str(error))


def simulate(out: Path, *options: str) -> int:
    return main(['simulate', '--out', str(out), '--size', '48x32', '--workers', '1', *options])


@pytest.mark.usefixtures('opengl')
def test_a_drive_into_a_bag(tmp_path: Path) -> None:
    out, report = tmp_path / 'drive.mcap', tmp_path / 'report.json'
    assert simulate(out, '--frames', '4', '--seed', '3', '--trajectory', 'drive', '--rate', '5',
                    '--fx', '40', '--camera', 'camera_a', '--json', str(report)) == 0
    assert [path.name for path in sorted(tmp_path.iterdir())] == ['drive.mcap', 'report.json']
    counts = json.loads(report.read_text())
    assert counts['rendered'] == counts['frames'] == 4
    assert counts['seed'] == 3
    assert counts['frames_per_second'] > 0
    assert set(counts['messages'].values()) == {4}
    frames = list(BagFrames(out))
    assert [frame.stamp_ns for frame in frames] == [
        1_000_000_000 + k * 200_000_000 for k in range(4)]
    assert frames[0].intrinsics.fx == 40
    assert frames[0].depth is not None
    assert .2 < np.nanmedian(frames[0].depth) < 12


@pytest.mark.usefixtures('opengl')
def test_a_folder_of_one_room_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path / 'out', '--frames', '1', '--room', 'corridor',
                    '--image-format', 'png') == 0
    assert [path.name for path in (tmp_path / 'out' / 'rgb').iterdir()] == ['000000_00.png']
    meta = json.loads((tmp_path / 'out' / 'meta.json').read_text())
    assert meta['scenes'][0]['room'] == 'corridor'
    assert '1 frames rendered, 0 were there already' in capsys.readouterr().out


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    text = Path(f'/proc/{pid}/task/{pid}/children').read_text()
    return [int(word) for word in text.split()]


def runs(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


@pytest.mark.usefixtures('opengl')
@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_a_killed_run_leaves_no_process_and_goes_on(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    options = ['--frames', '9', '--seed', '5', '--views-per-room', '3']
    command = [sys.executable, '-m', 'mde_ros.command_line.main', 'simulate', '--out', str(out),
               '--size', '48x32', '--workers', '1', *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 90
        while not list(out.glob('rgb/0*.jpg')):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(.02)
        workers = children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert workers
    while any(runs(pid) for pid in workers):
        assert time.monotonic() < deadline, 'a worker outlives its parent'
        time.sleep(.05)
    assert simulate(out, *options) == 0
    meta = json.loads((out / 'meta.json').read_text())
    assert [entry['scene'] for entry in meta['scenes']] == [0, 1, 2]
    assert meta['frames'] == 9
    assert len(meta['stamps']) == len(meta['frame_intrinsics']) == 9
    assert simulate(tmp_path / 'whole', *options) == 0
    for path in sorted((tmp_path / 'whole').glob('*/*.*')):
        assert (out / path.relative_to(tmp_path / 'whole')).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(('options', 'message'), [
    (('--frames', '0'), '--frames 0: must be at least 1'),
    (('--frames', '2', '--workers', '0'), '--workers 0'),
    (('--frames', '2', '--size', 'big'), '--size big: give WIDTHxHEIGHT'),
    (('--frames', '2', '--camera', 'nikon'), 'nikon'),
    (('--frames', '2', '--views-per-room', '0'), '--views-per-room 0'),
    (('--frames', '2', '--json', '/nowhere/a.json'), '--json /nowhere/a.json: no such folder'),
])
def test_wrong_options_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                 options: tuple[str, ...], message: str) -> None:
    assert simulate(tmp_path / 'out', *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_storage_and_name_must_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path / 'a.mcap', '--frames', '1', '--storage', 'sqlite3') == 2
    assert 'a file .mcap has storage mcap' in capsys.readouterr().err


def test_a_bag_that_exists_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'a.db3').write_bytes(b'precious')
    assert simulate(tmp_path / 'a.db3', '--frames', '1') == 2
    assert 'exists already' in capsys.readouterr().err
    assert (tmp_path / 'a.db3').read_bytes() == b'precious'
