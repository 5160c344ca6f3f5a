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

"""Keep a rate: read ahead in a thread, and be late without bursting afterwards."""

from collections.abc import Iterator
import queue
import threading
from typing import Any, TypeVar

PREFETCHED_ITEMS = 6
# Seconds after which a late item delays the ones that follow.
LATE = 0.02

Item = TypeVar('Item')


class Pace:
    """
    When each frame is due. After a hold-up the times are shifted: a camera sends no bursts.

    :param began: the time of due time zero, in seconds.
    """

    def __init__(self, began: float) -> None:
        """Start on time."""
        self._began = began

    def wait(self, due: float, now: float) -> float:
        """Return the seconds to wait until ``due``."""
        return max(0.0, self._began + due - now)

    def late(self, due: float, now: float) -> float:
        """Return how late ``due`` is, and shift what follows if that is noticeable."""
        late = max(0.0, now - self._began - due)
        if late > LATE:
            self._began += late
        return late


def prefetch(items: Iterator[Item], stop: threading.Event) -> Iterator[Item]:
    """
    Yield the items in order, a few of them read ahead in a thread.

    An exception of the iterator is raised here, after the items before it. The thread ends with
    the iteration, also when that is given up early or ``stop`` is set.
    """
    ready: queue.Queue[Any] = queue.Queue(PREFETCHED_ITEMS)
    given_up = threading.Event()

    def put(entry: Any) -> bool:
        while not (given_up.is_set() or stop.is_set()):
            try:
                ready.put(entry, timeout=.1)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
            put((None, StopIteration()))
        except Exception as error:  # noqa: BLE001
            # Raised again below, in the thread of the caller.
            put((None, error))

    reader = threading.Thread(target=read, name='frame reader', daemon=True)
    reader.start()
    try:
        while not stop.is_set():
            try:
                item, error = ready.get(timeout=.1)
            except queue.Empty:
                continue
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        given_up.set()
        reader.join()
