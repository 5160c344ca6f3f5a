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

"""Pictures in image messages to arrays and back: any usual colour encoding, JPEG, PNG."""

from collections.abc import Callable
import logging
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.image.image import convert_color, ENCODINGMAP, ImageError

from mde_ros.datasets.cv_bridge_check import trusted_cv_bridge
from mde_ros.datasets.image_message import (
    CodecError, decode_picture, ImageFields, is_compressed, one_line, pixels_of, PLANAR_ENCODINGS)
from mde_ros.datasets.jpeg_header import jpeg_size

# Encodings without a colour order of their own, read as cv_bridge reads them.
GENERIC_ENCODINGS = {'8UC1': 'mono8', '8UC3': 'bgr8', '8UC4': 'bgra8', '16UC3': 'bgr16'}
_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
            8: cv2.IMREAD_REDUCED_COLOR_8}

_log = logging.getLogger(__name__)


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
    pixels = pixels_of(message, encoding)
    try:
        image = _converter()(pixels, encoding)
    except (ImageError, cv2.error) as error:
        raise CodecError(
            f'cannot convert {message.width}x{message.height} {encoding} to RGB: '
            f'{one_line(error)}') from error
    if image.dtype != np.uint8 or image.shape != (message.height, message.width, 3):
        raise CodecError(f"encoding '{message.encoding}' cannot be read as a colour picture; "
                         'publish rgb8, bgr8 or mono8')
    # The message may be reused or hold a read-only buffer: never hand out a view of it.
    return np.array(image) if np.may_share_memory(image, pixels) else np.ascontiguousarray(image)


def rgb_to_image_fields(image: NDArray[np.uint8]) -> ImageFields:
    """Return the fields of an rgb8 Image for H x W x 3 uint8."""
    height, width = image.shape[:2]
    return ImageFields(height, width, 'rgb8', width * 3, np.ascontiguousarray(image).reshape(-1))


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
