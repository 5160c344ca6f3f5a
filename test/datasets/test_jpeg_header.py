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

"""Sizes of JPEG files, from bytes written by hand and from files of OpenCV."""

import cv2
from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.datasets.jpeg_header import jpeg_size

START = bytes.fromhex('ffd8')
JFIF = bytes.fromhex('ffe00010') + b'JFIF\0' + bytes.fromhex('010100000100010000')
TABLES = bytes.fromhex('ffc40004abcd')  # Huffman tables, shortened: a marker of the same range
# 8 bits, 1080 = 0x0438 rows, 1920 = 0x0780 columns, one component.
FRAME = bytes.fromhex('000b0804380780010111 00')
BASELINE = b'\xff\xc0' + FRAME
FULL_HD = START + JFIF + BASELINE


@pytest.mark.parametrize('data', [
    FULL_HD, START + BASELINE, START + TABLES + BASELINE,
    START + b'\xff\xff\xff' + BASELINE,                   # fill bytes
    START + b'\xff\x01\xff\xd0' + BASELINE,               # markers without a length
    START + b'\xff\xc1' + FRAME, START + b'\xff\xc2' + FRAME,
    # A thumbnail in the EXIF data is not the picture.
    START + b'\xff\xe1\x00\x0f' + START + b'\xff\xc0' + bytes.fromhex('000b0800100010') + bytes(2)
    + BASELINE])
def test_by_hand(data: bytes) -> None:
    assert jpeg_size(data) == (1920, 1080)
    assert jpeg_size(memoryview(data)) == (1920, 1080)


@pytest.mark.parametrize('data', [
    b'', START, b'\x89PNG\r\n\x1a\n' + FULL_HD, FULL_HD[2:], START + bytes(20) + BASELINE,
    START + b'\xff\xc3' + FRAME,                          # lossless: cannot be reduced
    START + b'\xff\xc9' + FRAME,                          # arithmetic coding
    START + b'\xff\xda\x00\x02' + BASELINE,               # a scan before any frame
    START + b'\xff\xd9' + BASELINE,                       # the end before any frame
    START + b'\xff\xc0' + bytes.fromhex('000b0800000780'),  # no rows
    START + b'\xff\xe0\xff\xff' + BASELINE])              # a length beyond the file
def test_what_has_no_size(data: bytes) -> None:
    assert jpeg_size(data) is None


def test_every_beginning_that_is_too_short() -> None:
    end = FULL_HD.index(BASELINE) + 9
    assert all(jpeg_size(FULL_HD[:length]) is None for length in range(end))
    assert jpeg_size(FULL_HD[:end]) == (1920, 1080)


@pytest.mark.parametrize('options', [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
                                     [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]])
@pytest.mark.parametrize('shape', [(33, 17, 3), (5, 70)])
def test_files_of_opencv(shape: tuple[int, ...], options: list[int]) -> None:
    data = cv2.imencode('.jpg', np.zeros(shape, np.uint8), options)[1].tobytes()
    assert jpeg_size(data) == (shape[1], shape[0])


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    size = jpeg_size(START + data)
    assert size is None or min(size) > 0
