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

"""What became of the frames that a recorder was given: counts, seconds, the latest reasons."""

from collections import Counter, deque
import logging
import time

from mde_ros.onsite.frame_choice import Choice
from mde_ros.onsite.recording_status import advise, RecordingStatus

# Frames that the advice goes by.
LATEST = 90
# Longer gaps of the stamps are pauses, not recording time.
LONGEST_STEP_S = 5.

_log = logging.getLogger(__name__)


class RecordingCounts:
    """
    Count frames and recording time. Not safe for several threads.

    ``seen`` frames were given, ``kept`` were written; ``refused`` and ``bad`` count the others
    by reason; ``seconds`` leave pauses out.
    """

    def __init__(self) -> None:
        self.seen = self.kept = 0
        self.refused: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.seconds = 0.
        self._last_ns = 0
        self._latest: deque[str] = deque(maxlen=LATEST)

    def pass_time(self, stamp_ns: int) -> None:
        """Add the time since the last frame; a frame without a stamp comes now."""
        now = stamp_ns or time.monotonic_ns()
        step = (now - self._last_ns) / 1e9
        if self._last_ns and 0 < step < LONGEST_STEP_S:
            self.seconds += step
        self._last_ns = now

    def note(self, reason: str) -> None:
        """Take what became of a frame into the advice; '' when it was kept."""
        self._latest.append(reason)

    def count_bad(self, reason: str, detail: str) -> Choice:
        """Count a frame that cannot be used, and log the first of its kind."""
        self.bad[reason] += 1
        self.note(reason)
        if self.bad[reason] == 1:
            _log.warning('skipped a frame: %s %s; more like it are only counted', reason, detail)
        return Choice(reason, detail)

    def status(self, state: str, why: str, *, frames: int, used: int,
               wanted: int) -> RecordingStatus:
        """
        Return the counts of now.

        :param state: 'recording', 'full', 'error' or 'closed'.
        :param why: which limit is reached or what failed.
        :param frames: in the folder.
        :param used: bytes of the folder.
        :param wanted: frames at which the recording ends.
        """
        return RecordingStatus(
            state, why, self.seen, self.kept, frames, dict(self.refused), dict(self.bad),
            round(self.seconds, 3), used,
            advise(state, why, list(self._latest), frames, wanted))
