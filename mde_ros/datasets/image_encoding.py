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

"""Pictures, and depth as 16 bit PNG of millimetres, encoded for an RGB-D folder."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import DatasetError

DEPTH_MAX_M = 65.535  # what 16 bit millimetres hold


def metres_to_millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return millimetres, 0 where there is no reading or it is beyond 65.535 m."""
    millimetres = np.rint(depth.astype(np.float64) * 1000)
    codable = (millimetres > 0) & (millimetres <= 65535)
    return np.where(codable, millimetres, 0).astype(np.uint16)


def encode_depth(depth: NDArray[np.float32]) -> tuple[bytes, int]:
    """
    Return depth as a PNG of millimetres, and how many pixels lie beyond what it holds.

    :param depth: H x W metres; what is not finite and positive, or beyond, becomes 0.
    :raises DatasetError: when OpenCV cannot encode it.
    """
    millimetres = metres_to_millimetres(depth)
    # Other readings that became 0 are below half a millimetre.
    beyond = np.isfinite(depth) & (depth > 1) & (millimetres == 0)
    encoded = encode_image(millimetres, 'png', [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded, int(np.count_nonzero(beyond))


def encode_image(image: NDArray[Any], suffix: str, options: list[int]) -> bytes:
    """
    Return an encoded image.

    :raises DatasetError: when OpenCV cannot encode it.
    """
    done, encoded = cv2.imencode('.' + suffix, image, options)
    if not done:
        raise DatasetError(f'OpenCV could not encode an image {image.shape} as {suffix}')
    return encoded.tobytes()
