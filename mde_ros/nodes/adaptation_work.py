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

"""The work of an adaptation node: its phases, each left as it was found after a kill."""

from collections.abc import Callable, Sequence
from pathlib import Path
import threading

from mde_ros.errors import MdeError
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_process import LOG, PROGRESS, Progress, REPORT, Trainer
from mde_ros.nodes.adaptation_recording import Recording
from mde_ros.nodes.adaptation_request import describe
from mde_ros.nodes.adaptation_state import (
    ADAPTING, CHECKING, IDLE, read_json, RECORDING, Site, State, SWAPPING)
from mde_ros.nodes.adaptation_swap import Outcome, Swapper

# Exit code of mde adapt when it was told to end: its checkpoint is written.
CANCELLED = 3


class Work:
    """
    The phases of a site.

    Services and the timer may call at the same time. What takes long (ending an old trainer,
    exchanging a profile) runs in a thread.

    :param check: returns the reasons why a recording is not fit to adapt to.
    :param log: takes a line and whether it is an error.
    :param stop: set while the node ends.
    """

    def __init__(self, site: Site, settings: Callable[[], Settings], *, recording: Recording,
                 trainer: Trainer, swapper: Swapper, check: Callable[[Path], Sequence[str]],
                 log: Callable[[str, bool], None], stop: threading.Event | None = None) -> None:
        """Wait for :meth:`start`."""
        self._site, self._settings, self._log = site, settings, log
        self._recording, self._trainer, self.swapper = recording, trainer, swapper
        self._check = check
        self.state = State()
        self._lock = threading.RLock()
        self._swapping = threading.Lock()
        self._stop = stop or threading.Event()
        self._cancelled = threading.Event()
        self._job: threading.Thread | None = None

    # ---- life ------------------------------------------------------------------------------

    def start(self, state: State) -> None:
        """Go on where the state says that the node was left."""
        with self._lock:
            self._stop.clear()
            self._cancelled.clear()
            self.state = state
            if state.phase == RECORDING:
                self._try(lambda: self._recording.start(self._settings(), again=True))
            elif state.phase == SWAPPING:
                self._run(lambda: self._swap(state.profile))
            else:
                self._run(lambda: self._recover(interrupted=state.phase != IDLE))

    def stop(self) -> None:
        """Stop everything in order, so that :meth:`start` can go on with it."""
        self._stop.set()
        if self._job is not None:
            self._job.join()
        with self._lock:
            self._job = None
            if self.state.phase == RECORDING:
                self._recording.stop()
            self._trainer.end()

    def tick(self) -> None:
        """Look at what goes on; call it some times a second."""
        with self._lock:
            if self._stop.is_set():
                return
            if self.state.phase == RECORDING and (self._recording.error
                                                  or self._recording.complete):
                self._end_recording()
            elif self.state.phase in (CHECKING, ADAPTING) and self._trainer.running:
                code = self._trainer.poll()
                if code is not None:
                    self._finished(code)
                elif self._phase_of(self.progress()) != self.state.phase:
                    self._become(self._phase_of(self.progress()), self.state.message)

    def progress(self) -> Progress:
        """Return what the trainer last said."""
        return Progress.read(self._site.run / PROGRESS)

    # ---- recording -------------------------------------------------------------------------

    def _end_recording(self) -> None:
        """Stop the recorder; say what there is, and what ended it."""
        error, complete = self._recording.error, self._recording.complete
        self._recording.stop()
        kept = self._recording.line()
        if error:
            self._become(IDLE, f'recording stopped: {error}; {kept} so far are kept', failed=True)
        else:
            self._become(IDLE, f'recorded {kept}{f" ({complete})" if complete else ""}: call '
                         '~/adapt, or ~/start_recording to go on')

    # ---- adapting --------------------------------------------------------------------------

    def _begin(self, resume: bool, checked: bool) -> None:
        """
        Start the trainer.

        :param checked: whether the recording was found fit before.
        """
        reasons = [] if checked else list(self._check(self._site.recording))
        if reasons:
            self._become(IDLE, f'not adapted, the old network stays: {"; ".join(reasons)}',
                         failed=True)
            return
        request = describe(self._settings(), self._site, self.swapper.active)
        goes_on = self._trainer.prepare(request.identity, resume)
        # First the note, then the process: a kill in between starts it again.
        self._become(ADAPTING, 'adapting, from the last checkpoint: wait, or call ~/cancel'
                     if goes_on else 'adapting: wait, or call ~/cancel')
        self._trainer.start(request.arguments, request.threads)

    def _finished(self, code: int) -> None:
        """Go on after the trainer has ended."""
        report = read_json(self._site.run / REPORT)
        step = f'step {self.progress().step} of {self.progress().steps}'
        why = ' '.join(str(report.get('why', '')).split())
        if code == 0 and report.get('accepted'):
            self._accepted(why)
        elif code == 0 and report:
            self._become(IDLE, f'adapted, but the old network stays: {why}; record other places '
                         'with ~/start_recording and call ~/adapt', failed=True)
        elif self._cancelled.is_set():
            self._become(IDLE, f'cancelled at {step}: call ~/adapt to go on')
        elif code in (CANCELLED, -15):
            self._become(IDLE, f'the trainer was ended by somebody else at {step}: call ~/adapt '
                         'to go on', failed=True)
        else:
            ended = f'was killed by signal {-code}' if code < 0 else f'ended with exit code {code}'
            hint = ' (out of memory?)' if code == -9 else ''
            self._become(IDLE, f'the trainer {ended}{hint} at {step}: '
                         f'{self._trainer.log_tail() or "it wrote nothing"}; see '
                         f'{self._site.run / LOG}, then call ~/adapt', failed=True)

    def _accepted(self, why: str) -> None:
        """Put the profile into use, or wait to be told."""
        if self._settings().auto_swap and not self._cancelled.is_set():
            self._become(SWAPPING, f'accepted ({why}): it is being put into use')
            self._run(lambda: self._swap(''))
        else:
            self._become(IDLE, f'accepted ({why}): call ~/swap to put it into use')

    def _swap(self, name: str) -> None:
        """Exchange the profile; the state names it, so that a kill is made good later."""
        why = ' '.join(str(read_json(self._site.run / REPORT).get('why', '')).split())
        with self._swapping:
            try:
                name = name or self.swapper.add(why)
                self._become(SWAPPING, self.state.message, profile=name)
                outcome = self.swapper.swap(name, why)
            except MdeError as error:
                outcome = Outcome(False, f'the old network stays: {error}')
        # Asked to stop in the middle: the next start does it again.
        if not self._stop.is_set() or outcome.done:
            self._become(IDLE, outcome.line, failed=not outcome.done)

    def _recover(self, interrupted: bool) -> None:
        """After a start: no two trainers, and an adaptation that was interrupted goes on."""
        try:
            found = self._trainer.end_orphan(self._stop)
        except MdeError as error:
            if not self._stop.is_set():
                self._become(IDLE, str(error), failed=True)
            return
        if found is not None:
            self._log(f'the trainer of an earlier node (process {found}) has ended', False)
        with self._lock:
            if interrupted and not self._stop.is_set():
                self._try(self._go_on)

    def _go_on(self) -> None:
        """Go on with an adaptation that was interrupted."""
        if read_json(self._site.run / REPORT):
            self._finished(0)
        elif self._cancelled.is_set() or not self._settings().resume:
            self._become(IDLE, 'the adaptation was interrupted: call ~/adapt')
        else:
            self._log('going on with the adaptation that was interrupted', False)
            self._begin(resume=True, checked=True)

    # ---- common ----------------------------------------------------------------------------

    @property
    def _working(self) -> bool:
        return self._job is not None and self._job.is_alive()

    def _run(self, job: Callable[[], None]) -> None:
        """Do something in a thread."""
        self._job = threading.Thread(target=job, name='adaptation', daemon=True)
        self._job.start()

    def _try(self, action: Callable[[], None]) -> None:
        """Do something; when it fails, rest and say why."""
        try:
            action()
        except MdeError as error:
            self._become(IDLE, str(error), failed=True)

    def _become(self, phase: str, message: str, *, failed: bool = False,
                profile: str = '') -> None:
        """Note a new state on the disk, then in memory."""
        with self._lock:
            news = message != self.state.message
            state = self.state.changed(phase, message, failed=failed, profile=profile)
            try:
                self._site.save(state)
            except MdeError as error:
                # A full disk must not stop the depth node's profile from being exchanged.
                self._log(str(error), True)
            self.state = state
        if news:
            self._log(message, failed)

    @staticmethod
    def _phase_of(progress: Progress) -> str:
        """Return the phase of a running trainer: the check at its end is one of its own."""
        return CHECKING if 'check' in progress.phase else ADAPTING
