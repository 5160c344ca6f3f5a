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

"""The flow of frames: gaps in it, a limit to it, and log lines that do not flood."""

from collections.abc import Callable
import threading
import time


class SequenceGaps:
    """Count missing numbers; only while there is one publisher, whose numbers they are."""

    def __init__(self) -> None:
        """Start before the first number."""
        self._last: int | None = None
        self._countable = True

    def restart(self, publishers: int | None = None) -> None:
        """Forget the last number, because publishers came or went."""
        self._last = None
        if publishers is not None:
            self._countable = publishers <= 1

    def missing(self, number: int | None) -> int:
        """Return how many numbers lie between the last one and this; 0 where unknown."""
        last, self._last = self._last, number
        if number is None or last is None or not self._countable or number <= last:
            return 0
        return number - last - 1


class RateLimiter:
    """Accept events on an even grid of times; a late event does not delay the following ones."""

    def __init__(self) -> None:
        """Accept the first event."""
        self._due = float('-inf')

    def accepts(self, now: float, rate: float) -> bool:
        """
        Return whether an event at ``now`` (seconds) may pass; ``rate`` in Hz, 0 is no limit.

        A tenth of a period of slack keeps a 30 Hz camera at 30 Hz under a limit of 30.
        """
        if rate <= 0:
            return True
        period = 1 / rate
        if now < self._due - .1 * period:
            return False
        # After a pause the grid starts anew, otherwise it goes on.
        self._due = now + period if now - self._due > period else self._due + period
        return True


class Complaints:
    """
    Log a complaint when it is new, then at most once a period, with the number left out.

    :param log: takes the line.
    :param period: returns the seconds between two lines about the same thing.
    """

    def __init__(self, log: Callable[[str], None], period: Callable[[], float],
                 clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing said."""
        self._log, self._period, self._clock = log, period, clock
        self._said: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, about: str, line: str) -> None:
        """Log ``line`` unless something about the same was logged within the period."""
        with self._lock:
            now = self._clock()
            last, left_out = self._said.get(about, (float('-inf'), 0))
            if now - last < self._period():
                self._said[about] = (last, left_out + 1)
                return
            self._said[about] = (now, 0)
        self._log(f'{line} ({left_out} more like this)' if left_out else line)
