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

"""The sRGB transfer curve: images to linear light and back."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Entries of the table from the square root of linear light to sRGB. The square root spends
# them as the eye does: sixteen for each step of an 8 bit image.
ENCODE_STEPS = 4096


def decode_curve(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return linear light in 0..1 for sRGB values in 0..1 (IEC 61966-2-1)."""
    return np.where(encoded <= .04045, encoded / 12.92, ((encoded + .055) / 1.055) ** 2.4)


def encode_curve(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sRGB values in 0..1 for linear light in 0..1."""
    return np.where(linear <= .0031308, linear * 12.92,
                    1.055 * np.maximum(linear, .0031308) ** (1 / 2.4) - .055)


DECODE_TABLE: NDArray[np.float32] = decode_curve(np.arange(256) / 255).astype(np.float32)
# sRGB in 0..1 for the square roots of linear light that the index stands for.
ENCODE_TABLE: NDArray[np.float64] = encode_curve(
    (np.arange(ENCODE_STEPS) / (ENCODE_STEPS - 1)) ** 2)
_ENCODE_BYTES: NDArray[np.uint8] = np.rint(ENCODE_TABLE * 255).astype(np.uint8)


def to_linear(image: NDArray[np.uint8],
              gains: tuple[float, float, float] = (1, 1, 1)) -> NDArray[np.float32]:
    """
    Return an image in linear light.

    :param image: H x W x 3 uint8.
    :param gains: factor of each channel, applied in linear light.
    :returns: H x W x 3 float32, 0..gain.
    """
    table = DECODE_TABLE[:, None] * np.asarray(gains, np.float32)
    linear: NDArray[np.float32] = cv2.LUT(image, table.reshape(1, 256, 3))
    return linear


def from_linear(linear: NDArray[np.float32],
                table: NDArray[np.uint8] = _ENCODE_BYTES) -> NDArray[np.uint8]:
    """
    Return an 8 bit image of linear light; below 0 and above 1 are clipped.

    :param linear: H x W x 3 float32; overwritten.
    :param table: ENCODE_STEPS bytes, from the square root of linear light; the default is sRGB.
    """
    np.clip(linear, 0, 1, out=linear)
    cv2.sqrt(linear, dst=linear)
    linear *= ENCODE_STEPS - 1
    linear += .5
    return table[linear.astype(np.uint16)]
