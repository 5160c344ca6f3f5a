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

"""Depth in image messages to metres and back: 32FC1, 16UC1, compressedDepth, PNG."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.compressed_depth import decode_compressed_depth
from mde_ros.datasets.image_encoding import metres_to_millimetres
from mde_ros.datasets.image_message import (
    CodecError, decode_picture, ImageFields, is_compressed, pixels_of)

DEPTH_ENCODINGS = ('32FC1', '16UC1', 'mono16')
MILLIMETRE = np.float32(.001)


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
    return _metres(pixels_of(message, encoding))


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


def _metres(values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype == np.uint16:
        metres = values.astype(np.float32) * MILLIMETRE
    else:
        metres = np.array(values, np.float32)
    with np.errstate(invalid='ignore'):
        metres[~(np.isfinite(metres) & (metres > 0))] = np.nan
    return metres
