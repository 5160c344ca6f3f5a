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

"""Files of one JSON object a line, of which a kill or a power cut costs the last line at most."""

import json
import logging
import os
from pathlib import Path
from typing import Any, BinaryIO

_log = logging.getLogger(__name__)


class JsonLines:
    """
    A file of one JSON object a line, appended to; a line cut short by a power cut is dropped.

    :param path: made, with its folder, when the first line is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def write(self, entry: dict[str, Any]) -> int:
        """Append a line, which a kill of this process leaves there; return its bytes."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            cut_torn_line(self._path)
            self._file = self._path.open('ab', buffering=0)
        line = json.dumps(entry).encode() + b'\n'
        written = self._file.write(line)
        if written != len(line):
            raise OSError(f'{self._path}: only {written} of {len(line)} bytes were written')
        return len(line)

    def sync(self) -> None:
        """Bring the lines to the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Bring the lines to the disk and close."""
        try:
            self.sync()
        finally:
            if self._file is not None:
                self._file.close()
            self._file = None


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of lines; [] where there is none, torn lines left out."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries


def cut_torn_line(path: Path) -> None:
    """Cut off what follows the last end of line of a file, if it exists."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    whole = content.rfind(b'\n') + 1
    if whole < len(content):
        _log.warning('%s: dropped an unfinished line', path)
        os.truncate(path, whole)
