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

"""Image messages to arrays and back: any usual encoding, row padding and byte order."""

from collections.abc import Callable
import logging
import sys
from types import SimpleNamespace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.image.image import convert_color, ENCODINGMAP, ImageError, to_cvtype

from mde_ros.datasets.compressed_depth import decode_compressed_depth
from mde_ros.datasets.cv_bridge_check import trusted_cv_bridge
from mde_ros.datasets.jpeg_header import jpeg_size
from mde_ros.errors import MdeError

# Encodings without a colour order of their own, read as cv_bridge reads them.
GENERIC_ENCODINGS = {'8UC1': 'mono8', '8UC3': 'bgr8', '8UC4': 'bgra8', '16UC3': 'bgr16'}
# Chroma planes below the picture: 1.5 times as many rows as the message says.
PLANAR_ENCODINGS = ('nv12', 'nv21')
DEPTH_ENCODINGS = ('32FC1', '16UC1', 'mono16')
MILLIMETRE = np.float32(.001)
_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
            8: cv2.IMREAD_REDUCED_COLOR_8}

_log = logging.getLogger(__name__)


class CodecError(MdeError):
    """A message that holds no usable picture; says what it has and what was expected."""


class ImageFields(NamedTuple):
    """
    The fields of a sensor_msgs/Image, without its header.

    ``data`` is one dimensional uint8, of step x height bytes; is_bigendian is always 0.
    """

    height: int
    width: int
    encoding: str
    step: int
    data: NDArray[np.uint8]


def is_compressed(message: Any) -> bool:
    """Return whether a message is a CompressedImage (else an Image)."""
    return hasattr(message, 'format')


def holds_depth(message: Any, topic: str = '') -> bool:
    """
    Return whether an Image or CompressedImage holds depth and not a picture.

    :param topic: decides for mono16, which is depth of old drivers and infrared of others.
    """
    if not is_compressed(message):
        encoding = str(message.encoding)
        return encoding in ('32FC1', '16UC1') or (encoding == 'mono16' and 'depth' in topic)
    layout = str(message.format)
    return ('compressedDepth' in layout or layout.split(';')[0].strip() in ('16UC1', '32FC1')
            or topic.endswith('/compressedDepth'))


def jpeg_size_of(message: Any) -> tuple[int, int] | None:
    """Return (width, height) of a JPEG that image_to_rgb can reduce, None for anything else."""
    return jpeg_size(memoryview(message.data)) if is_compressed(message) else None


def image_to_rgb(message: Any, reduction: int = 1) -> NDArray[np.uint8]:
    """
    Return the picture of an Image or CompressedImage of rclpy or rosbags.

    Reads rgb, bgr, rgba, bgra, mono and bayer of 8 and 16 bits (16 bits are scaled to 8), 8UC1,
    8UC3 and 8UC4 (as mono, BGR and BGRA), uyvy, yuyv, nv12, nv21; JPEG and PNG.

    :param reduction: 2, 4 or 8 has a JPEG of :func:`jpeg_size_of` decoded at that fraction of its
        sides, rounded up, which is faster; everything else comes in full size.
    :returns: H x W x 3 uint8, RGB, a copy.
    :raises CodecError: for what cannot be decoded.
    """
    if is_compressed(message):
        return _compressed_to_rgb(message, reduction)
    encoding = str(message.encoding)
    if encoding in ('32FC1', '16UC1'):
        raise CodecError(f'encoding {encoding} is depth, no picture: choose the colour topic')
    encoding = GENERIC_ENCODINGS.get(encoding, encoding)
    if encoding not in ENCODINGMAP:
        raise CodecError(f"'{encoding}' of a {message.width}x{message.height} image is no "
                         'encoding of pictures; publish rgb8, bgr8 or mono8')
    pixels = _pixels(message, encoding)
    try:
        image = _converter()(pixels, encoding)
    except (ImageError, cv2.error) as error:
        raise CodecError(
            f'cannot convert {message.width}x{message.height} {encoding} to RGB: '
            f'{_one_line(error)}') from error
    if image.dtype != np.uint8 or image.shape != (message.height, message.width, 3):
        raise CodecError(f"encoding '{message.encoding}' cannot be read as a colour picture; "
                         'publish rgb8, bgr8 or mono8')
    # The message may be reused or hold a read-only buffer: never hand out a view of it.
    return np.array(image) if np.may_share_memory(image, pixels) else np.ascontiguousarray(image)


def depth_to_metres(message: Any) -> NDArray[np.float32]:
    """
    Return the depth of an Image (32FC1 metres, 16UC1 or mono16 millimetres) or CompressedImage.

    CompressedImage may be compressedDepth (PNG or RVL) or a 16 bit PNG of millimetres. REP 118:
    NaN and +-Inf are no readings; so is 0, which many drivers send instead, and less than 0.

    :returns: H x W float32, metres, NaN where there is no reading, a copy.
    :raises CodecError: for what cannot be decoded.
    """
    if is_compressed(message):
        return _compressed_to_metres(message)
    encoding = str(message.encoding)
    if encoding not in DEPTH_ENCODINGS:
        raise CodecError(f"encoding '{encoding}' is no depth: expected 32FC1 in metres or 16UC1 "
                         'in millimetres')
    return _metres(_pixels(message, encoding))


def rgb_to_image_fields(image: NDArray[np.uint8]) -> ImageFields:
    """Return the fields of an rgb8 Image for H x W x 3 uint8."""
    height, width = image.shape[:2]
    return ImageFields(height, width, 'rgb8', width * 3, np.ascontiguousarray(image).reshape(-1))


def depth_to_image_fields(depth: NDArray[np.float32], encoding: str = '32FC1') -> ImageFields:
    """
    Return the fields of a depth Image.

    :param depth: H x W float32, metres, NaN where there is no reading.
    :param encoding: '32FC1' (metres) or '16UC1' (millimetres; no reading and what is beyond
        65.535 m become 0).
    """
    height, width = depth.shape
    if encoding == '32FC1':
        values: NDArray[Any] = np.ascontiguousarray(depth, np.dtype('<f4'))
    elif encoding == '16UC1':
        values = metres_to_millimetres(depth).astype('<u2', copy=False)
    else:
        raise CodecError(f"depth encoding '{encoding}': use 32FC1 or 16UC1")
    return ImageFields(height, width, encoding, width * values.itemsize,
                       values.reshape(-1).view(np.uint8))


def metres_to_millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return millimetres, 0 where there is no reading or it is beyond 65.535 m."""
    millimetres = np.rint(depth.astype(np.float64) * 1000)
    codable = (millimetres > 0) & (millimetres <= 65535)
    return np.where(codable, millimetres, 0).astype(np.uint16)


def _pixels(message: Any, encoding: str) -> NDArray[Any]:
    """Return H x W (x C) of the message in native byte order, without row padding."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    said = f'{width}x{height} {encoding}'
    try:
        _, _, kind, channels = to_cvtype(encoding)
    except ImageError as error:
        raise CodecError(f"unknown encoding '{encoding}' of a {width}x{height} image; publish "
                         'rgb8, bgr8, mono8, 32FC1 or 16UC1') from error
    if height < 1 or width < 1:
        raise CodecError(f'empty image: {said}')
    if encoding in PLANAR_ENCODINGS:
        height = height * 3 // 2
    dtype = np.dtype(kind)
    row = width * channels * dtype.itemsize
    if step < row:
        raise CodecError(f'step {step} of {said} is less than the {row} bytes of a row')
    data = np.frombuffer(message.data, np.uint8)
    # The last row of some drivers lacks the padding.
    needed = step * (height - 1) + row
    if data.size < needed:
        raise CodecError(f'{data.size} bytes of data in {said} with step {step}; '
                         f'expected {step * height}')
    rows = np.lib.stride_tricks.as_strided(data, (height, row), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows).view(dtype)
    if bool(message.is_bigendian) != (sys.byteorder == 'big'):
        pixels = pixels.byteswap()
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.asarray(pixels.reshape(shape))


def _convert_with_rosbags(pixels: NDArray[Any], encoding: str) -> NDArray[Any]:
    return np.asarray(convert_color(pixels, encoding, 'rgb8'))


def _converter() -> Callable[[NDArray[Any], str], NDArray[Any]]:
    """Return the colour conversion: of cv_bridge where it can be trusted, else of rosbags."""
    bridge = trusted_cv_bridge()
    if bridge is None:
        return _convert_with_rosbags

    def convert(pixels: NDArray[Any], encoding: str) -> NDArray[Any]:
        if encoding in PLANAR_ENCODINGS:
            return _convert_with_rosbags(pixels, encoding)
        message = SimpleNamespace(
            height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, is_bigendian=0,
            step=pixels.strides[0], data=pixels.tobytes())
        try:
            return np.asarray(bridge.imgmsg_to_cv2(message, 'rgb8'))
        except (TypeError, RuntimeError, ValueError, cv2.error) as error:
            _log.debug('cv_bridge: %s', error)
            return _convert_with_rosbags(pixels, encoding)

    return convert


def _metres(values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype == np.uint16:
        metres = values.astype(np.float32) * MILLIMETRE
    else:
        metres = np.array(values, np.float32)
    with np.errstate(invalid='ignore'):
        metres[~(np.isfinite(metres) & (metres > 0))] = np.nan
    return metres


def decode_picture(data: bytes, flags: int = cv2.IMREAD_COLOR,
                   layout: str = '') -> NDArray[Any]:
    """
    Return a decoded JPEG, PNG or other file, in OpenCV's order of channels.

    :param layout: what the message says of it, for the error.
    :raises CodecError: when it is corrupt, cut short or none of these.
    """
    if not data:
        raise CodecError('empty compressed image: 0 bytes of data')
    # OpenCV fills up a truncated JPEG with grey. Within a scan no end marker can occur.
    if data.startswith(b'\xff\xd8') and data.rfind(b'\xff\xd9') < data.rfind(b'\xff\xda'):
        raise CodecError(f'corrupt JPEG: cut short after {len(data)} bytes')
    try:
        decoded = cv2.imdecode(
            np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise CodecError(f'corrupt image of {len(data)} bytes: {_one_line(error)}') from error
    if decoded is None:
        raise CodecError(f"corrupt picture of {len(data)} bytes, format '{layout}'; expected JPEG "
                         'or PNG')
    return np.asarray(decoded)


def _compressed_to_rgb(message: Any, reduction: int) -> NDArray[np.uint8]:
    layout = str(message.format)
    if 'compressedDepth' in layout:
        raise CodecError(f"format '{layout}' is depth, no picture: choose the colour topic")
    data = bytes(message.data)
    flags = _REDUCED[reduction if jpeg_size(data) else 1]
    image = decode_picture(data, flags, layout)
    # image_transport: what is not 'compressed bgr8' was handed to the encoder as RGB.
    if 'compressed rgb' in layout.partition(';')[2]:
        return np.asarray(image, np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image), np.uint8)


def _compressed_to_metres(message: Any) -> NDArray[np.float32]:
    layout, data = str(message.format), bytes(message.data)
    if 'compressedDepth' in layout:
        return decode_compressed_depth(layout, data)
    if data.startswith(b'\xff\xd8'):
        raise CodecError(f"format '{layout}' is JPEG, which destroys depth: record the topic "
                         '.../compressedDepth')
    # Old bags leave out ' compressedDepth': the 12 bytes before the PNG give it away.
    if data[12:16] == b'\x89PNG':
        return decode_compressed_depth(layout, data)
    values = decode_picture(data, cv2.IMREAD_UNCHANGED, layout)
    if values.dtype != np.uint16 or values.ndim != 2:
        raise CodecError(f"format '{layout}' holds {values.dtype} {values.shape}; expected 16 bit "
                         'millimetres in one channel')
    return _metres(values)


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split())
