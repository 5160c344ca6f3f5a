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

"""Image messages of every usual encoding, against numbers worked out by hand."""

from array import array
from typing import Any

from bag_messages import compressed, file_of, image, picture
import cv2
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from mde_ros.datasets.compressed_depth import encode_compressed_depth
from mde_ros.datasets.image_codec import (
    CodecError, depth_to_image_fields, depth_to_metres, holds_depth, image_to_rgb, jpeg_size_of,
    metres_to_millimetres, rgb_to_image_fields)
from mde_ros.errors import MdeError

NAN = float('nan')
ONE_PIXEL = [
    ('rgb8', [1, 2, 3], np.uint8, (1, 2, 3)),
    ('bgr8', [1, 2, 3], np.uint8, (3, 2, 1)),
    ('8UC3', [1, 2, 3], np.uint8, (3, 2, 1)),
    ('rgba8', [1, 2, 3, 99], np.uint8, (1, 2, 3)),
    ('bgra8', [1, 2, 3, 99], np.uint8, (3, 2, 1)),
    ('8UC4', [1, 2, 3, 99], np.uint8, (3, 2, 1)),
    ('mono8', [7], np.uint8, (7, 7, 7)),
    ('8UC1', [7], np.uint8, (7, 7, 7)),
    # 16 bits are scaled by 255 / 65535 = 1 / 257
    ('mono16', [257 * 100], np.uint16, (100, 100, 100)),
    ('mono16', [65535], np.uint16, (255, 255, 255)),
    ('rgb16', [257, 514, 65535], np.uint16, (1, 2, 255)),
    ('bgr16', [257, 514, 65535], np.uint16, (255, 2, 1)),
]


@pytest.mark.parametrize(('encoding', 'pixel', 'dtype', 'rgb'), ONE_PIXEL)
@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('big_endian', [False, True])
def test_one_pixel(encoding: str, pixel: list[int], dtype: Any, rgb: tuple[int, ...],
                   padding: int, big_endian: bool) -> None:
    pixels = np.tile(np.array(pixel, dtype), (2, 3, 1))
    step = pixels[0].nbytes + padding * pixels.itemsize
    got = image_to_rgb(image(pixels, encoding, step=step, big_endian=big_endian))
    assert got.dtype == np.uint8 and got.shape == (2, 3, 3) and got.flags.c_contiguous
    np.testing.assert_array_equal(got, np.broadcast_to(rgb, (2, 3, 3)))


# BT.601, limited range: 235 is white, 16 black, chroma 128 no colour. U Y V Y and Y U Y V.
@pytest.mark.parametrize(('encoding', 'values'), [
    ('uyvy', [128, 235, 128, 16]), ('yuv422', [128, 235, 128, 16]),
    ('yuyv', [235, 128, 16, 128]), ('yuv422_yuy2', [235, 128, 16, 128])])
def test_luma_of_yuv_422(encoding: str, values: list[int]) -> None:
    pixels = np.tile(np.array(values, np.uint8).reshape(1, 2, 2), (2, 2, 1))
    got = image_to_rgb(image(pixels, encoding))
    np.testing.assert_array_equal(got, np.tile(np.array([[255], [0]], np.uint8), (2, 2, 3)))


@pytest.mark.parametrize(('encoding', 'chroma'), [('nv12', [90, 240]), ('nv21', [240, 90])])
def test_nv12_red(encoding: str, chroma: list[int]) -> None:
    # Y 81, U 90, V 240 is pure red in BT.601; the chroma rows lie below the picture.
    luma = np.full((4, 4), 81, np.uint8)
    pixels = np.vstack([luma, np.tile(np.array(chroma, np.uint8), (2, 2))])
    message = image(pixels, encoding, height=4)
    np.testing.assert_allclose(image_to_rgb(message), np.broadcast_to((254, 0, 0), (4, 4, 3)),
                               atol=2)


@pytest.mark.parametrize(('encoding', 'first'), [
    ('bayer_rggb8', 'rggb'), ('bayer_bggr8', 'bggr'), ('bayer_gbrg8', 'gbrg'),
    ('bayer_grbg8', 'grbg')])
def test_bayer_of_one_colour(encoding: str, first: str) -> None:
    level = {'r': 200, 'g': 100, 'b': 50}
    cell = np.array([level[c] for c in first], np.uint8).reshape(2, 2)
    got = image_to_rgb(image(np.tile(cell, (4, 4)), encoding))
    np.testing.assert_array_equal(got[2:-2, 2:-2], np.broadcast_to((200, 100, 50), (4, 4, 3)))


def test_rclpy_data_is_taken_and_never_shared() -> None:
    pixels = picture()
    message = image(pixels, 'rgb8')
    message.data = array('B', pixels.tobytes())
    got = image_to_rgb(message)
    got[:] = 0
    assert bytes(message.data) == pixels.tobytes()


def test_padding_may_lack_in_the_last_row() -> None:
    pixels = picture(4, 2)
    message = image(pixels, 'rgb8', step=16)
    message.data = message.data[:16 + 12]
    np.testing.assert_array_equal(image_to_rgb(message), pixels)


PIXELS = picture(4, 3)


@pytest.mark.parametrize(('fields', 'words'), [
    ({'encoding': 'rgb9'}, ['rgb9', '4x3', 'rgb8']),
    ({'encoding': '32FC3'}, ['32FC3', 'publish rgb8']),
    ({'encoding': '32FC1'}, ['32FC1', 'depth']),
    ({'encoding': '16UC1'}, ['16UC1', 'colour topic']),
    ({'encoding': ''}, ["''", 'publish rgb8']),
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
        image_to_rgb(message)
    for word in words:
        assert word in str(caught.value)
    assert '\n' not in str(caught.value)


@given(st.sampled_from(['rgb8', 'mono16', 'bayer_rggb8', 'yuyv', 'nv12', '32FC1', '16UC1', 'x']),
       st.integers(0, 9), st.integers(0, 9), st.integers(0, 40), st.binary(max_size=200),
       st.integers(0, 1))
@settings(deadline=None)
def test_any_fields_give_a_picture_or_one_line(encoding: str, height: int, width: int, step: int,
                                               data: bytes, big_endian: int) -> None:
    message = image(PIXELS, encoding, height=height, width=width, data=data,
                    is_bigendian=big_endian)
    message.step = step
    for decode in (image_to_rgb, depth_to_metres):
        try:
            assert decode(message).shape[:2] == (height, width)
        except CodecError as error:
            assert '\n' not in str(error)


@pytest.mark.parametrize(('suffix', 'layout'), [
    ('.jpg', 'rgb8; jpeg compressed bgr8'), ('.jpg', 'bgr8; jpeg compressed bgr8'),
    ('.jpg', 'jpeg'), ('.jpg', 'jpg'), ('.jpg', ''),
    ('.png', 'rgb8; png compressed bgr8'), ('.png', 'png')])
def test_compressed_pictures(suffix: str, layout: str) -> None:
    rgb = picture(32, 24)
    got = image_to_rgb(compressed(file_of(rgb, suffix), layout))
    np.testing.assert_allclose(got.astype(int), rgb, atol=0 if suffix == '.png' else 12)


def test_a_file_of_swapped_colours_is_told_by_its_format() -> None:
    rgb = picture()
    swapped = cv2.imencode('.png', rgb)[1].tobytes()
    got = image_to_rgb(compressed(swapped, 'rgb8; png compressed rgb8'))
    np.testing.assert_array_equal(got, rgb)


def test_grey_and_16_bit_files() -> None:
    grey = np.array([[10, 200]], np.uint8)
    png = cv2.imencode('.png', grey)[1].tobytes()
    assert image_to_rgb(compressed(png, 'mono8; png compressed ')).tolist() == [
        [[10] * 3, [200] * 3]]
    deep = cv2.imencode('.png', grey.astype(np.uint16) * 257)[1].tobytes()
    assert image_to_rgb(compressed(deep, 'mono16; png compressed bgr16')).tolist() == [
        [[10] * 3, [200] * 3]]


JPEG = file_of(picture(32, 24))


@pytest.mark.parametrize('size', [(64, 48), (50, 35), (3, 5)])
@pytest.mark.parametrize('by', [1, 2, 4, 8])
@pytest.mark.parametrize('layout', ['jpeg', 'rgb8; jpeg compressed bgr8'])
def test_a_reduced_jpeg(size: tuple[int, int], by: int, layout: str) -> None:
    message = compressed(file_of(picture(*size)), layout)
    assert jpeg_size_of(message) == size
    got = image_to_rgb(message, by)
    assert got.shape == (-(-size[1] // by), -(-size[0] // by), 3) and got.dtype == np.uint8
    # Pixel i is the mean of the pixels from by * i on; the last block may reach over the edge.
    full = np.pad(image_to_rgb(message), ((0, -size[1] % by), (0, -size[0] % by), (0, 0)), 'edge')
    means = full.reshape(got.shape[0], by, got.shape[1], by, 3).mean((1, 3))
    inside = slice(None, size[1] // by), slice(None, size[0] // by)
    np.testing.assert_allclose(got[inside], means[inside], atol=4)


def test_only_jpeg_is_reduced() -> None:
    rgb = picture(64, 48)
    for message in (compressed(file_of(rgb, '.png'), 'png'), image(rgb, 'rgb8')):
        assert jpeg_size_of(message) is None
        np.testing.assert_array_equal(image_to_rgb(message, 4), rgb)


@pytest.mark.parametrize(('data', 'layout', 'text'), [
    (b'', 'jpeg', '0 bytes'),
    (JPEG[:-60], 'jpeg', 'cut short'),
    (JPEG[:200], 'jpeg', 'JPEG'),
    (b'\xff\xd8\xff' + bytes(50), 'jpeg', 'JPEG'),
    (b'no picture', 'h264', "of 10 bytes, format 'h264'; expected JPEG"),
    (JPEG, '32FC1; compressedDepth png', 'is depth'),
])
def test_corrupt_files_are_named(data: bytes, layout: str, text: str) -> None:
    with pytest.raises(CodecError, match=text):
        image_to_rgb(compressed(data, layout))
    with pytest.raises(CodecError, match=text):
        image_to_rgb(compressed(data, layout), 4)


@given(st.integers(0, len(JPEG) - 1), st.integers(0, 7), st.booleans(),
       st.sampled_from([1, 2, 8]))
@settings(deadline=None)
def test_damaged_files_raise_only_this_error(at: int, bit: int, cut: bool, by: int) -> None:
    damaged = JPEG[:at] if cut else JPEG[:at] + bytes([JPEG[at] ^ 1 << bit]) + JPEG[at + 1:]
    try:
        assert image_to_rgb(compressed(damaged, 'jpeg'), by).shape[2] == 3
        assert not cut
    except CodecError as error:
        assert '\n' not in str(error)


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


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
@settings(deadline=None)
def test_rgb_fields_round_trip(pixels: np.ndarray) -> None:
    fields = rgb_to_image_fields(pixels[:, ::-1])
    assert fields.step == 3 * fields.width and fields.data.ndim == 1
    np.testing.assert_array_equal(
        image_to_rgb(image(PIXELS, **fields._asdict())), pixels[:, ::-1])


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


def test_infinite_depth_has_no_millimetres() -> None:
    depth = np.array([[np.inf, -np.inf, -1, NAN]], np.float32)
    assert metres_to_millimetres(depth).tolist() == [[0, 0, 0, 0]]
