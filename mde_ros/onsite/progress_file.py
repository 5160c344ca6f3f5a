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

"""How far an adaptation is, in a file for others to read: one JSON object, always whole."""

from collections.abc import Callable
import json
import os
from pathlib import Path
import time
from typing import Any

PHASES = ('checking', 'preparing source', 'training', 'statistics', 'check', 'writing', 'done')
# Seconds between two versions of the file.
EVERY = 1.


class ProgressFile:
    """
    Replaces one file about once a second: {phase, step, steps, seconds_left, losses}.

    :param path: None writes nothing.
    :param listen: called with every state, also those that are not written.
    """

    def __init__(self, path: Path | None,
                 listen: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.path, self.listen = path, listen
        self.state: dict[str, Any] = {
            'phase': PHASES[0], 'step': 0, 'steps': 0, 'seconds_left': None, 'losses': {}}
        self._written = -EVERY

    def update(self, **changes: Any) -> None:
        """Change fields; a new phase is written at once."""
        new_phase = changes.get('phase', self.state['phase']) != self.state['phase']
        self.state = {**self.state, **changes}
        if self.listen:
            self.listen(dict(self.state))
        now = time.monotonic()
        if self.path is None or (now - self._written < EVERY and not new_phase):
            return
        self._written = now
        aside = self.path.with_name(f'.{self.path.name}.part')
        aside.write_text(json.dumps(self.state) + '\n')
        os.replace(aside, self.path)


class TimeLeft:
    """
    Estimates the seconds left from the work done since the start.

    :param work: of every step, such as its pixels.
    :param start: first step of this process.
    """

    def __init__(self, work: list[float], start: int) -> None:
        self._sums = [0.]
        for one in work:
            self._sums.append(self._sums[-1] + one)
        self._start, self._begin = start, time.monotonic()

    def after(self, step: int) -> float | None:
        """Return the seconds left after ``step`` steps; None before the first is done."""
        done = self._sums[step] - self._sums[self._start]
        if done <= 0:
            return None
        left = self._sums[-1] - self._sums[step]
        return (time.monotonic() - self._begin) * left / done
