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

"""Bags of any storage as one stream of messages, as far as a damaged one can be read."""

from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache
import logging
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from rosbags.rosbag1 import Reader as Reader1
from rosbags.rosbag2 import Reader as Reader2
from rosbags.typesys import get_typestore, Stores
from rosbags.typesys.store import Typestore

from mde_ros.datasets.bag_salvage import SalvagedMcap, SalvagedSqlite
from mde_ros.datasets.frame import DatasetError

BAG_SUFFIXES = ('.mcap', '.db3', '.bag')
SALVAGERS = {'.mcap': SalvagedMcap, '.db3': SalvagedSqlite}

_log = logging.getLogger(__name__)


class Record(NamedTuple):
    """A message as it lies in the bag; ``log_ns`` is the time it was recorded."""

    topic: str
    log_ns: int
    raw: bytes


def is_bag(path: Path) -> bool:
    """Return whether a path looks like a bag: a bag file, or a folder with one."""
    if path.is_dir():
        return (path / 'metadata.yaml').exists() or bool(_storage_files(path))
    return path.suffix in BAG_SUFFIXES


class BagFile:
    """
    An open bag: MCAP or sqlite3, a file or the folder of ``ros2 bag record``; or a ROS 1 bag.

    The library's readers are used where they can be. A bag that was cut off (power loss, full
    disk) is read record by record up to the damage, which ``damage`` then describes.

    :raises DatasetError: when it is no bag or nothing of it can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damage: list[str] = []
        self._readers: list[Any] = []
        if not self.path.exists():
            raise DatasetError(f'{self.path}: no such file or folder')
        if not is_bag(self.path):
            raise DatasetError(f'{self.path}: no bag; expected a file .mcap, .db3 or .bag, or a '
                               'rosbag2 folder')
        self._ros1 = self.path.suffix == '.bag'
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self.types: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        for reader in self._readers:
            # A damaged index may claim any number; no message takes less than this.
            most = _size(Path(reader.path)) // 16
            for connection in reader.connections:
                topic = str(connection.topic)
                self.types[topic] = str(connection.msgtype)
                self.counts[topic] = self.counts.get(topic, 0) + min(connection.msgcount, most)

    def __enter__(self) -> 'BagFile':
        """Return the open bag."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close all files."""
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    def records(self, topics: Collection[str]) -> Iterator[Record]:
        """Yield the messages of these topics in the order of recording, as far as readable."""
        for reader in self._readers:
            yielded: Counter[str] = Counter()
            try:
                for record in _records(reader, topics):
                    yielded[record.topic] += 1
                    yield record
            except Exception as error:  # noqa: BLE001 - see _describe
                self._damaged(f'{reader.path}: {_describe(error)}')
                yield from self._rest(reader, topics, yielded)
            self._damaged(getattr(reader, 'damage', ''))

    def _rest(self, reader: Any, topics: Collection[str],
              yielded: Counter[str]) -> Iterator[Record]:
        """Yield what can be read of a file beyond the damage that stopped the library."""
        path = Path(reader.path)
        try:
            salvager = _opened(SALVAGERS[path.suffix](path))
        except (KeyError, DatasetError):
            self._damaged(f'{path}: the messages after the damage are lost')
            return
        try:
            for record in _records(salvager, topics):
                if yielded[record.topic] > 0:
                    yielded[record.topic] -= 1
                else:
                    yield record
            self._damaged(salvager.damage)
        finally:
            salvager.close()

    def first(self, topic: str) -> Any:
        """Return the first readable message of a topic, None when there is none."""
        for record in self.records([topic]):
            try:
                return self.message(record)
            except DatasetError:
                continue
        return None

    def message(self, record: Record) -> Any:
        """
        Return the message of a record.

        The types are those of this program and not those in the bag: the few it needs are the
        same in all distributions, and a bag with a broken definition of another type stays
        readable.

        :raises DatasetError: when its bytes are no message of its type.
        """
        store = _typestore(self._ros1)
        kind = self.types[record.topic]
        try:
            if self._ros1:
                return store.deserialize_ros1(record.raw, kind)
            return store.deserialize_cdr(record.raw, kind)
        except Exception as error:
            raise DatasetError(f'{self.path}: a message on {record.topic} of {len(record.raw)} '
                               f'bytes is no {kind}: {_describe(error)}') from error

    def _damaged(self, text: str) -> None:
        if text and text not in self.damage:
            self.damage.append(text)
            _log.warning('%s', text)

    def _open(self) -> None:
        try:
            reader = _opened(Reader1(self.path) if self._ros1 else Reader2(self.path))
            self._readers = [reader] if self._ros1 else _storages(reader)
            return
        except Exception as error:  # noqa: BLE001 - see _describe
            reason = _describe(error)
        files = _storage_files(self.path) if self.path.is_dir() else [self.path]
        unread = []
        for file in [] if self._ros1 else files:
            try:
                self._readers += _storages(_opened(Reader2(file)))
            except Exception as error:  # noqa: BLE001 - see _describe
                try:
                    self._readers.append(_opened(SALVAGERS[file.suffix](file)))
                except DatasetError:
                    unread.append(f'{file.name}: {_describe(error)}')
                else:
                    _log.warning('%s: not closed properly (%s); reading what is there', file,
                                 _describe(error))
        if not self._readers:
            raise DatasetError(f'{self.path}: not readable as a bag: '
                               f'{"; ".join(unread) or reason}')
        for text in unread:
            self._damaged(f'{self.path}: left out {text}')
        if self.path.is_dir() and not unread:
            _log.info('%s: read file by file, without metadata.yaml (%s)', self.path, reason)


def _opened(reader: Any) -> Any:
    reader.open()
    return reader


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _storages(reader: Reader2) -> list[Any]:
    """Return the reader of each file, so that damage to one does not end the others."""
    storage: Any = reader.storage
    if not storage.path.is_dir():
        return [storage]
    # With compression it is the reader of the folder that undoes it.
    return [reader] if reader.compression_mode else list(storage.storages)


def _records(reader: Any, topics: Collection[str]) -> Iterator[Record]:
    wanted = [connection for connection in reader.connections if connection.topic in topics]
    if wanted:
        for connection, log_ns, raw in reader.messages(wanted):
            # Damaged rows of SQLite may have values of any type.
            yield Record(connection.topic, log_ns if isinstance(log_ns, int) else 0,
                         raw if isinstance(raw, bytes) else b'')


def _storage_files(folder: Path) -> list[Path]:
    files = [file for file in folder.iterdir() if file.suffix in SALVAGERS]
    # NAME_2 comes before NAME_10.
    return sorted(files, key=lambda file: (len(file.name), file.name))


def _describe(error: Exception) -> str:
    """Return one line. The library's parsers raise anything on damaged bytes, even TypeError."""
    text = ' '.join(str(error).split())
    return text if type(error).__name__.endswith('ReaderError') and text else (
        f'damaged ({type(error).__name__}: {text})')


@lru_cache(maxsize=2)
def _typestore(ros1: bool) -> Typestore:
    return get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)
