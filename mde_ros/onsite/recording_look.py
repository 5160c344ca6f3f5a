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

"""How one picture looks: brightness, clipping, contrast, sharpness, and a thumbnail."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Longest side of the picture that is measured; larger ones are reduced to it first.
LONGEST = 320
# Grey levels from which a pixel counts as clipped.
DARK_LEVEL, BRIGHT_LEVEL = 8, 250
# Columns and rows of a descriptor.
CELLS = 24, 18


@dataclass(frozen=True)
class Look:
    """
    What a picture is measured by.

    :param brightness: mean grey level, 0 to 255.
    :param dark: share of pixels that are black (grey level 8 or less), 0 to 1.
    :param bright: share of pixels that are white (250 or more), 0 to 1.
    :param contrast: standard deviation of the grey levels, fine noise left out.
    :param sharpness: variance of the Laplacian of the picture, 320 pixels wide; depends on
        what is seen, so that only pictures of one place compare.
    :param detail: variance of the Laplacian at half of that size by that at a quarter, less
        what noise adds: how much of the contrast is fine. About 0.1 for a defocused lens, 0.4
        and more for a sharp one, whatever is seen.
    :param thumbnail: h x w uint8 grey, half as large as what is measured.
    :param descriptor: 432 float32, the picture in 24 x 18 cells, mean 0 and length 1; all 0
        for a picture of one colour.
    """

    brightness: float
    dark: float
    bright: float
    contrast: float
    sharpness: float
    detail: float
    thumbnail: NDArray[np.uint8]
    descriptor: NDArray[np.float32]


def look_at(image: NDArray[np.uint8]) -> Look:
    """
    Measure a picture; 640 x 480 pixels take about a millisecond.

    :param image: H x W x 3 uint8 RGB, or H x W grey.
    """
    grey = _reduced(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    thumbnail = _half(grey)
    quarter = _half(thumbnail)
    histogram = np.bincount(grey.ravel(), minlength=256)
    sharpness = _laplacian(grey)
    return Look(
        brightness=float(grey.mean()),
        dark=float(histogram[:DARK_LEVEL + 1].sum() / grey.size),
        bright=float(histogram[BRIGHT_LEVEL:].sum() / grey.size),
        contrast=float(quarter.std()),
        sharpness=sharpness,
        detail=_detail(sharpness, _laplacian(thumbnail), _laplacian(quarter)),
        thumbnail=thumbnail, descriptor=_describe(quarter))


def distances(descriptor: NDArray[np.float32],
              others: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return how far descriptors lie from one: 0 for the same view, 1 for views unlike.

    :param descriptor: C float32, of :class:`Look`.
    :param others: N x C float32.
    :return: N float32, one minus the correlation.
    """
    return np.asarray(1 - others @ descriptor, np.float32)


def _reduced(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = grey.shape
    factor = LONGEST / max(height, width)
    if factor >= 1:
        return grey
    size = max(1, round(width * factor)), max(1, round(height * factor))
    reduced: NDArray[np.uint8] = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return reduced


def _half(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2)
    half: NDArray[np.uint8] = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return half


def _laplacian(grey: NDArray[np.uint8]) -> float:
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return float(deviation[0, 0]) ** 2


def _detail(fine: float, middle: float, coarse: float) -> float:
    """
    Return the middle by the coarse variance of the Laplacian, less what may be noise.

    White noise has a quarter of its variance left at half the size, and the fine picture of a
    defocused lens holds nothing else. Of a sharp one this takes away about a tenth.
    """
    middle, coarse = middle - fine / 4, coarse - fine / 16
    return max(0., middle / coarse) if coarse > 1e-9 else 0.


def _describe(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    cells = cv2.resize(grey.astype(np.float32), CELLS, interpolation=cv2.INTER_AREA).ravel()
    cells -= cells.mean()
    length = float(np.linalg.norm(cells))
    # A rounding error must not become a view.
    return np.asarray(cells / length if length > 1e-3 else cells * 0, np.float32)
