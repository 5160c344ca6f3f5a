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

"""Pairing two streams by stamp with bounded memory: exact first, else the nearest."""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple


class Pair(NamedTuple):
    """An image with its depth; ``kind`` is 'exact', 'near' or 'unpaired' (no depth)."""

    stamp: int
    image: Any
    depth: Any
    kind: str


class StampPairer:
    """
    Pairs images with depth by their stamps; each depth goes to one image at most.

    Images come out in the order they went in. An image waits until its depth is there, or the
    streams have passed the moment when it could still come, or ``limit`` images wait. A near
    depth is left to a waiting image that is nearer to it.

    :param slop_ns: largest difference of stamps of a near pair.
    :param with_depth: False lets images through unpaired.
    :param with_info: whether a third stream exists (CameraInfo), that an image waits for too.
    :param limit: largest number of images, and of depths, held.
    """

    def __init__(self, slop_ns: int, *, with_depth: bool = True, with_info: bool = True,
                 limit: int = 32) -> None:
        self.unused_depths = 0
        self._slop = slop_ns
        self._with_depth = with_depth
        self._with_info = with_info
        self._limit = limit
        self._images: deque[tuple[int, Any]] = deque()
        self._depths: deque[tuple[int, Any]] = deque()
        # The last stamps, not the greatest: clocks are set back, and then the old maximum would
        # make every image seem late.
        self._last_image = self._last_depth = self._last_info = -1

    def add_image(self, stamp: int, image: Any) -> Iterator[Pair]:
        """Take an image; yield the pairs that are complete now."""
        self._images.append((stamp, image))
        self._last_image = stamp
        return self._complete()

    def add_depth(self, stamp: int, depth: Any) -> Iterator[Pair]:
        """Take a depth; yield the pairs that are complete now."""
        self._depths.append((stamp, depth))
        self._last_depth = stamp
        if len(self._depths) > self._limit:
            self._depths.popleft()
            self.unused_depths += 1
        return self._complete()

    def add_info(self, stamp: int) -> Iterator[Pair]:
        """Note how far the third stream is; yield the pairs that are complete now."""
        self._last_info = stamp
        return self._complete()

    def finish(self) -> Iterator[Pair]:
        """Yield what still waits."""
        yield from self._complete(end=True)
        self.unused_depths += len(self._depths)
        self._depths.clear()

    def _complete(self, end: bool = False) -> Iterator[Pair]:
        while self._images and (
                end or len(self._images) > self._limit or self._settled(self._images[0][0])):
            stamp, image = self._images.popleft()
            index, kind = self._choose(stamp)
            depth = None
            if index is not None:
                depth = self._depths[index][1]
                del self._depths[index]
            yield Pair(stamp, image, depth, kind)

    def _settled(self, stamp: int) -> bool:
        # A CameraInfo of the same stamp may follow its image; two images on, it is not coming.
        if self._with_info and self._last_info < stamp and len(self._images) <= 2:
            return False
        return not self._with_depth or any(at == stamp for at, _ in self._depths) or (
            self._last_depth > stamp + self._slop and self._last_image > stamp + 2 * self._slop)

    def _choose(self, stamp: int) -> tuple[int | None, str]:
        best, best_gap = None, self._slop + 1
        for index, (at, _) in enumerate(self._depths):
            gap = abs(at - stamp)
            if gap < best_gap and all(abs(at - other) >= gap for other, _ in self._images):
                best, best_gap = index, gap
        if best is None:
            return None, 'unpaired'
        return best, 'exact' if best_gap == 0 else 'near'
