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

"""MATLAB 5 files as far as lists of splits need them: numbers and cells of strings."""

from collections.abc import Iterator
from pathlib import Path
import struct
from typing import Any
import zlib

import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import DatasetError

HEADER = 128
MATRIX, COMPRESSED = 14, 15
# Types of data elements that hold numbers, as numpy names them.
NUMBERS = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8',
           13: 'u8'}
TEXTS = {16: 'utf-8', 17: 'utf-16-le', 18: 'utf-32-le', 1: 'latin-1', 2: 'latin-1',
         4: 'utf-16-le'}
CELL, CHAR, FIRST_NUMERIC, LAST_NUMERIC = 1, 4, 6, 15

Value = NDArray[Any] | list[Any] | str | None


def read_mat5(path: Path, what: str) -> dict[str, Value]:
    """
    Return the variables of a MATLAB 5 file (save -v6 or -v7), little endian.

    Numbers come as arrays in MATLAB's shape, char rows as str, cells as flat lists; anything
    else as None.

    :param what: what the file holds, for the message.
    :raises DatasetError: when it is missing, damaged or of another version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f'{path} is missing or unreadable: expected {what}') from error
    if len(data) < HEADER or data[126:128] != b'IM' or data[124:126] != b'\x00\x01':
        raise DatasetError(f'{path}: no MATLAB 5 file; expected {what}')
    variables: dict[str, Value] = {}
    try:
        for kind, body in _elements(memoryview(data)[HEADER:]):
            if kind == COMPRESSED:
                kind, body = next(_elements(memoryview(zlib.decompress(body))))
            if kind == MATRIX:
                name, value = _matrix(body)
                variables[name] = value
    except (struct.error, zlib.error, ValueError, StopIteration, KeyError) as error:
        raise DatasetError(f'{path}: damaged MATLAB file (half a download?); expected {what}'
                           ) from error
    return variables


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield (type, content) of the data elements that stand one after the other."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from('<II', data, at)
        if kind >> 16:  # a short element: both in four bytes, up to four bytes of content
            kind, size = kind & 0xffff, kind >> 16
            start, after = at + 4, at + 8
        else:
            start = at + 8
            after = start + size
            if kind != COMPRESSED:  # the others are padded to eight bytes
                after += -size % 8
        if start + size > len(data):
            raise ValueError('cut short')
        yield kind, data[start:start + size]
        at = after


def _matrix(body: memoryview) -> tuple[str, Value]:
    parts = _elements(body)
    first = next(parts, None)
    if first is None:
        return '', None  # an empty cell
    kind = first[1][0]
    shape = np.frombuffer(next(parts)[1], '<i4')
    name = bytes(next(parts)[1]).decode('latin-1')
    if kind == CELL:
        return name, [_matrix(content)[1] for _, content in parts]
    if kind == CHAR:
        element = next(parts, None)
        if element is None:
            return name, ''
        return name, bytes(element[1]).decode(TEXTS[element[0]])
    if FIRST_NUMERIC <= kind <= LAST_NUMERIC:
        stored, content = next(parts)
        numbers = np.frombuffer(content, '<' + NUMBERS[stored])
        return name, numbers.reshape(tuple(shape), order='F')
    return name, None
