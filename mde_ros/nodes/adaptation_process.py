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

"""The trainer as a process of its own: started, watched, ended, and found again after a kill."""

from collections.abc import Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from mde_ros.errors import MdeError
from mde_ros.nodes import adaptation_guard
from mde_ros.nodes.adaptation_state import read_json, Site, write_json
from mde_ros.nodes.node_process import peak_memory_of

# What is run: the command line of this package.
COMMAND = ('mde_ros.command_line.main', 'adapt')
# Seconds that a trainer gets to write its checkpoint when it is told to end.
GRACE = 30.0
# Variables that bound the threads of the libraries below PyTorch and OpenCV.
THREAD_VARIABLES = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
PROGRESS, REPORT, PROFILE, REQUEST, LOG = (
    'progress.json', 'report.json', 'profile.safetensors', 'request.json', 'trainer.log')


class TrainerError(MdeError):
    """The trainer cannot be started or ended."""


@dataclass(frozen=True)
class Progress:
    """
    What the trainer last said.

    :param phase: its own word for what it does.
    :param seconds_left: NaN while it cannot tell.
    :param age: seconds since it said so; infinite before the first time.
    """

    phase: str = 'starting'
    step: int = 0
    steps: int = 0
    seconds_left: float = float('nan')
    losses: Mapping[str, float] = field(default_factory=dict)
    age: float = float('inf')

    @classmethod
    def read(cls, path: Path) -> 'Progress':
        """Return what a progress file says; of a damaged or missing one, nothing."""
        values = read_json(path)
        try:
            left = values.get('seconds_left')
            return cls(
                str(values['phase']), int(values['step']), int(values['steps']),
                float('nan') if left is None else float(left),
                {str(k): float(v) for k, v in (values.get('losses') or {}).items()},
                max(0., time.time() - path.stat().st_mtime))
        except (KeyError, TypeError, ValueError, AttributeError, OSError):
            return cls()


class Trainer:
    """
    At most one trainer of a site.

    :param site: where it works.
    :param command: module or Python file that is run, and its first arguments.
    :param grace: seconds between SIGTERM and SIGKILL.
    """

    def __init__(self, site: Site, command: Sequence[str] = COMMAND, grace: float = GRACE) -> None:
        """Start nothing yet."""
        self._site, self._command, self._grace = site, tuple(command), grace
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe, self._deadline = -1, float('inf')
        self._peak_memory_mb: float | None = None

    def prepare(self, request: Mapping[str, Any], resume: bool) -> bool:
        """
        Make the run folder for a request; an unfinished run of the same one is kept.

        :param request: whatever decides the result; settings and recording.
        :return: whether the run goes on from what is there.
        """
        run = self._site.run
        same = (run / REQUEST).exists() and read_json(run / REQUEST) == dict(request)
        if same and resume and not (run / REPORT).exists():
            return True
        try:
            if run.exists():
                shutil.rmtree(run)
            run.mkdir(parents=True)
            write_json(run / REQUEST, dict(request))
        except OSError as error:
            raise TrainerError(f'{run}: cannot write ({error.strerror}); make room on the disk or '
                               'mend its permissions, then call ~/adapt') from error
        return False

    def start(self, arguments: Sequence[str], threads: int) -> int:
        """
        Start the trainer in a session of its own; return its process id.

        :raises TrainerError: when one runs already.
        """
        if self.running or adaptation_guard.holder(self._site.trainer_lock) is not None:
            raise TrainerError(f'a trainer works in {self._site.run} already: wait for it, or '
                               'call ~/cancel')
        (self._site.run / PROGRESS).unlink(missing_ok=True)
        self._peak_memory_mb = None
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(max(1, threads)))}
        reading, self._pipe = os.pipe()
        words = [sys.executable, '-m', adaptation_guard.__name__, str(self._site.trainer_lock),
                 str(reading), str(self._grace), *self._command, *arguments]
        try:
            with (self._site.run / LOG).open('ab') as log:
                self._process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    env=environment, pass_fds=(reading,), start_new_session=True)
        except OSError as error:
            os.close(self._pipe)
            raise TrainerError(f'cannot start the trainer: {error}') from error
        finally:
            os.close(reading)
        return self._process.pid

    @property
    def running(self) -> bool:
        """Return whether a trainer that this object started has not been taken note of yet."""
        return self._process is not None

    @property
    def peak_memory_mb(self) -> float | None:
        """Return the largest resident memory so far, 10^6 bytes, read now; None before a start."""
        process = self._process  # another thread may take note of its end meanwhile
        if process is not None:
            self._peak_memory_mb = peak_memory_of(process.pid) or self._peak_memory_mb
        return self._peak_memory_mb

    def poll(self) -> int | None:
        """Return the exit code once the trainer has ended (negative: a signal), else None."""
        if self._process is None:
            return None
        code = self._process.poll()
        if code is None:
            if time.monotonic() > self._deadline:
                self._signal(signal.SIGKILL)
            return None
        os.close(self._pipe)
        self._process, self._pipe, self._deadline = None, -1, float('inf')
        return code

    def stop(self) -> None:
        """Tell the trainer to write a checkpoint and end; :meth:`poll` sees to it that it does."""
        if self._process is not None and self._deadline == float('inf'):
            self._deadline = time.monotonic() + self._grace
            self._signal(signal.SIGTERM)

    def end(self) -> None:
        """End the trainer and wait for it."""
        self.stop()
        while self.running and self.poll() is None:
            time.sleep(.02)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            _send(self._process.pid, number)

    def end_orphan(self, stop: threading.Event | None = None) -> int | None:
        """
        End a trainer that a killed node left behind; it ends by itself, this waits for it.

        :return: its process id, None when there was none; 0 when it could not be named.
        :raises TrainerError: when it does not end.
        """
        found = adaptation_guard.holder(self._site.trainer_lock)
        if found is None:
            return None
        began = time.monotonic()
        signals = [(0., signal.SIGTERM), (self._grace, signal.SIGKILL)]
        while (pid := adaptation_guard.holder(self._site.trainer_lock)) is not None:
            waited = time.monotonic() - began
            if signals and waited >= signals[0][0]:
                number = signals.pop(0)[1]
                if pid > 0:
                    _send(pid, number)
            if waited > 2 * self._grace + 5 or (stop is not None and stop.is_set()):
                raise TrainerError(
                    f'a trainer of an earlier node still works in {self._site.run} (process '
                    f'{pid or "unknown"}): end it, then call ~/adapt')
            time.sleep(.05)
        return found

    def log_tail(self) -> str:
        """Return the last line that the trainer wrote that is not empty."""
        try:
            text = (self._site.run / LOG).read_bytes()[-4000:].decode(errors='replace')
        except OSError:
            return ''
        return next((' '.join(line.split()) for line in reversed(text.splitlines())
                     if line.strip()), '')


def _send(pid: int, number: signal.Signals) -> None:
    """
    Send a signal to a trainer.

    To end in order is the business of the trainer alone, who then ends those that work for it;
    what has to be killed is killed with them.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
