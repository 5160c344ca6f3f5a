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

"""The scored pixels of a whole set, kept in a temporary file: memory stays at one frame."""

from collections.abc import Iterator
from dataclasses import dataclass
import tempfile
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError

# Below this many bytes nothing touches the disk.
_IN_MEMORY = 64 << 20


class PixelStoreError(MdeError):
    """No space for the scored pixels."""


@dataclass(frozen=True)
class ScoredPixels:
    """
    The pixels of one frame that have a reference and a prediction, sorted by range.

    :param prediction: N float32, metres.
    :param truth: N float32, metres.
    :param rows: N float32, image row from 0 (upper edge) to 1 (lower edge).
    :param counts: pixels of each range, adding up to N.
    """

    prediction: NDArray[np.float32]
    truth: NDArray[np.float32]
    rows: NDArray[np.float32]
    counts: list[int]


class PixelStore:
    """
    Frames in, the same frames out, in order, as often as wanted.

    12 bytes a pixel in the folder of temporary files (TMPDIR): about 3.7 MB a full frame of
    640x480; 64 MB stay in memory.
    """

    def __init__(self) -> None:
        """Open an unnamed file; it vanishes with the process, however that ends."""
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._counts: list[list[int]] = []

    def __enter__(self) -> 'PixelStore':
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Give the space back."""
        self.close()

    def close(self) -> None:
        """Give the space back; may be called twice."""
        self._file.close()

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._counts)

    def add(self, pixels: ScoredPixels) -> None:
        """
        Append a frame.

        :raises PixelStoreError: when the disk is full, naming the folder.
        """
        block = np.concatenate([pixels.prediction, pixels.truth, pixels.rows], dtype=np.float32)
        try:
            self._file.seek(0, 2)
            self._file.write(block.tobytes())
        except OSError as error:
            raise PixelStoreError(
                f'{tempfile.gettempdir()}: no space for the scored pixels ({error.strerror}); '
                'set TMPDIR to a larger folder or take fewer frames with --every') from error
        self._counts.append(list(pixels.counts))

    def __iter__(self) -> Iterator[ScoredPixels]:
        """Yield the frames in the order they came."""
        position = 0
        for counts in self._counts:
            count = sum(counts)
            self._file.seek(position)
            position += 12 * count
            block = np.frombuffer(self._file.read(12 * count), np.float32)
            yield ScoredPixels(block[:count], block[count:2 * count], block[2 * count:], counts)
