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

"""ScanNet's .sens files, version 4: one scene's colour, depth and poses in one stream."""

from collections.abc import Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import struct
from typing import Any
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.name_list import NameList
from mde_ros.datasets.rgbd_folder_files import decode

VERSION = 4
JPEG, PNG = 2, 1
ZLIB_USHORT, RAW_USHORT = 1, 0
# Pose (16 floats), colour and depth stamps (microseconds), sizes of colour and depth.
FRAME = struct.Struct('<64xQQQQ')
SIZES = struct.Struct('<iiIIIIfQ')


@dataclass(frozen=True)
class SensHeader:
    """
    What a .sens file says of its camera.

    :param colour: (matrix 4 x 4, extrinsic 4 x 4, width, height).
    :param depth: the same of the depth camera.
    :param per_metre: stored units in a metre.
    """

    colour: tuple[NDArray[np.float32], NDArray[np.float32], int, int]
    depth: tuple[NDArray[np.float32], NDArray[np.float32], int, int]
    per_metre: float


class SensFile:
    """
    Frames of a .sens file by number.

    Opening runs over the frames' headers once, without reading pictures.

    :raises DatasetError: when it is no .sens file of version 4 or of an unknown compression.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open('rb') as file:
                self.header, count, self._compression = self._read_header(file)
                # Place, size of colour, size of depth.
                self._index = NameList(self._read_index(file, count))
        except (OSError, ValueError, struct.error) as error:
            raise DatasetError(f'{path}: not a readable .sens file: {error}') from error
        self.official = count

    def __len__(self) -> int:
        """Return the number of whole frames."""
        return len(self._index)

    def _read_header(self, file: Any) -> tuple[SensHeader, int, tuple[int, int]]:
        version, length = struct.unpack('<IQ', file.read(12))
        if version != VERSION or length > 1000:
            raise DatasetError(f'{self.path}: no .sens file of version {VERSION}')
        file.seek(length, os.SEEK_CUR)
        matrices = np.frombuffer(file.read(256), '<f4').reshape(4, 4, 4)
        colour, depth, cw, ch, dw, dh, per_metre, count = SIZES.unpack(file.read(SIZES.size))
        if colour not in (JPEG, PNG) or depth not in (ZLIB_USHORT, RAW_USHORT):
            raise DatasetError(f'{self.path}: compression {colour} of colour, {depth} of depth: '
                               'expected JPEG or PNG, and zlib or raw')
        return SensHeader((matrices[0], matrices[1], cw, ch), (matrices[2], matrices[3], dw, dh),
                          per_metre), count, (colour, depth)

    def _read_index(self, file: Any, count: int) -> Iterator[str]:
        size = os.fstat(file.fileno()).st_size
        at = file.tell()
        for _ in range(count):
            file.seek(at)
            header = file.read(FRAME.size)
            if len(header) < FRAME.size:
                break
            _, _, colour, depth = FRAME.unpack(header)
            if at + FRAME.size + colour + depth > size:
                break
            yield f'{at} {colour} {depth}'
            at += FRAME.size + colour + depth

    def read(self, number: int, read_depth: bool = True
             ) -> tuple[int, NDArray[Any], NDArray[np.uint16] | None]:
        """
        Return stamp (ns), colour (BGR) and stored depth of one frame.

        :raises FrameError: when the frame is damaged.
        """
        at, colour_size, depth_size = map(int, self._index[number].split())
        where = f'{self.path}, frame {number}'
        with self.path.open('rb') as file:
            file.seek(at)
            stamp = FRAME.unpack(file.read(FRAME.size))[0]
            colour = decode(file.read(colour_size),
                            cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            data = file.read(depth_size) if read_depth else b''
        if colour is None:
            raise FrameError('corrupt image', where)
        if not read_depth:
            return stamp * 1000, colour, None
        width, height = self.header.depth[2:]
        try:
            if self._compression[1] == ZLIB_USHORT:
                data = zlib.decompress(data)
            depth = np.frombuffer(data, '<u2').reshape(height, width)
        except (zlib.error, ValueError) as error:
            raise FrameError('corrupt depth', where) from error
        return stamp * 1000, colour, depth
