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

"""Camera, licence and source of a bag, kept in the custom data of rosbag2's metadata."""

from io import BytesIO
import logging
from pathlib import Path
import sqlite3
import struct
from typing import Any, BinaryIO

import yaml

PREFIX = 'mde_ros.'
MAGIC = b'\x89MCAP0\r\n'
METADATA, METADATA_INDEX = 0x0c, 0x0d  # records of MCAP; https://mcap.dev/spec

_log = logging.getLogger(__name__)


def read_notes(path: str | Path) -> dict[str, str]:
    """
    Return what :class:`BagWriter` noted in a bag, such as camera and licence.

    :param path: a rosbag2 folder, .mcap or .db3 file; a bag of others has no notes.
    """
    path = Path(path)
    try:
        if path.is_dir():
            metadata = yaml.safe_load((path / 'metadata.yaml').read_text(encoding='utf-8'))
            metadata = metadata['rosbag2_bagfile_information']
        elif path.suffix == '.mcap':
            metadata = yaml.safe_load(_mcap_metadata(path))
        elif path.suffix == '.db3':
            metadata = yaml.safe_load(_sqlite_metadata(path))
        else:
            return {}
        return {str(key).removeprefix(PREFIX): str(value)
                for key, value in (metadata.get('custom_data') or {}).items()
                if str(key).startswith(PREFIX)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error,
            sqlite3.Error, yaml.YAMLError) as error:
        # Notes are a courtesy: the bag's reader says what is wrong with a bag.
        _log.debug('%s: no notes: %s', path, error)
        return {}


def _sqlite_metadata(path: Path) -> str:
    database = sqlite3.connect(f'{path.resolve().as_uri()}?mode=ro&immutable=1', uri=True)
    try:
        row = database.execute('SELECT metadata FROM metadata ORDER BY id DESC').fetchone()
        return str(row[0])
    finally:
        database.close()


def _mcap_metadata(path: Path) -> str:
    with open(path, 'rb') as file:
        # Footer: opcode, length, start of the summary, two more fields, magic.
        file.seek(-37, 2)
        footer = file.read()
        if footer[-8:] != MAGIC:
            raise ValueError('cut off')
        (summary,) = struct.unpack_from('<Q', footer, 9)
        end = file.seek(-37, 2)
        file.seek(summary)
        while file.tell() < end:
            kind, length = struct.unpack('<BQ', file.read(9))
            if length > end - file.tell():
                raise ValueError('damaged summary')
            body = file.read(length)
            if kind == METADATA_INDEX:
                offset, size = struct.unpack_from('<QQ', body)
                file.seek(offset)
                return _strings(BytesIO(file.read(min(size, end))))
    raise ValueError('no metadata record')


def _strings(record: BinaryIO) -> str:
    kind, _ = struct.unpack('<BQ', record.read(9))
    if kind != METADATA or _string(record) != 'rosbag2':
        raise ValueError('no metadata of rosbag2')
    record.read(4)
    values: dict[str, Any] = {}
    while (key := _string(record)):
        values[key] = _string(record)
    return str(values['serialized_metadata'])


def _string(record: BinaryIO) -> str:
    head = record.read(4)
    return record.read(struct.unpack('<I', head)[0]).decode() if len(head) == 4 else ''
