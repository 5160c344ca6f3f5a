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

"""Lists of names that do not grow in memory: kept in an unnamed file and mapped from there."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
import mmap
import shutil
import struct
import tempfile
from typing import Any, IO, overload

from mde_ros.datasets.frame import DatasetError

# A list that is smaller stays in memory: small sets need no file.
SPOOL_BYTES = 1 << 16
# What separates the fields of a row; no file name has it.
FIELD = '\0'
_RANGE = struct.Struct('=QQ')
_OFFSET = 8  # bytes


class NameList(Sequence[str]):
    """
    Texts by number, equal to a list of the same texts; they cannot be changed.

    Python's own strings cost 60 to 150 bytes a name in every process. These texts lie one after
    the other in a file without a name, with their offsets behind them, and the kernel drops the
    parts that nobody looked at lately. Forked processes share the file; a pickled list writes
    one of its own.

    :param names: taken one by one, so that what a generator yields is never in memory at once.
    :raises DatasetError: when there is no room for the file.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        spill = _Spill()
        for name in names:
            spill.add(name.encode('utf-8', 'surrogateescape'))  # as file names are
        self._count = spill.count
        self._start, self._data = spill.finish()

    def __len__(self) -> int:
        """Return the number of texts."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Return a text, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(f'no name {index}, there are {self._count}')
        begin, end = _RANGE.unpack_from(
            self._data, self._start + _OFFSET * (int(index) % self._count))
        return self._data[begin:end].decode('utf-8', 'surrogateescape')

    def __iter__(self) -> Iterator[str]:
        """Yield the texts in order."""
        return (self[number] for number in range(self._count))

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of texts."""
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the count and the first texts."""
        more = ', ...' if self._count > 3 else ''
        return f'NameList({self._count}: {", ".join(map(repr, self[:3]))}{more})'

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the contents: the file has no name to find it by."""
        return _unpickle, (self._count, self._start, bytes(self._data))


class _Spill:
    """Takes texts and their offsets into files, a buffer at a time."""

    def __init__(self) -> None:
        self.count = 0
        self._texts, self._offsets = bytearray(), array('Q', [0])
        self._written = 0  # bytes of texts
        self._files: tuple[IO[bytes], IO[bytes]] | None = None

    def add(self, text: bytes) -> None:
        """Take one text."""
        self._texts += text
        self.count += 1
        self._offsets.append(self._written + len(self._texts))
        if len(self._texts) + _OFFSET * len(self._offsets) >= SPOOL_BYTES:
            self._flush()

    def finish(self) -> tuple[int, bytes | mmap.mmap]:
        """Return where the offsets begin, and texts and offsets as one."""
        if self._files is None:
            return len(self._texts), bytes(self._texts) + self._offsets.tobytes()
        self._flush()
        texts, offsets = self._files
        with texts, offsets:
            try:
                offsets.seek(0)
                shutil.copyfileobj(offsets, texts)
                texts.flush()
                return self._written, mmap.mmap(texts.fileno(), 0, access=mmap.ACCESS_READ)
            except OSError as error:
                raise _no_room(error) from error

    def _flush(self) -> None:
        try:
            if self._files is None:
                # finish() closes them.
                self._files = (tempfile.TemporaryFile(),  # noqa: SIM115
                               tempfile.TemporaryFile())  # noqa: SIM115
            self._files[0].write(self._texts)
            self._files[1].write(self._offsets.tobytes())
        except OSError as error:
            raise _no_room(error) from error
        self._written += len(self._texts)
        self._texts, self._offsets = bytearray(), array('Q')


def _no_room(error: OSError) -> DatasetError:
    return DatasetError(f'TMPDIR: the list of frames cannot be kept in a temporary file ({error}):'
                        ' let TMPDIR name a folder with some free space')


def _unpickle(count: int, start: int, data: bytes) -> NameList:
    names = NameList()
    names._count, names._start, names._data = count, start, data
    if len(data) >= SPOOL_BYTES:
        try:
            with tempfile.TemporaryFile() as file:
                file.write(data)
                file.flush()
                names._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _no_room(error) from error
    return names
