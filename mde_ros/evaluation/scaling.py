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
Scale before scoring: raw, one factor for the place, one factor for every frame.

* ``raw``: the metres as predicted. What a robot gets.
* ``site_scaled``: one factor for the whole set, what one tape measurement could mend:
  ``exp(median(ln(g / d)))`` over all valid pixels, every frame with equal weight.
* ``median_scaled``: ``median(g) / median(d)`` of each frame, as monocular papers report it.
  No robot has this factor: it says how good the shape is.

Factors are applied before the clamp to the scored range.
"""

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

COLUMNS = ('raw', 'site_scaled', 'median_scaled')

# Log ratios are counted in bins of this width (0.01 %) up to a factor of e^7, about 1100.
_STEP = 1e-4
_REACH = 7.


def median_ratio(prediction: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return median(truth) / median(prediction) of the valid pixels of one frame."""
    return float(np.median(truth)) / float(np.median(prediction))


class SiteScale:
    """
    The one factor of a set, gathered frame by frame in a histogram of fixed size (1.1 MB).

    Exact to half a bin, 0.005 %, whatever the number of frames.
    """

    def __init__(self) -> None:
        """Start without frames."""
        self._weights = np.zeros(round(2 * _REACH / _STEP) + 1, np.float64)
        self.frames = 0

    def add(self, prediction: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
        """Add the valid pixels of a frame; together they weigh as much as any other frame."""
        if not prediction.size:
            return
        log = np.log(truth.astype(np.float64) / prediction)
        bins = np.rint((np.clip(log, -_REACH, _REACH) + _REACH) / _STEP).astype(np.int64)
        self._weights += np.bincount(bins, minlength=self._weights.size) / bins.size
        self.frames += 1

    @property
    def factor(self) -> float:
        """Return what to multiply predictions with; 1 before any frame."""
        if not self.frames:
            return 1.
        total = np.cumsum(self._weights)
        half = total[-1] / 2
        # Rounding of the sum must not decide between two bins when half falls between them.
        slack = 1e-9 * total[-1]
        low = int(np.searchsorted(total, half - slack))
        high = int(np.searchsorted(total, half + slack))
        return math.exp((low + high) / 2 * _STEP - _REACH)


@dataclass(frozen=True)
class ScaleReport:
    """
    How the scale of the predictions stands and drifts.

    :param site_factor: the factor of ``site_scaled``.
    :param median_ratio: median over frames of median(g) / median(d).
    :param ratio_spread: half the width between the 16th and 84th percentile of the natural
        logarithm of the frames' ratios: 0.05 means that the scale wanders by about 5 %.
    """

    site_factor: float
    median_ratio: float
    ratio_spread: float


def scale_report(site_factor: float, ratios: list[float]) -> ScaleReport:
    """Return the report of a set from its site factor and its frames' ratios."""
    if not ratios:
        return ScaleReport(site_factor, math.nan, math.nan)
    low, middle, high = np.percentile(np.log(ratios), (16, 50, 84))
    return ScaleReport(site_factor, math.exp(middle), float(high - low) / 2)
