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

"""The pixels of image messages as they were sent: row padding, byte order, files of pictures."""

import sys
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.image.image import ImageError, to_cvtype

from mde_ros.errors import MdeError

# Chroma planes below the picture: 1.5 times as many rows as the message says.
PLANAR_ENCODINGS = ('nv12', 'nv21')


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


def pixels_of(message: Any, encoding: str) -> NDArray[Any]:
    """
    Return H x W (x C) of an Image in native byte order, without row padding.

    :param encoding: to read it in, where that is not the message's own.
    :raises CodecError: when the fields do not fit each other or hold no pixels.
    """
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
        raise CodecError(f'corrupt image of {len(data)} bytes: {one_line(error)}') from error
    if decoded is None:
        raise CodecError(f"corrupt picture of {len(data)} bytes, format '{layout}'; expected JPEG "
                         'or PNG')
    return np.asarray(decoded)


def one_line(error: Exception) -> str:
    """Return the message of an error of several lines as one."""
    return ' '.join(str(error).split())
