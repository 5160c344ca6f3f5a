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

"""What a report shows beside numbers, gathered while frames are scored."""

from dataclasses import dataclass
import tempfile
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

# Longest side of a picture in the report, pixels.
PICTURE = 320
DENSITY_BINS = 96
# Every so manieth pixel along each axis goes into the density: neighbours say the same.
_DENSITY_STEP = 3
_IN_MEMORY = 64 << 20


def drawn_range(minimum: float, maximum: float) -> tuple[float, float]:
    """Return the depths that colours and axes span: published minima of 1 mm would fill them."""
    return max(minimum, maximum / 200), maximum


@dataclass(frozen=True)
class Picture:
    """
    A frame, small: image, prediction and reference.

    :param image: h x w x 3 uint8 RGB.
    :param prediction: h x w metres.
    :param truth: h x w metres, NaN where there is no reading.
    """

    image: NDArray[np.uint8]
    prediction: NDArray[np.float32]
    truth: NDArray[np.float32]


class ReportMaterial:
    """
    Collects small pictures in a temporary file, and the density of prediction over reference.

    An observer of the evaluator. Which frames are the best and the worst is known only at the
    end, so all are kept: about 0.2 MB a frame on disk.

    :param minimum: nearest depth of the density, metres.
    :param maximum: farthest depth of the density, metres.
    """

    def __init__(self, minimum: float, maximum: float) -> None:
        self.edges = np.geomspace(minimum, maximum, DENSITY_BINS + 1)
        #: Pixels by (reference, prediction), each frame adding up to 1.
        self.density = np.zeros((DENSITY_BINS, DENSITY_BINS))
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._places: dict[str, tuple[int, tuple[int, ...], tuple[int, int]]] = {}

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def __call__(self, name: str, image: NDArray[np.uint8], prediction: NDArray[np.float32],
                 truth: NDArray[np.float32]) -> None:
        """Keep a scored frame: arrays of H x W (x 3)."""
        self._add_density(prediction[::_DENSITY_STEP, ::_DENSITY_STEP],
                          truth[::_DENSITY_STEP, ::_DENSITY_STEP])
        height, width = truth.shape
        scale = min(1., PICTURE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        depths = [cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST).astype(np.float16)
                  for depth in (prediction, truth)]
        blocks = [zlib.compress(np.ascontiguousarray(array).tobytes(), 1)
                  for array in (small, *depths)]
        place = self._file.seek(0, 2)
        self._file.write(b''.join(blocks))
        self._places[name] = place, tuple(map(len, blocks)), size

    def _add_density(self, prediction: NDArray[np.float32], truth: NDArray[np.float32]) -> None:
        with np.errstate(invalid='ignore'):
            mask = (prediction > 0) & (truth > self.edges[0]) & (truth < self.edges[-1])
        if not mask.any():
            return
        # The clamp of the score, and just inside the last bin's edge.
        clamped = np.clip(prediction[mask], self.edges[0], self.edges[-1] * (1 - 1e-7))
        counts, _, _ = np.histogram2d(truth[mask], clamped, bins=(self.edges, self.edges))
        self.density += counts / max(counts.sum(), 1)

    def __contains__(self, name: object) -> bool:
        """Return whether a frame was kept."""
        return name in self._places

    def picture(self, name: str) -> Picture:
        """Return a kept frame; KeyError when it is not there."""
        place, lengths, (width, height) = self._places[name]
        self._file.seek(place)
        image, prediction, truth = (zlib.decompress(self._file.read(n)) for n in lengths)
        return Picture(
            np.frombuffer(image, np.uint8).reshape(height, width, 3),
            np.frombuffer(prediction, np.float16).reshape(height, width).astype(np.float32),
            np.frombuffer(truth, np.float16).reshape(height, width).astype(np.float32))
