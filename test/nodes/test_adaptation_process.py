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

"""The node's side of the trainer: start, progress, end, resume."""

import json
import os
from pathlib import Path
import threading
import time

import pytest

pytest.importorskip('rclpy')

from mde_ros.nodes.adaptation_guard import holder, start_time
from mde_ros.nodes.adaptation_process import Progress, Trainer, TrainerError
from mde_ros.nodes.adaptation_state import Site

STUB = str(Path(__file__).resolve().parent / 'stub_trainer.py')


def wait(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, 'timeout'
        time.sleep(.01)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / 'site')
    made.open()
    yield made
    made.close()


@pytest.fixture
def trainer(site, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '1000')
    made = Trainer(site, (STUB,), grace=2.)
    yield made
    made.end()


def arguments(site):
    return ['--out', str(site.run), '--progress-file', str(site.run / 'progress.json')]


def progress(site):
    return Progress.read(site.run / 'progress.json')


def test_it_runs_in_a_session_of_its_own_and_says_how_far_it_is(site, trainer):
    trainer.prepare({'a': 1}, resume=True)
    assert trainer.poll() is None
    pid = trainer.start(arguments(site), threads=2)
    wait(lambda: progress(site).step > 1)
    assert os.getsid(pid) == pid != os.getsid(0)
    assert holder(site.trainer_lock) == pid
    assert trainer.running
    assert trainer.poll() is None
    now = progress(site)
    assert (now.phase, now.steps, now.losses) == ('training', 1000, {'depth': .5})
    assert now.age < 5
    assert trainer.log_tail() == 'the trainer speaks'
    with pytest.raises(TrainerError, match='call ~/cancel'):
        trainer.start(arguments(site), threads=1)
    with pytest.raises(TrainerError, match='works in'):
        Trainer(site, (STUB,)).start(arguments(site), threads=1)


def test_peak_memory_is_that_of_now_without_polling(site, trainer):
    assert trainer.peak_memory_mb is None
    trainer.prepare({}, resume=True)
    trainer.start(arguments(site), threads=1)
    assert trainer.peak_memory_mb is not None  # of an interpreter that hardly began
    wait(lambda: progress(site).step > 1)
    assert trainer.peak_memory_mb > 5
    trainer.end()
    assert trainer.peak_memory_mb > 5


def test_stopping_is_asked_for_once_and_seen_by_polling(site, trainer):
    trainer.prepare({}, resume=True)
    trainer.start(arguments(site), threads=1)
    wait(lambda: progress(site).step > 1)
    trainer.stop()
    trainer.stop()
    codes = []
    wait(lambda: codes.append(trainer.poll()) or codes[-1] is not None)
    assert codes[-1] == 3
    assert not trainer.running
    assert holder(site.trainer_lock) is None


def test_one_that_does_not_listen_is_killed(site, monkeypatch):
    monkeypatch.setenv('STUB_DEAF', '1')
    monkeypatch.setenv('STUB_STEPS', '1000')
    trainer = Trainer(site, (STUB,), grace=.2)
    trainer.prepare({}, resume=True)
    pid = trainer.start(arguments(site), threads=1)
    wait(lambda: progress(site).step > 0)
    trainer.end()
    assert start_time(pid) is None


def test_the_same_request_goes_on_and_another_begins_anew(site, trainer):
    assert not trainer.prepare({'steps': 3}, resume=True)
    (site.run / 'checkpoint').write_text('2')
    assert trainer.prepare({'steps': 3}, resume=True)
    assert (site.run / 'checkpoint').exists()
    # It has come to an end: the next one is another.
    (site.run / 'report.json').write_text('{}')
    assert not trainer.prepare({'steps': 3}, resume=True)
    assert not (site.run / 'checkpoint').exists()
    (site.run / 'checkpoint').write_text('2')
    assert not trainer.prepare({'steps': 4}, resume=True)
    assert not (site.run / 'checkpoint').exists()
    assert not trainer.prepare({'steps': 4}, resume=False)


def test_a_run_folder_that_cannot_be_written(site, trainer):
    site.run.write_text('a file')
    with pytest.raises(TrainerError, match='cannot write'):
        trainer.prepare({}, resume=True)


def test_an_orphan_is_ended_and_named(site, trainer, monkeypatch):
    assert trainer.end_orphan() is None
    trainer.prepare({}, resume=True)
    pid = trainer.start(arguments(site), threads=1)
    wait(lambda: progress(site).step > 0)
    # Another node, which knows the trainer by its lock only.
    assert Trainer(site, (STUB,), grace=2.).end_orphan() == pid
    codes = []
    wait(lambda: codes.append(trainer.poll()) or codes[-1] is not None)
    assert codes[-1] == 3


def test_what_cannot_be_ended_is_named(site, trainer, monkeypatch):
    trainer.prepare({}, resume=True)
    pid = trainer.start(arguments(site), threads=1)
    wait(lambda: holder(site.trainer_lock) == pid)
    monkeypatch.setattr(os, 'kill', lambda *_: None)
    stop = threading.Event()
    stop.set()
    with pytest.raises(TrainerError, match=f'process {pid}'):
        Trainer(site, (STUB,)).end_orphan(stop)
    monkeypatch.undo()
    assert trainer.poll() is None


@pytest.mark.parametrize('text', ['', '{', '[]', '{"phase": "x"}', '{"phase": 1, "step": "a"}'])
def test_a_damaged_progress_file_says_nothing(tmp_path, text):
    (tmp_path / 'p.json').write_text(text)
    assert Progress.read(tmp_path / 'p.json') == Progress()
    assert Progress.read(tmp_path / 'none').age == float('inf')


def test_time_left_may_be_unknown(tmp_path):
    (tmp_path / 'p.json').write_text(json.dumps(
        {'phase': 'checking', 'step': 0, 'steps': 0, 'seconds_left': None, 'losses': {}}))
    found = Progress.read(tmp_path / 'p.json')
    assert found.phase == 'checking'
    assert found.seconds_left != found.seconds_left
