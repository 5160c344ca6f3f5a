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


def encode_depth(depth: NDArray[np.float32]) -> tuple[bytes, int]:
    """
    Return depth as a PNG of millimetres, and how many pixels lie beyond what it holds.

    :param depth: H x W metres; what is not finite and positive, or beyond, becomes 0.
    :raises DatasetError: when OpenCV cannot encode it.
    """
    usable = np.isfinite(depth) & (depth > 0)
    millimetres = np.rint(np.where(usable, depth, 0) * 1000.)
    beyond = millimetres > 65535
    millimetres[beyond] = 0
    encoded = encode_image(millimetres.astype(np.uint16), 'png', [cv2.IMWRITE_PNG_COMPRESSION, 1])
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
