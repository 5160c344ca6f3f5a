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

"""The one thread that runs the network, for all cameras."""

from collections.abc import Callable
import threading
from typing import Generic, TypeVar

from mde_ros.nodes.mailbox import Mailbox

Item = TypeVar('Item')


class Worker(Generic[Item]):
    """
    Take frames out of a mailbox and process them until stopped.

    :param process: called with (camera, item) pairs, in the worker's thread: one, or all that
        wait if ``together``.
    :param failed: called with the camera, its item and the exception, for each of the items,
        when ``process`` raises (which is a defect: it handles what users can get wrong, and what
        touches only one of several items); the worker goes on.
    :param together: returns whether to take the items of all cameras at once; asked each time.
    """

    def __init__(self, mailbox: Mailbox[Item], process: Callable[[list[tuple[str, Item]]], None],
                 failed: Callable[[str, Item, Exception], None],
                 together: Callable[[], bool] = lambda: False) -> None:
        """Prepare; :meth:`start` starts the thread."""
        self._mailbox = mailbox
        self._process = process
        self._failed = failed
        self._together = together
        self._stopping = False
        self._between_frames = threading.Lock()
        self._thread = threading.Thread(target=self._run, name='depth worker', daemon=True)

    def start(self) -> None:
        """Open the mailbox and start the thread."""
        self._mailbox.reopen()
        self._thread.start()

    def stop(self) -> dict[str, Item]:
        """
        Close the mailbox, finish what is in work and join the thread.

        :return: the items that nobody will process any more, by camera.
        """
        self._stopping = True
        left = self._mailbox.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        return left

    def between_frames(self, action: Callable[[], None]) -> None:
        """Call ``action`` in the caller's thread while no frame is in work."""
        with self._between_frames:
            action()

    def _run(self) -> None:
        """Work until stopped."""
        while not self._stopping:
            if self._together():
                taken = self._mailbox.take_all()
            else:
                one = self._mailbox.take()
                taken = [] if one is None else [one]
            if not taken:
                continue
            with self._between_frames:
                try:
                    self._process(taken)
                except Exception as error:  # noqa: BLE001
                    # One frame must not end the thread that serves all cameras.
                    for camera, item in taken:
                        self._failed(camera, item, error)
