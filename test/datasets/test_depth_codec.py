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

"""Depth messages of every usual encoding, against numbers worked out by hand."""

from typing import Any

from bag_messages import compressed, file_of, image, picture
import cv2
from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from mde_ros.datasets.compressed_depth import encode_compressed_depth
from mde_ros.datasets.depth_codec import depth_to_image_fields, depth_to_metres, holds_depth
from mde_ros.datasets.image_message import CodecError
from mde_ros.errors import MdeError

NAN = float('nan')
PIXELS = picture(4, 3)
JPEG = file_of(picture(32, 24))


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('padding', [0, 8])
def test_depth_in_metres(big_endian: bool, padding: int) -> None:
    pixels = np.array([[1.25, NAN, np.inf], [-np.inf, 0., -2.]], np.float32)
    got = depth_to_metres(image(pixels, '32FC1', step=12 + padding, big_endian=big_endian))
    np.testing.assert_array_equal(got, np.array([[1.25, NAN, NAN]] + [[NAN] * 3], np.float32))
    got[:] = 0  # a copy, and writable


@pytest.mark.parametrize('encoding', ['16UC1', 'mono16'])
@pytest.mark.parametrize('big_endian', [False, True])
def test_depth_in_millimetres(encoding: str, big_endian: bool) -> None:
    pixels = np.array([[1250, 0, 65535]], np.uint16)
    got = depth_to_metres(image(pixels, encoding, big_endian=big_endian))
    np.testing.assert_allclose(got, [[1.25, NAN, 65.535]], rtol=1e-6)


def test_compressed_depth() -> None:
    depth = np.array([[1., NAN], [2., 3.]], np.float32)
    for encoding in ('32FC1', '16UC1'):
        for codec in ('png', 'rvl'):
            layout, data = encode_compressed_depth(depth, encoding, codec=codec)
            np.testing.assert_allclose(depth_to_metres(compressed(data, layout)), depth, atol=1e-3)


def test_a_plain_png_of_millimetres_is_depth_too() -> None:
    png = cv2.imencode('.png', np.array([[1500, 0]], np.uint16))[1].tobytes()
    got = depth_to_metres(compressed(png, '16UC1; png compressed '))
    np.testing.assert_allclose(got, [[1.5, NAN]], rtol=1e-6)


@pytest.mark.parametrize(('message', 'text'), [
    (image(PIXELS, 'rgb8'), "encoding 'rgb8' is no depth"),
    (compressed(JPEG, '16UC1; jpeg compressed '), 'JPEG, which destroys depth'),
    (compressed(file_of(PIXELS, '.png'), 'png'), '16 bit'),
    (compressed(b'', 'png'), '0 bytes'),
    (compressed(bytes(50), '32FC1; compressedDepth png'), 'corrupt PNG'),
])
def test_what_is_no_depth_is_named(message: Any, text: str) -> None:
    with pytest.raises(MdeError, match=text):
        depth_to_metres(message)


@pytest.mark.parametrize(('message', 'topic', 'depth'), [
    (image(np.zeros((2, 2), np.float32), '32FC1'), '/x', True),
    (image(np.zeros((2, 2), np.uint16), '16UC1'), '/x', True),
    (image(np.zeros((2, 2), np.uint16), 'mono16'), '/ir/image_raw', False),
    (image(np.zeros((2, 2), np.uint16), 'mono16'), '/depth/image_raw', True),
    (image(PIXELS, 'rgb8'), '/depth/color', False),
    (compressed(JPEG, 'jpeg'), '/x/compressed', False),
    (compressed(JPEG, '16UC1; png compressed '), '/x/compressed', True),
    (compressed(JPEG, '32FC1; compressedDepth rvl'), '/x', True),
])
def test_depth_and_pictures_are_told_apart(message: Any, topic: str, depth: bool) -> None:
    assert holds_depth(message, topic) is depth


@given(st.sampled_from(['mono16', '32FC1', '16UC1', 'rgb8', 'x']), st.integers(0, 9),
       st.integers(0, 9), st.integers(0, 40), st.binary(max_size=200), st.integers(0, 1))
@settings(deadline=None)
def test_any_fields_give_depth_or_one_line(encoding: str, height: int, width: int, step: int,
                                           data: bytes, big_endian: int) -> None:
    message = image(PIXELS, encoding, height=height, width=width, data=data,
                    is_bigendian=big_endian)
    message.step = step
    try:
        assert depth_to_metres(message).shape == (height, width)
    except CodecError as error:
        assert '\n' not in str(error)


def test_depth_fields_round_trip() -> None:
    depth = np.array([[1.2345, NAN, 65.535], [.0004, 70., 2.]], np.float32)
    fields = depth_to_image_fields(depth)
    assert fields[:4] == (2, 3, '32FC1', 12)
    np.testing.assert_array_equal(depth_to_metres(image(PIXELS, **fields._asdict())), depth)
    fields = depth_to_image_fields(depth, '16UC1')
    assert fields[:4] == (2, 3, '16UC1', 6)
    # 1.2345 m is just above 1234.5 mm in float32; less than half a millimetre is no reading.
    assert fields.data.view('<u2').tolist() == [1235, 0, 65535, 0, 0, 2000]
    with pytest.raises(CodecError, match='32FC1 or 16UC1'):
        depth_to_image_fields(depth, 'mono8')
