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

"""What happened to each frame of one camera: counts, rates, ages and durations."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import threading

import numpy as np

# Frames whose ages and durations make the percentiles: about ten seconds at 30 Hz.
WINDOW = 300
# Seconds over which the rates are measured.
RATE_WINDOW = 5.0
# Ages outside this range (seconds) come from clocks that do not agree, not from slow work.
PLAUSIBLE_AGE = (-0.5, 60.0)


def percentiles(values: Iterable[float], ranks: tuple[float, ...] = (50, 95, 99)
                ) -> tuple[float, ...]:
    """Return percentiles of values, NaN for none."""
    numbers = list(values)
    if not numbers:
        return tuple(float('nan') for _ in ranks)
    return tuple(float(value) for value in np.percentile(numbers, ranks))


@dataclass
class Snapshot:
    """
    The statistics of one camera at one moment; durations and ages in seconds, rates in Hz.

    ``received == processed + sum(dropped) + pending`` holds at every moment; ``lost`` frames
    were published and never arrived, so they are in none of these.
    """

    received: int = 0
    processed: int = 0
    pending: int = 0
    lost: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    input_rate: float = 0.0
    output_rate: float = 0.0
    source_rate: float = 0.0
    age: tuple[float, ...] = (float('nan'),) * 3
    inference: tuple[float, ...] = (float('nan'),) * 3
    stages: dict[str, float] = field(default_factory=dict)
    silent_for: float = float('inf')


class Statistics:
    """
    Count frames from several threads.

    A frame is received once, then either processed or dropped for one reason. ``noted`` counts
    what was seen on frames that were processed all the same.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._received = self._processed = self._pending = self._lost = 0
        self._dropped: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._arrivals: deque[tuple[float, int]] = deque()
        self._departures: deque[float] = deque()
        self._ages: deque[float] = deque(maxlen=WINDOW)
        self._durations: dict[str, deque[float]] = {}
        self._last_arrival = self._begun = float('-inf')

    def begin(self, now: float) -> None:
        """Count the silence of the camera, and the time that rates refer to, from now on."""
        with self._lock:
            self._last_arrival = self._begun = now

    def receive(self, now: float, lost: int = 0) -> None:
        """Count a frame that arrived, and ``lost`` frames before it that did not."""
        with self._lock:
            self._received += 1
            self._pending += 1
            self._lost += lost
            self._last_arrival = now
            self._arrivals.append((now, 1 + lost))
            self._forget(now)

    def drop(self, reason: str) -> int:
        """Count a received frame that will not be processed; return the count of the reason."""
        with self._lock:
            self._pending -= 1
            self._dropped[reason] += 1
            return self._dropped[reason]

    def note(self, what: str) -> int:
        """Count something about a frame that does not stop it; return its count."""
        with self._lock:
            self._noted[what] += 1
            return self._noted[what]

    def process(self, now: float, age: float | None, durations: Mapping[str, float]) -> None:
        """
        Count a processed frame.

        :param age: seconds between acquisition and the end of publishing, None if unknown.
        :param durations: seconds by stage; 'inference' is their sum inside the estimator.
        """
        with self._lock:
            self._pending -= 1
            self._processed += 1
            self._departures.append(now)
            if age is not None:
                if PLAUSIBLE_AGE[0] <= age <= PLAUSIBLE_AGE[1]:
                    self._ages.append(age)
                else:
                    self._noted['clock mismatch'] += 1
            for stage, seconds in durations.items():
                self._durations.setdefault(stage, deque(maxlen=WINDOW)).append(seconds)
            self._forget(now)

    def snapshot(self, now: float) -> Snapshot:
        """Return everything at one moment."""
        with self._lock:
            self._forget(now)
            window = max(.1, min(RATE_WINDOW, now - self._begun))
            return Snapshot(
                received=self._received, processed=self._processed, pending=self._pending,
                lost=self._lost, dropped=dict(self._dropped), noted=dict(self._noted),
                input_rate=len(self._arrivals) / window,
                source_rate=sum(count for _, count in self._arrivals) / window,
                output_rate=len(self._departures) / window,
                age=percentiles(self._ages),
                inference=percentiles(self._durations.get('inference', ())),
                stages={stage: percentiles(values, (50,))[0]
                        for stage, values in self._durations.items()},
                silent_for=now - self._last_arrival)

    def _forget(self, now: float) -> None:
        """Drop what lies before the window of the rates."""
        while self._arrivals and self._arrivals[0][0] <= now - RATE_WINDOW:
            self._arrivals.popleft()
        while self._departures and self._departures[0] <= now - RATE_WINDOW:
            self._departures.popleft()
