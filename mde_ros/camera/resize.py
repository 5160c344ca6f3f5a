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

"""Images to the network's size and depth back, keeping the aspect: never squashed."""

from dataclasses import dataclass
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics


def network_size(width: int, height: int, area: int, multiple: int = 16) -> tuple[int, int]:
    """
    Return the network input size (width, height) of about ``area`` pixels for a camera.

    Both sides are multiples of ``multiple``, the aspect is kept as far as that allows and
    the rest is padding, never squashing. A smaller camera is enlarged: networks tell distance
    from sizes in pixels too, and take things in a smaller picture for nearer than they are.
    """
    # Of a picture that is all width, padding to one multiple of height is most.
    longest = area / multiple ** 2
    scale = math.sqrt(area / (max(width, height / longest) * max(height, width / longest)))
    sides = (max(multiple, multiple * round(side * scale / multiple))
             for side in (width, height))
    return tuple(sides)  # type: ignore[return-value]


def whole_reduction(camera: Intrinsics, network: Intrinsics) -> int:
    """
    Return 8, 4, 2 or 1: by how much a camera's picture can shrink before the network loses pixels.

    It divides both sides, so that the smaller picture shows exactly the same view, and leaves
    them at least those of the network's input.
    """
    return next((by for by in (8, 4, 2) if camera.width % by == camera.height % by == 0
                 and camera.width // by >= network.width
                 and camera.height // by >= network.height), 1)


# Images more than this many times as wide as wanted are halved first.
_HALVED_FROM = 3


def halved(image: NDArray[Any], width: int) -> NDArray[Any]:
    """
    Return an image averaged over 2 x 2 pixels while it is much wider than ``width``.

    Together with INTER_AREA after it, several times as fast as INTER_AREA alone, and the same up
    to a grey level in the mean.
    """
    while (image.shape[1] > _HALVED_FROM * width
           and image.shape[0] % 2 == 0 and image.shape[1] % 2 == 0):
        image = np.asarray(cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2),
                                      interpolation=cv2.INTER_AREA))
    return image


@dataclass(frozen=True)
class ResizePlan:
    """
    One uniform scale and a border, from a camera image to the network's input and back.

    :param camera: intrinsics of the camera image.
    :param network: intrinsics of the network's input; its fx is the focal length that scales
        canonical depth.
    :param scaled: (width, height) of the image after scaling, before the border.
    :param offset: (left, top) of the scaled image inside the input.
    """

    camera: Intrinsics
    network: Intrinsics
    scaled: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def fit(cls, camera: Intrinsics, width: int, height: int) -> 'ResizePlan':
        """Return the plan that shows the whole image, centred, in ``width`` x ``height``."""
        scale = min(width / camera.width, height / camera.height)
        scaled = (min(width, max(1, round(camera.width * scale))),
                  min(height, max(1, round(camera.height * scale))))
        offset = ((width - scaled[0]) // 2, (height - scaled[1]) // 2)
        network = camera.resized(*scaled).cropped(-offset[0], -offset[1], width, height)
        return cls(camera, network, scaled, offset)

    def apply(self, image: NDArray[np.uint8],
              out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """
        Return the network's input, the border filled with the edge pixels, H x W x C.

        :param out: where to write it, of that size; None for new memory.
        """
        left, top = self.offset
        right, bottom = left + self.scaled[0], top + self.scaled[1]
        if out is None:
            out = np.empty(
                (self.network.height, self.network.width, *image.shape[2:]), image.dtype)
        shrinks = self.scaled[0] < image.shape[1]
        inner = out[top:bottom, left:right]
        if (image.shape[1], image.shape[0]) == self.scaled:
            np.copyto(inner, image)
        else:
            # INTER_AREA averages what a smaller picture can no longer show.
            if shrinks:
                image = halved(image, self.scaled[0])
            cv2.resize(image, self.scaled, dst=inner,
                       interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        out[top:bottom, :left] = inner[:, :1]
        out[top:bottom, right:] = inner[:, -1:]
        out[:top] = out[top]
        out[bottom:] = out[bottom - 1]
        return out

    def restore(self, depth: NDArray[np.float32], width: int | None = None,
                height: int | None = None) -> NDArray[np.float32]:
        """
        Return the network's depth at the camera's size (or another size of the same view).

        :param depth: h x w of the network's input, or any uniform fraction of it.
        """
        step = depth.shape[1] / self.network.width
        size = (width or self.camera.width, height or self.camera.height)
        left, top, right, bottom = (
            value * step for value in (*self.offset, self.offset[0] + self.scaled[0],
                                       self.offset[1] + self.scaled[1]))
        if all(edge.is_integer() for edge in (left, top, right, bottom)):
            # Exact and several times as fast as the warp below, which OpenCV 4 rounds to 1/32
            # of a pixel: stripes on a floor seen at a low angle.
            window = depth[int(top):int(bottom), int(left):int(right)]
            return np.asarray(cv2.resize(window, size, interpolation=cv2.INTER_LINEAR),
                              np.float32)
        # The border is no whole number of this depth's pixels: one affine warp crops and
        # upsamples at once, pixel centres kept right.
        sx = self.scaled[0] / size[0] * step
        sy = self.scaled[1] / size[1] * step
        warp = np.array(
            [[sx, 0, left + .5 * sx - .5], [0, sy, top + .5 * sy - .5]], np.float64)
        return np.asarray(cv2.warpAffine(
            depth, warp, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE), np.float32)
