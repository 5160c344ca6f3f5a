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

"""Pictures of every usual encoding, against numbers worked out by hand."""

from array import array
from typing import Any

from bag_messages import compressed, file_of, image, picture
import cv2
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from mde_ros.datasets.image_codec import image_to_rgb, jpeg_size_of, rgb_to_image_fields
from mde_ros.datasets.image_message import CodecError

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


PIXELS = picture(4, 3)


@pytest.mark.parametrize(('encoding', 'words'), [
    ('rgb9', ['rgb9', '4x3', 'rgb8']),
    ('32FC3', ['32FC3', 'publish rgb8']),
    ('32FC1', ['32FC1', 'depth']),
    ('16UC1', ['16UC1', 'colour topic']),
    ('', ["''", 'publish rgb8']),
])
def test_an_encoding_that_is_no_picture_is_named(encoding: str, words: list[str]) -> None:
    message = image(PIXELS, 'rgb8')
    message.encoding = encoding
    with pytest.raises(CodecError) as caught:
        image_to_rgb(message)
    for word in words:
        assert word in str(caught.value)
    assert '\n' not in str(caught.value)


@given(st.sampled_from(['rgb8', 'mono16', 'bayer_rggb8', 'yuyv', 'nv12', '32FC1', 'x']),
       st.integers(0, 9), st.integers(0, 9), st.integers(0, 40), st.binary(max_size=200),
       st.integers(0, 1))
@settings(deadline=None)
def test_any_fields_give_a_picture_or_one_line(encoding: str, height: int, width: int, step: int,
                                               data: bytes, big_endian: int) -> None:
    message = image(PIXELS, encoding, height=height, width=width, data=data,
                    is_bigendian=big_endian)
    message.step = step
    try:
        assert image_to_rgb(message).shape[:2] == (height, width)
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


def test_compressed_depth_is_no_picture() -> None:
    with pytest.raises(CodecError, match='is depth'):
        image_to_rgb(compressed(JPEG, '32FC1; compressedDepth png'))


@pytest.mark.parametrize('by', [1, 4])
def test_a_corrupt_file_is_named_reduced_or_not(by: int) -> None:
    for data, words in ((b'', '0 bytes'), (JPEG[:-60], 'cut short')):
        with pytest.raises(CodecError, match=words):
            image_to_rgb(compressed(data, 'jpeg'), by)


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


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
@settings(deadline=None)
def test_rgb_fields_round_trip(pixels: np.ndarray) -> None:
    fields = rgb_to_image_fields(pixels[:, ::-1])
    assert fields.step == 3 * fields.width and fields.data.ndim == 1
    np.testing.assert_array_equal(
        image_to_rgb(image(PIXELS, **fields._asdict())), pixels[:, ::-1])
