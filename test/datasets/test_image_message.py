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

"""Pixels of image messages: padding, byte order, sizes that do not fit, corrupt files."""

from typing import Any

from bag_messages import compressed, file_of, image, picture
import cv2
import numpy as np
import pytest

from mde_ros.datasets.image_message import (
    CodecError, decode_picture, is_compressed, one_line, pixels_of)

PIXELS = picture(4, 3)
JPEG = file_of(picture(32, 24))


def test_the_two_kinds_of_message_are_told_apart() -> None:
    assert is_compressed(compressed(JPEG, 'jpeg'))
    assert not is_compressed(image(PIXELS, 'rgb8'))


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('big_endian', [False, True])
def test_padding_and_byte_order(padding: int, big_endian: bool) -> None:
    for pixels, encoding in ((PIXELS, 'rgb8'), (PIXELS.astype(np.uint16) * 257, 'rgb16'),
                             (PIXELS[..., 0] / np.float32(7), '32FC1')):
        step = pixels[0].nbytes + padding
        got = pixels_of(image(pixels, encoding, step=step, big_endian=big_endian), encoding)
        assert got.dtype == pixels.dtype
        np.testing.assert_array_equal(got, pixels)


def test_padding_may_lack_in_the_last_row() -> None:
    pixels = picture(4, 2)
    message = image(pixels, 'rgb8', step=16)
    message.data = message.data[:16 + 12]
    np.testing.assert_array_equal(pixels_of(message, 'rgb8'), pixels)


def test_chroma_rows_lie_below_the_picture() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(6, 4)
    np.testing.assert_array_equal(pixels_of(image(pixels, 'nv12', height=4), 'nv12'), pixels)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(CodecError, match="'rgb9' of a 4x3 image; publish rgb8"):
        pixels_of(image(PIXELS, 'rgb8'), 'rgb9')


@pytest.mark.parametrize(('fields', 'words'), [
    ({'height': 0}, ['empty', '4x0 rgb8']),
    ({'width': 0}, ['empty', '0x3 rgb8']),
    ({'step': 11}, ['step 11', '4x3 rgb8', '12 bytes']),
    ({'step': 0}, ['step 0', '12 bytes']),
    ({'data': np.zeros(35, np.uint8)}, ['35 bytes', '4x3 rgb8', 'step 12', 'expected 36']),
    ({'data': np.zeros(0, np.uint8)}, ['0 bytes', 'expected 36']),
    ({'step': 2**31}, ['36 bytes', 'step 2147483648']),
])
def test_what_is_wrong_is_named(fields: dict[str, Any], words: list[str]) -> None:
    message = image(PIXELS, 'rgb8')
    for name, value in fields.items():
        setattr(message, name, value)
    with pytest.raises(CodecError) as caught:
        pixels_of(message, 'rgb8')
    for word in words:
        assert word in str(caught.value)
    assert '\n' not in str(caught.value)


def test_files_come_in_the_order_of_opencv() -> None:
    np.testing.assert_array_equal(decode_picture(file_of(PIXELS, '.png')), PIXELS[..., ::-1])
    deep = PIXELS[..., 0].astype(np.uint16) * 257
    png = cv2.imencode('.png', deep)[1].tobytes()
    np.testing.assert_array_equal(decode_picture(png, cv2.IMREAD_UNCHANGED), deep)


@pytest.mark.parametrize(('data', 'layout', 'text'), [
    (b'', 'jpeg', '0 bytes'),
    (JPEG[:-60], 'jpeg', 'cut short'),
    (JPEG[:200], 'jpeg', 'JPEG'),
    (b'\xff\xd8\xff' + bytes(50), 'jpeg', 'JPEG'),
    (b'no picture', 'h264', "of 10 bytes, format 'h264'; expected JPEG"),
])
def test_corrupt_files_are_named(data: bytes, layout: str, text: str) -> None:
    for flags in (cv2.IMREAD_COLOR, cv2.IMREAD_UNCHANGED, cv2.IMREAD_REDUCED_COLOR_4):
        with pytest.raises(CodecError, match=text):
            decode_picture(data, flags, layout)


def test_an_error_of_many_lines_becomes_one() -> None:
    assert one_line(ValueError('a\n  b\tc\n')) == 'a b c'
