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

"""The phases of a site without ROS: what a start finds, and what the trainer leaves behind."""

from pathlib import Path
import threading

import pytest

pytest.importorskip('rclpy')

from node_harness import wait

from mde_ros.datasets.frame import DatasetError
from mde_ros.nodes.adaptation_control import Control
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_process import Progress, TrainerError
from mde_ros.nodes.adaptation_state import (
    ADAPTING, CHECKING, IDLE, RECORDING, Site, State, SWAPPING, write_json)
from mde_ros.nodes.adaptation_swap import Outcome


class FakeRecording:
    complete = error = ''

    def __init__(self):
        self.started, self.stopped = [], 0

    def start(self, settings, again):
        self.started.append(again)

    def stop(self):
        self.stopped += 1

    def line(self):
        return '7 frames'

    def values(self):
        return {'frames kept': 7}


class FakeTrainer:
    def __init__(self):
        self.running, self.code, self.starts, self.orphan = False, None, 0, None
        self.gate = threading.Event()
        self.gate.set()
        self.peak_memory_mb, self.problem = None, None

    def prepare(self, request, resume):
        self.resume = resume
        return resume

    def start(self, arguments, threads):
        self.starts, self.running = self.starts + 1, True

    def poll(self):
        if self.code is not None:
            self.running = False
        return self.code

    def stop(self):
        self.code = 3

    def end(self):
        self.running = False

    def end_orphan(self, stop):
        assert self.gate.wait(10)
        if self.problem:
            raise TrainerError(self.problem)
        return self.orphan

    def log_tail(self):
        return 'its last words'


class FakeSwapper:
    active, outcome = '', Outcome(True, 'profile 0001 is in use')

    def __init__(self):
        self.swapped = []

    def add(self, why):
        return '0001'

    def swap(self, name, why):
        self.swapped.append(name)
        return self.outcome


@pytest.fixture
def world(tmp_path):
    """Return a function that makes a control for some settings."""
    made = []

    def make(check=lambda folder: [], **settings):
        site = Site(tmp_path / 'site')
        if not made:
            site.open()
            (site.recording / 'rgb').mkdir(parents=True)
            site.run.mkdir()
        control = Control(
            site, lambda: Settings(**settings), recording=FakeRecording(), trainer=FakeTrainer(),
            swapper=FakeSwapper(), check=check, log=lambda line, failed: None)
        made.append(control)
        return control
    yield make
    for control in made:
        control.stop()


def report(control, **values):
    write_json(control._site.run / 'report.json', values)


def settled(control):
    wait(lambda: not control._working)


def test_an_interrupted_adaptation_goes_on(world):
    control = world()
    control.start(State(phase=ADAPTING))
    settled(control)
    assert control.state.phase == ADAPTING
    assert (control._trainer.starts, control._trainer.resume) == (1, True)


def test_one_that_had_ended_meanwhile_is_finished(world):
    control = world()
    report(control, accepted=True, why='better')
    control.start(State(phase=CHECKING))
    wait(lambda: control.state.phase == IDLE)
    assert control._trainer.starts == 0
    assert control.swapper.swapped == ['0001']


def test_without_resume_it_waits_to_be_told(world):
    control = world(resume=False)
    control.start(State(phase=ADAPTING))
    settled(control)
    assert (control.state.phase, control._trainer.starts) == (IDLE, 0)
    assert 'interrupted' in control.state.message


def test_a_site_at_rest_stays_so_whatever_begins_while_it_looks_for_an_orphan(world):
    control = world()
    control._trainer.gate.clear()
    control.start(State(phase=IDLE))
    assert control.start_recording().done
    control._trainer.gate.set()
    settled(control)
    assert (control.state.phase, control._trainer.starts) == (RECORDING, 0)


def test_no_adaptation_begins_beside_an_orphan(world):
    control = world()
    control._trainer.gate.clear()
    control.start(State(phase=IDLE))
    outcome = control.adapt()
    assert not outcome.done
    assert 'is ending: wait' in outcome.line
    control._trainer.gate.set()
    settled(control)
    assert control.adapt().done


def test_an_orphan_that_does_not_end_is_named(world):
    control = world()
    control._trainer.problem = 'process 7: end it'
    control.start(State(phase=ADAPTING))
    settled(control)
    assert (control.state.phase, control.state.failed) == (IDLE, True)
    assert control.state.message == 'process 7: end it'


def test_a_recording_goes_on_in_the_same_folder(world):
    control = world()
    control.start(State(phase=RECORDING))
    assert control._recording.started == [True]
    control.stop()
    # Stopped in order, but still what goes on next time.
    assert control._recording.stopped == 1
    assert control._site.load().phase == IDLE or control.state.phase == RECORDING


def test_an_interrupted_swap_is_done_again(world):
    control = world()
    control.start(State(phase=SWAPPING, profile='0004'))
    settled(control)
    assert control.swapper.swapped == ['0004']
    assert control.state.phase == IDLE


def test_a_swap_that_the_end_of_the_node_interrupts_stays_to_be_done(world):
    control = world()
    control.start(State())
    settled(control)
    control.swapper.outcome = Outcome(False, 'the node ends')
    control._become(SWAPPING, 'now')
    control._stop.set()
    control._swap('')
    assert (control.state.phase, control.state.profile) == (SWAPPING, '0001')
    assert control._site.load().profile == '0001'


def test_a_full_disk_ends_the_recording_with_what_there_is(world):
    control = world()
    control.start(State())
    control.start_recording()
    control._recording.error = 'rgb/000007.jpg: No space left on device'
    control.tick()
    assert (control.state.phase, control.state.failed) == (IDLE, True)
    assert 'No space left on device; 7 frames so far are kept' in control.state.message


@pytest.mark.parametrize(('code', 'values', 'failed', 'words'), [
    (0, {'accepted': False, 'why': 'not  better'}, True, 'the old network stays: not better;'),
    (0, {}, True, 'exit code 0'), (2, {}, True, 'exit code 2 at step 0 of 0: its last words'),
    (-9, {}, True, 'killed by signal 9 (out of memory?)'),
    (3, {}, True, 'ended by somebody else'), (-15, {}, True, 'ended by somebody else')])
def test_every_end_of_the_trainer_says_what_it_was(world, code, values, failed, words):
    control = world()
    control.start(State())
    settled(control)
    assert control.adapt().done
    if values:
        report(control, **values)
    control._trainer.code = code
    control.tick()
    assert (control.state.phase, control.state.failed) == (IDLE, failed)
    assert words in control.state.message
    assert control.swapper.swapped == []


def test_what_is_accepted_after_it_was_cancelled_waits(world):
    control = world()
    control.start(State())
    settled(control)
    control.adapt()
    control.cancel()
    report(control, accepted=True, why='better')
    control._trainer.code = 0
    control.tick()
    assert 'call ~/swap' in control.state.message
    assert control.swapper.swapped == []


def test_the_check_at_the_end_of_training_is_a_phase(world):
    control = world()
    control.start(State())
    settled(control)
    control.adapt()
    progress = {'step': 1, 'steps': 1, 'seconds_left': None, 'losses': {}}
    for word, phase in (('training', ADAPTING), ('check', CHECKING), ('writing', ADAPTING)):
        write_json(control._site.run / 'progress.json', {'phase': word, **progress})
        control.tick()
        assert control.state.phase == phase == control._site.load().phase


def test_a_recording_that_cannot_be_read_is_no_defect(world):
    def check(folder: Path):
        raise DatasetError(f'{folder}: no such folder')
    control = world(check=check)
    control.start(State())
    settled(control)
    outcome = control.adapt()
    assert not outcome.done
    assert 'no such folder' in outcome.line


def test_a_disk_that_takes_no_state_does_not_stop_the_work(world, monkeypatch):
    control = world()
    control.start(State())
    settled(control)

    def full(self, state):
        from mde_ros.nodes.adaptation_state import SiteError
        raise SiteError('disk full')
    monkeypatch.setattr(Site, 'save', full)
    assert control.start_recording().done
    assert control.state.phase == RECORDING


def test_progress_of_nothing(world):
    assert world().progress() == Progress()
