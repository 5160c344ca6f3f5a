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

"""The services of an adaptation node: what each answers in each phase, and what to do next."""

import math
from typing import Any

from mde_ros.nodes.adaptation_process import REPORT
from mde_ros.nodes.adaptation_state import (
    ADAPTING, CHECKING, IDLE, read_json, RECORDING, SWAPPING)
from mde_ros.nodes.adaptation_swap import Outcome
from mde_ros.nodes.adaptation_work import Work


class Control(Work):
    """What people and programs can ask for; each answer is one line."""

    def start_recording(self) -> Outcome:
        """Begin, or go on with, a recording."""
        with self._lock:
            if self.state.phase == RECORDING:
                return Outcome(False, 'already recording: drive around, then call '
                               '~/stop_recording')
            if self.state.phase != IDLE:
                return Outcome(False, self._busy())
            self._become(RECORDING, 'recording: drive around, then call ~/stop_recording')
            self._try(lambda: self._recording.start(self._settings(), again=False))
            return Outcome(not self.state.failed, self.state.message)

    def stop_recording(self) -> Outcome:
        """End a recording."""
        with self._lock:
            if self.state.phase != RECORDING:
                return Outcome(False, 'not recording: call ~/start_recording first'
                               if self.state.phase == IDLE else self._busy())
            self._end_recording()
            return Outcome(not self.state.failed, self.state.message)

    def adapt(self) -> Outcome:
        """Check the recording and start to adapt to it."""
        with self._lock:
            if self.state.phase == RECORDING:
                return Outcome(False, 'recording: call ~/stop_recording first')
            if self.state.phase != IDLE or self._working:
                return Outcome(False, self._busy())
            self._cancelled.clear()
            self._try(lambda: self._begin(self._settings().resume, checked=False))
            return Outcome(self.state.phase == ADAPTING, self.state.message)

    def cancel(self) -> Outcome:
        """End an adaptation; what was learnt so far is kept."""
        with self._lock:
            if self.state.phase in (CHECKING, ADAPTING):
                self._cancelled.set()
                self._trainer.stop()
                return Outcome(True, 'cancelling: the last steps are saved; ~/adapt goes on '
                               'from there, unless the parameter resume is false')
            return Outcome(False, {
                RECORDING: 'recording: call ~/stop_recording; what was recorded is kept',
                SWAPPING: 'a profile is being put into use: wait, then call ~/roll_back',
            }.get(self.state.phase, 'nothing to cancel: call ~/adapt to adapt'))

    def swap(self) -> Outcome:
        """Put the accepted profile of the last adaptation into use."""
        with self._lock:
            if self.state.phase != IDLE or self._working:
                return Outcome(False, self._busy())
            if not read_json(self._site.run / REPORT).get('accepted'):
                return Outcome(False, 'no accepted profile to put into use: call ~/adapt first')
            self._become(SWAPPING, 'the accepted profile is being put into use')
        self._swap('')
        return Outcome(not self.state.failed, self.state.message)

    def roll_back(self) -> Outcome:
        """Go back to the profile before."""
        with self._lock:
            if self.state.phase == SWAPPING or self._working:
                return Outcome(False, self._busy())
        with self._swapping:
            outcome = self.swapper.roll_back('asked for by ~/roll_back')
        with self._lock:
            if self.state.phase == IDLE and outcome.done:
                self._become(IDLE, outcome.line)
        return outcome

    def status(self) -> Outcome:
        """Return what goes on, in one line."""
        state = self.state
        if state.phase == IDLE:
            return Outcome(not state.failed, f'idle: {state.message}')
        if state.phase == RECORDING:
            return Outcome(True, f'recording: {self._recording.line()}; drive around, then call '
                           '~/stop_recording')
        return Outcome(True, self._busy())

    def values(self) -> dict[str, Any]:
        """Return numbers for ~/progress and the diagnostics."""
        state = self.state
        found: dict[str, Any] = {
            'phase': state.phase, 'since': state.since, 'active profile': self.swapper.active,
            **self._recording.values()}
        if state.phase in (CHECKING, ADAPTING):
            progress = self.progress()
            found |= {'step': progress.step, 'steps': progress.steps,
                      'seconds_left': f'{progress.seconds_left:.0f}',
                      'trainer says': progress.phase, 'seconds_silent': f'{progress.age:.0f}',
                      **{f'loss {name}': f'{value:.5g}'
                         for name, value in progress.losses.items()}}
            if self._trainer.peak_memory_mb is not None:
                found['peak memory (MB)'] = f'{self._trainer.peak_memory_mb:.0f}'
        return found

    def _busy(self) -> str:
        """Return what goes on and what can be done about it."""
        phase = self.state.phase
        if phase == RECORDING:
            return 'recording: call ~/stop_recording first'
        if phase == SWAPPING:
            return 'a profile is being put into use: wait some seconds, then call ~/status'
        if phase == IDLE:
            return 'a trainer of an earlier node is ending: wait some seconds, then try again'
        progress = self.progress()
        done = f' {progress.step} of {progress.steps}' if progress.steps else ''
        return (f'{phase}: {progress.phase}{done}, {time_left(progress.seconds_left)}: wait, or '
                'call ~/cancel')


def time_left(seconds: float) -> str:
    """Return a duration in words, to the minute where it is long."""
    if not math.isfinite(seconds):
        return 'time left not known yet'
    if seconds < 90:
        return f'{seconds:.0f} s left'
    return f'{seconds / 60:.0f} min left'
