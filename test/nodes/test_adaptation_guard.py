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

"""The trainer's side of its process: the lock, the pipe, what runs."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

from mde_ros.nodes.adaptation_guard import holder, LOCKED, start_time, take_lock

WAITING = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path(sys.argv[1]).write_text('saved')
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
print('runs', flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('runs', flush=True)
time.sleep(60)
"""


@pytest.fixture
def guard(tmp_path):
    """Return a function that starts a guarded script; (process, end of the pipe)."""
    started = []

    def start(source, grace=5., session=True):
        script = tmp_path / f'target_{len(started)}.py'
        script.write_text(source)
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [sys.executable, '-m', 'mde_ros.nodes.adaptation_guard', str(tmp_path / 'lock'),
             str(reading), str(grace), str(script), str(tmp_path / 'saved')],
            pass_fds=(reading,), start_new_session=session, stdout=subprocess.PIPE)
        os.close(reading)
        started.append(process)
        return process, writing

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def runs(process):
    assert process.stdout.readline() == b'runs\n'


def test_the_lock_names_its_holder(guard, tmp_path):
    assert holder(tmp_path / 'none') is None
    process, pipe = guard(WAITING)
    runs(process)
    assert holder(tmp_path / 'lock') == process.pid
    process.kill()
    process.wait()
    assert holder(tmp_path / 'lock') is None
    os.close(pipe)


def test_the_end_of_the_pipe_ends_the_trainer_in_order(guard, tmp_path):
    process, pipe = guard(WAITING)
    runs(process)
    assert process.poll() is None
    os.close(pipe)
    assert process.wait(10) == 3
    assert (tmp_path / 'saved').read_text() == 'saved'


def test_a_trainer_that_does_not_listen_is_killed(guard):
    process, pipe = guard(DEAF, grace=.2)
    runs(process)
    os.close(pipe)
    assert process.wait(10) == -signal.SIGKILL


def test_a_node_killed_at_once_leaves_no_trainer(guard):
    """The pipe is closed before anything runs: the trainer does not begin to live."""
    process, pipe = guard(WAITING)
    os.close(pipe)
    assert process.wait(20) in (3, -signal.SIGTERM)


def test_the_arguments_and_the_exit_code_are_the_targets(guard):
    process, pipe = guard("import sys; print('runs'); sys.exit(7 if len(sys.argv) == 2 else 1)")
    runs(process)
    assert process.wait(10) == 7
    os.close(pipe)


def test_a_module_runs_too(tmp_path):
    reading, writing = os.pipe()
    done = subprocess.run(
        [sys.executable, '-m', 'mde_ros.nodes.adaptation_guard', str(tmp_path / 'lock'),
         str(reading), '1', 'json.tool', '--help'], pass_fds=(reading,), capture_output=True)
    assert b'usage' in done.stdout
    os.close(reading)
    os.close(writing)


def test_a_lock_that_stays_taken(tmp_path):
    held = take_lock(tmp_path / 'lock')
    assert json.loads((tmp_path / 'lock').read_text()) == {
        'pid': os.getpid(), 'started': start_time(os.getpid())}
    # A lock of this process again, through another descriptor: not granted either.
    assert take_lock(tmp_path / 'lock', patience=0.) is None
    held.close()
    again = take_lock(tmp_path / 'lock', patience=0.)
    assert again is not None
    again.close()
    assert LOCKED == os.EX_TEMPFAIL


def test_a_number_that_now_belongs_to_another_process_is_not_named(tmp_path):
    held = take_lock(tmp_path / 'lock')
    (tmp_path / 'lock').write_text(json.dumps({'pid': os.getpid(), 'started': 1}))
    assert holder(tmp_path / 'lock') == 0
    (tmp_path / 'lock').write_text('{')
    assert holder(tmp_path / 'lock') == 0
    held.close()


def test_start_time_of_a_zombie_is_none():
    assert start_time(os.getpid()) == start_time(os.getpid())
    with subprocess.Popen([sys.executable, '-c', '']) as process:
        end = time.monotonic() + 10
        while start_time(process.pid) is not None:
            assert time.monotonic() < end
            time.sleep(.01)
        assert Path(f'/proc/{process.pid}').exists()
    assert start_time(process.pid) is None
