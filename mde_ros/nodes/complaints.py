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

"""Log lines that repeat, thinned out."""

from collections.abc import Callable
import threading
import time


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
