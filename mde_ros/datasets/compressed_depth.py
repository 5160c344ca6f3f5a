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

"""The compressedDepth format of image_transport: inverse depth in 16 bits, as PNG or RVL."""

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.rvl import decode_rvl, encode_rvl, RvlError
from mde_ros.errors import MdeError

# Before the picture: int32 format (0 = inverse depth), float32 A, float32 B. The C++ struct is
# copied as it lies in memory, which is little endian wherever ROS runs.
HEADER = struct.Struct('<iff')
RVL_SIZE = struct.Struct('<II')  # columns, rows
LARGEST_CODE = 65535


class CompressedDepthError(MdeError):
    """A compressedDepth message that cannot be decoded, or depth that cannot be encoded."""


def encode_compressed_depth(
        depth: NDArray[np.float32], encoding: str = '32FC1', *, codec: str = 'png',
        depth_max: float = 100., depth_quantization: float = 100.,
        png_level: int = 1) -> tuple[str, bytes]:
    """
    Return the format string and the data of a CompressedImage.

    32FC1 is coded as q = A / depth + B with A = z (z + 1), B = 1 - A / depth_max and z =
    ``depth_quantization``: fine when near, coarse when far (the error of a depth d is at most
    d^2 / A, about 1 cm at 10 m). 16UC1 keeps millimetres.

    :param depth: H x W float32, metres, NaN where there is no reading.
    :param encoding: '32FC1' or '16UC1', what the receiver gets.
    :param codec: 'png' or 'rvl'.
    :param depth_max: metres; depth from there on (16UC1: beyond) is dropped, as image_transport
        does. Its default there is 10 m; a larger one costs no precision. Depth too near for a
        code (about 0.15 m) takes the nearest codable depth instead of wrapping around.
    :param png_level: 0 to 9.
    :raises CompressedDepthError: for parameters out of range.
    """
    if depth.ndim != 2 or not depth.size:
        raise CompressedDepthError(f'depth has shape {depth.shape}; expected height x width')
    if codec not in ('png', 'rvl'):
        raise CompressedDepthError(f"codec '{codec}' of compressedDepth: use png or rvl")
    if not (depth_max > 0 and depth_quantization > 0):
        raise CompressedDepthError('depth_max and depth_quantization must be positive')
    a = b = 0.
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        if encoding == '32FC1':
            # float32 throughout, as the reference does, so that codes come out equal.
            z = np.float32(depth_quantization)
            scale = z * (z + np.float32(1))
            offset = np.float32(1) - scale / np.float32(depth_max)
            codes = np.minimum(scale / depth.astype(np.float32) + offset, LARGEST_CODE)
            codable = (depth > 0) & (depth < np.float32(depth_max))
            a, b = float(scale), float(offset)
        elif encoding == '16UC1':
            codes = np.rint(depth.astype(np.float64) * 1000)
            codable = (codes > 0) & (codes <= min(int(depth_max * 1000), LARGEST_CODE))
        else:
            raise CompressedDepthError(f"depth encoding '{encoding}': use 32FC1 or 16UC1")
        values = np.where(codable, codes, 0).astype(np.uint16)
    if codec == 'rvl':
        body = RVL_SIZE.pack(depth.shape[1], depth.shape[0]) + encode_rvl(values)
    else:
        done, encoded = cv2.imencode('.png', values, [cv2.IMWRITE_PNG_COMPRESSION, png_level])
        if not done:
            raise CompressedDepthError(f'OpenCV could not encode depth {depth.shape} as PNG')
        body = encoded.tobytes()
    return f'{encoding}; compressedDepth {codec}', HEADER.pack(0, a, b) + body


def decode_compressed_depth(layout: str, data: bytes) -> NDArray[np.float32]:
    """
    Return the depth of a compressedDepth message.

    :param layout: the format string, as '32FC1; compressedDepth png'; old bags have
        '16UC1; compressedDepth' for PNG.
    :param data: 12 bytes of header and a PNG or RVL picture.
    :returns: H x W float32, metres, NaN where there is no reading.
    :raises CompressedDepthError: naming what is wrong with the message.
    """
    encoding, _, rest = layout.partition(';')
    encoding, rest = encoding.strip(), rest.strip()
    if encoding not in ('32FC1', '16UC1', 'mono16'):
        raise CompressedDepthError(
            f"compressedDepth of encoding '{encoding}' (format '{layout}'); expected 32FC1 or "
            '16UC1')
    if len(data) <= HEADER.size:
        raise CompressedDepthError(
            f'compressedDepth message of {len(data)} bytes; expected a header of {HEADER.size} '
            'and a picture')
    _, a, b = HEADER.unpack_from(data)
    body = data[HEADER.size:]
    if rest.endswith('rvl'):
        values = _decode_rvl(body)
    elif rest in ('', 'compressedDepth', 'compressedDepth png'):
        values = _decode_png(body)
    else:
        raise CompressedDepthError(f"compressedDepth format '{layout}'; expected png or rvl")
    valid = values > 0
    if encoding != '32FC1':
        depth = values.astype(np.float32) * np.float32(.001)
    else:
        with np.errstate(all='ignore'):
            depth = np.float32(a) / (values.astype(np.float32) - np.float32(b))
        valid &= np.isfinite(depth) & (depth > 0)
    depth[~valid] = np.nan
    return depth


def _decode_png(body: bytes) -> NDArray[np.uint16]:
    values: NDArray[Any] | None
    try:
        values = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    if values is None:
        raise CompressedDepthError(
            f'corrupt PNG of {len(body)} bytes in a compressedDepth message')
    if values.dtype != np.uint16 or values.ndim != 2:
        raise CompressedDepthError(
            f'compressedDepth holds a PNG of {values.dtype} {values.shape}; expected one channel '
            'of 16 bits')
    return np.asarray(values)


def _decode_rvl(body: bytes) -> NDArray[np.uint16]:
    if len(body) < RVL_SIZE.size:
        raise CompressedDepthError('corrupt RVL picture in a compressedDepth message: no size')
    columns, rows = RVL_SIZE.unpack_from(body)
    # Only a run of zeros takes less than a nibble a pixel, so size alone proves nothing; this
    # much is more than any camera has, and little enough to hold.
    if not (columns and rows) or columns * rows > 1 << 26:
        raise CompressedDepthError(f'corrupt RVL picture in a compressedDepth message: it claims '
                                   f'{columns}x{rows} pixels')
    try:
        return decode_rvl(body[RVL_SIZE.size:], columns * rows).reshape(rows, columns)
    except RvlError as error:
        raise CompressedDepthError(
            f'corrupt RVL picture in a compressedDepth message: {error}') from error
