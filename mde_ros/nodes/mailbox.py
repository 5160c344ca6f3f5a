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

"""One slot a camera: the newest frame waits, the one it replaces is handed back."""

from collections.abc import Sequence
import threading
from typing import Generic, TypeVar

Item = TypeVar('Item')


class Mailbox(Generic[Item]):
    """
    Hand the newest item of several cameras from callbacks to one worker, in fair turns.

    ``put`` never waits. ``take`` and ``take_all`` serve the cameras round-robin: after one camera
    was served, every other camera with a frame comes first. Nothing is lost unnoticed: ``put``
    and ``close`` return what nobody took.

    :param slots: the names of the cameras.
    :raises ValueError: for no or repeated names.
    """

    def __init__(self, slots: Sequence[str]) -> None:
        """Make the slots, all of them empty."""
        if not slots or len(set(slots)) != len(slots):
            raise ValueError(f'slots {list(slots)}: at least one and no name twice')
        self._names = tuple(slots)
        self._items: dict[str, Item] = {}
        self._next = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, slot: str, item: Item) -> Item | None:
        """
        Store an item and return the one it replaces; a closed mailbox returns the item itself.

        :raises KeyError: for a slot that does not exist.
        """
        if slot not in self._names:
            raise KeyError(slot)
        with self._changed:
            if self._closed:
                return item
            replaced = self._items.get(slot)
            self._items[slot] = item
            self._changed.notify()
            return replaced

    def take(self, timeout: float | None = None) -> tuple[str, Item] | None:
        """
        Wait for an item; return its slot and itself, or None at the timeout or when closed.

        :param timeout: seconds, None for ever.
        """
        return next(iter(self._take(timeout, 1)), None)

    def take_all(self, timeout: float | None = None) -> list[tuple[str, Item]]:
        """
        Wait for an item; return all that wait, in turn, or none at the timeout or when closed.

        :param timeout: seconds, None for ever.
        """
        return self._take(timeout, len(self._names))

    def _take(self, timeout: float | None, most: int) -> list[tuple[str, Item]]:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            turn = self._names[self._next:] + self._names[:self._next]
            served = [slot for slot in turn if slot in self._items][:most]
            if served:
                self._next = (self._names.index(served[-1]) + 1) % len(self._names)
            return [(slot, self._items.pop(slot)) for slot in served]

    def waiting(self, slot: str) -> bool:
        """Return whether an item of this slot waits."""
        with self._changed:
            return slot in self._items

    def reopen(self) -> None:
        """Accept items again after :meth:`close`."""
        with self._changed:
            self._closed = False

    def close(self) -> dict[str, Item]:
        """Refuse further items, wake every taker and return what was left."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            left, self._items = self._items, {}
            return left
