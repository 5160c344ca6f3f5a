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

"""How far a mean over frames may be off: bootstrap intervals."""

from collections.abc import Sequence
import math

import numpy as np

RESAMPLES = 2000


def bootstrap_interval(values: Sequence[float], level: float = .95,
                       seed: int = 0) -> tuple[float, float]:
    """
    Return the percentile bootstrap interval of the mean of ``values``.

    Frames are drawn as if independent. Neighbours in a video are not, so the true interval is
    wider: it says what more frames of this kind would change, not what another place would.

    :returns: (NaN, NaN) for fewer than two values.
    """
    if len(values) < 2:
        return math.nan, math.nan
    sample = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    # Some rows at a time: 2000 resamples of thousands of frames would not fit in the cache.
    rows = max(1, 200_000 // sample.size)
    means = np.concatenate([
        sample[rng.integers(0, sample.size, (min(rows, RESAMPLES - start), sample.size))].mean(1)
        for start in range(0, RESAMPLES, rows)])
    low, high = np.percentile(means, (50 * (1 - level), 50 * (1 + level)))
    return float(low), float(high)
