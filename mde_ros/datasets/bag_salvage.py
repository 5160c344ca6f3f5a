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

"""Reading bags that were cut off or damaged, record by record, as far as they go."""

from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
import sqlite3
import struct
import sys
from typing import Any, BinaryIO, NamedTuple
import zlib

import lz4.frame  # type: ignore[import-untyped]

from mde_ros.datasets.frame import DatasetError

# Both come with rosbags, which reads its chunks with them.
if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b'\x89MCAP0\r\n'
# Records of MCAP that matter here; https://mcap.dev/spec
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0f


class Connection(NamedTuple):
    """What the readers of rosbags call a connection, as far as it is used here."""

    id: int
    topic: str
    msgtype: str
    msgcount: int


class _DamagedError(Exception):
    """Bytes that are no record."""


class SalvagedMcap:
    """
    An MCAP without its end, or with damaged records; has the interface of the library's reader.

    Messages come in the order of the file. A chunk whose checksum is wrong is left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage = ''
        self.connections: list[Connection] = []
        self._channels: dict[int, Connection] = {}
        self._schemas: dict[int, str] = {}

    def open(self) -> None:
        """
        Scan the file for topics and counts.

        :raises DatasetError: when it holds no message.
        """
        counts: dict[int, int] = {}
        try:
            for kind, body in self._records():
                if kind == SCHEMA:
                    self._add_schema(body)
                elif kind == CHANNEL:
                    self._add_channel(body)
                elif kind == MESSAGE:
                    key = struct.unpack_from('<H', body)[0]
                    counts[key] = counts.get(key, 0) + 1
        except OSError as error:
            raise DatasetError(f'{self.path}: {error}') from error
        if not any(key in self._channels for key in counts):
            raise DatasetError(f'{self.path}: no message in it can be read')
        self.connections = [channel._replace(msgcount=counts.get(key, 0))
                            for key, channel in self._channels.items()]

    def close(self) -> None:
        """Do nothing: files are open only while messages are read."""

    def messages(self, connections: Collection[Connection]) -> Iterator[tuple[Any, int, bytes]]:
        """Yield (connection, time of recording, bytes)."""
        wanted = {connection.id: connection for connection in connections}
        for kind, body in self._records():
            if kind == MESSAGE and len(body) >= 22:
                key, _, log_ns = struct.unpack_from('<HIQ', body)
                if key in wanted:
                    yield wanted[key], log_ns, body[22:]

    def _records(self) -> Iterator[tuple[int, bytes]]:
        """Yield (kind, body) of the file's records and those in its chunks."""
        size = self.path.stat().st_size
        with open(self.path, 'rb') as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise DatasetError(f'{self.path}: no MCAP file')
            for kind, body in self._walk(file, size):
                if kind != CHUNK:
                    yield kind, body
                    continue
                at = file.tell()
                try:
                    records = _decompressed(body)
                except _DamagedError as error:
                    self._note(f'{error} in the chunk that ends', at, size)
                    continue
                yield from self._walk(BytesIO(records), len(records), at)

    def _walk(self, stream: BinaryIO, size: int, at: int = 0) -> Iterator[tuple[int, bytes]]:
        while stream.tell() < size:
            start = stream.tell()
            head = stream.read(9)
            if len(head) < 9:
                self._note('ends within a record', at or start, size)
                return
            kind, length = struct.unpack('<BQ', head)
            if kind in (FOOTER, DATA_END):
                return
            if kind == 0 or 0x0f < kind < 0x80:
                self._note('no record', at or start, size)
                return
            left = size - stream.tell()
            if length > left:
                self._note('cut off', at or start, size)
                # What is there of a chunk may hold whole messages.
                if kind == CHUNK:
                    yield kind, stream.read(left)
                return
            yield kind, stream.read(length)
        if not at:
            self._note('ends without a footer', size, size)

    def _note(self, what: str, at: int, size: int) -> None:
        # The first damage is what matters; the count of messages shows the rest.
        self.damage = self.damage or (
            f'{self.path}: {what} at byte {at} of {self.path.stat().st_size}')

    def _add_schema(self, body: bytes) -> None:
        try:
            key, length = struct.unpack_from('<HI', body)
            self._schemas[key] = body[6:6 + length].decode()
        except (struct.error, UnicodeDecodeError):
            self.damage = self.damage or f'{self.path}: a damaged schema'

    def _add_channel(self, body: bytes) -> None:
        try:
            key, schema, length = struct.unpack_from('<HHI', body)
            topic = body[8:8 + length].decode()
        except (struct.error, UnicodeDecodeError):
            self.damage = self.damage or f'{self.path}: a damaged channel'
            return
        if schema in self._schemas:
            self._channels[key] = Connection(key, topic, self._schemas[schema], 0)


def _decompressed(body: bytes) -> bytes:
    """Return the records of a chunk, of one cut off as many as are there."""
    try:
        _, _, size, checksum, length = struct.unpack_from('<QQQII', body)
        compression = body[32:32 + length].decode()
        at = 32 + length
        (stored,) = struct.unpack_from('<Q', body, at)
    except (struct.error, UnicodeDecodeError) as error:
        raise _DamagedError('damaged head') from error
    data = body[at + 8:at + 8 + stored]
    try:
        if compression == 'zstd':
            data = zstd.ZstdDecompressor().decompress(data)
        elif compression == 'lz4':
            data = lz4.frame.LZ4FrameDecompressor().decompress(data)
        elif compression:
            raise _DamagedError(f"unknown compression '{compression}'")
    except (zstd.ZstdError, RuntimeError, EOFError) as error:
        raise _DamagedError(f'damaged {compression} data') from error
    if checksum and len(data) == size and zlib.crc32(data) != checksum:
        raise _DamagedError('wrong checksum')
    return data


class SalvagedSqlite:
    """A damaged sqlite3 bag, row by row up to the damage; the library's reader interface."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage = ''
        self.connections: list[Connection] = []
        self._database: sqlite3.Connection | None = None

    def open(self) -> None:
        """
        Read the topics and count the rows.

        :raises DatasetError: when it holds no message.
        """
        counts: dict[int, int] = {}
        try:
            self._database = sqlite3.connect(
                f'{self.path.resolve().as_uri()}?mode=ro&immutable=1', uri=True)
            # Else SQLite refuses a file with fewer pages than its head says. Nothing is written.
            self._database.execute('PRAGMA writable_schema=ON')
            topics = self._database.execute('SELECT id, name, type FROM topics').fetchall()
            for _, topic_id, _, _ in self._rows('NULL'):
                counts[topic_id] = counts.get(topic_id, 0) + 1
        except sqlite3.Error as error:
            self.close()
            raise DatasetError(f'{self.path}: {error}') from error
        if not counts:
            self.close()
            raise DatasetError(f'{self.path}: no message in it can be read')
        self.connections = [Connection(key, str(name), str(kind), counts.get(key, 0))
                            for key, name, kind in topics]

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def messages(self, connections: Collection[Connection]) -> Iterator[tuple[Any, int, bytes]]:
        """Yield (connection, time of recording, bytes)."""
        wanted = {connection.id: connection for connection in connections}
        for _, topic_id, log_ns, data in self._rows('data'):
            if topic_id in wanted and isinstance(data, bytes) and isinstance(log_ns, int):
                yield wanted[topic_id], log_ns, data

    def _rows(self, column: str) -> Iterator[tuple[int, int, int, Any]]:
        assert self._database is not None
        last = 0
        try:
            # In the order of rows: the index of times may lie in the lost part.
            for row in self._database.execute(
                    f'SELECT id, topic_id, timestamp, {column} FROM messages NOT INDEXED '
                    'ORDER BY id'):
                last = row[0]
                yield row
        except (sqlite3.Error, MemoryError, OverflowError) as error:
            self.damage = (f'{self.path}: {error or "damaged size of a message"} after message '
                           f'{last}')
