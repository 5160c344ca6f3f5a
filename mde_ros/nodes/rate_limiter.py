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

"""At most so many frames a second, evenly."""


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
