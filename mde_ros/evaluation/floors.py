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

"""
What predictions that never look at the image would reach: the floors of every table.

* ``constant``: one depth for all pixels of a frame. ``median_scaled``: the frame's own median
  (what one measured distance a frame would give). ``site_scaled``: the median of the *other*
  frames' medians.
* ``row_prior``: inverse depth linear in the image row, ``1 / d = a + b v`` with v from 0 (top)
  to 1 (bottom): a floor and a far wall seen by a level camera. a and b are fitted by least
  squares, every frame with equal weight, on the *other* frames of the set (leave one out), so
  that no frame is scored with its own depth. ``site_scaled`` takes that depth as it is,
  ``median_scaled`` scales it to the frame's median.

There is no ``raw`` floor: both need reference depths of the place. With a single frame there
are no others, and what needs them is left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOORS = ('constant', 'row_prior')


def image_rows(height: int) -> NDArray[np.float32]:
    """Return v of each row: 0 is the upper edge of the image, 1 the lower."""
    return ((np.arange(height) + .5) / height).astype(np.float32)


@dataclass(frozen=True)
class RowPrior:
    """
    Depth as a function of the row only.

    :param offset: inverse depth at the upper edge, 1 / m.
    :param slope: rise of inverse depth down to the lower edge, 1 / m.
    """

    offset: float
    slope: float

    def predict(self, rows: NDArray[np.floating], maximum: float) -> NDArray[np.float64]:
        """Return depth at rows; where the line falls below 1 / maximum, the maximum."""
        inverse = self.offset + self.slope * rows.astype(np.float64)
        return 1 / np.maximum(inverse, 1 / maximum)


class FloorFit:
    """Gathers what the floors need, three numbers and a median a frame."""

    def __init__(self) -> None:
        """Start without frames."""
        self._moments: list[NDArray[np.float64]] = []
        self._total = np.zeros(4)
        self._medians: list[float] = []

    def add(self, rows: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
        """Add a frame's valid pixels: v of each and its reference depth in metres."""
        v, inverse = rows.astype(np.float64), 1 / truth.astype(np.float64)
        # Means, not sums: every frame weighs the same, however many readings it has.
        self._moments.append(np.array(
            [v.mean(), (v * v).mean(), inverse.mean(), (v * inverse).mean()]))
        self._total += self._moments[-1]
        self._medians.append(float(np.median(truth)))

    def own_median(self, frame: int) -> float:
        """Return the median reference depth of a frame, metres."""
        return self._medians[frame]

    def constant_without(self, frame: int) -> float | None:
        """Return the median of the other frames' medians; None when there is no other."""
        others = self._medians[:frame] + self._medians[frame + 1:]
        return float(np.median(others)) if others else None

    def row_prior_without(self, frame: int) -> RowPrior | None:
        """Return the row prior fitted on the other frames; None when there is no other."""
        count = len(self._moments) - 1
        if count < 1:
            return None
        v, vv, y, vy = (self._total - self._moments[frame]) / count
        variance = vv - v * v
        # All readings in one row: no slope to be seen.
        slope = (vy - v * y) / variance if variance > 1e-9 else 0.
        return RowPrior(float(y - slope * v), float(slope))
