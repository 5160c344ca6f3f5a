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

"""Depth errors as the field defines them: per image, then the mean over images."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
import math

import numpy as np
from numpy.typing import NDArray

# Depths that are scored by default, metres: indoor range cameras measure between these.
MINIMUM, MAXIMUM = .3, 10.


@dataclass(frozen=True)
class Metrics:
    """
    Depth errors of one image, or their mean over images; d predicted, g reference.

    :param abs_rel: mean of |d - g| / g.
    :param sq_rel: mean of (d - g)^2 / g, metres.
    :param rmse: root of the mean of (d - g)^2, metres.
    :param rmse_log: root of the mean of (ln d - ln g)^2.
    :param log10: mean of |log10 d - log10 g|.
    :param silog: 100 times the standard deviation of ln d - ln g.
    :param delta1: share of pixels with max(d/g, g/d) < 1.25; delta2 and delta3 < 1.25^2, ^3.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    log10: float
    silog: float
    delta1: float
    delta2: float
    delta3: float

    def to_dict(self) -> dict[str, float]:
        """Return the fields by name, in order."""
        return asdict(self)


METRIC_NAMES = tuple(field.name for field in fields(Metrics))


@dataclass(frozen=True)
class ErrorSums:
    """
    Sums over pixels from which :class:`Metrics` follow; adding two pools their pixels.

    :param count: number of pixels.
    :param sums: of |e|/g, e^2/g, e^2, l^2, |l|, l and of the three delta counts, where
        e = d - g and l = ln d - ln g.
    """

    count: int
    sums: tuple[float, ...]

    @classmethod
    def of(cls, prediction: NDArray[np.floating], truth: NDArray[np.floating],
           minimum: float = MINIMUM, maximum: float = MAXIMUM,
           clamp: bool = True) -> 'ErrorSums':
        """
        Return the sums over pixels.

        :param prediction: metres, any shape; clamped to [minimum, maximum] here, as all
            published codes do before scoring.
        :param truth: metres, same shape, all within the range: see :func:`valid_mask`.
        :param clamp: False takes predictions as they are.
        """
        d = prediction.astype(np.float64)
        if clamp:
            d = np.clip(d, minimum, maximum)
        g = truth.astype(np.float64)
        error = d - g
        # In units of g: one division for both relative errors.
        relative = error / g
        log = np.log(d / g)
        spread = np.abs(log)
        # max(d/g, g/d) < 1.25^k is |ln d - ln g| < k ln 1.25.
        deltas = tuple(float(np.count_nonzero(spread < power * math.log(1.25)))
                       for power in (1, 2, 3))
        return cls(d.size, (
            float(np.abs(relative).sum()), float((relative * error).sum()),
            float((error * error).sum()), float((log * log).sum()), float(spread.sum()),
            float(log.sum()), *deltas))

    def __add__(self, other: 'ErrorSums') -> 'ErrorSums':
        """Pool the pixels of both."""
        return ErrorSums(self.count + other.count, tuple(
            a + b for a, b in zip(self.sums, other.sums, strict=True)))

    @classmethod
    def empty(cls) -> 'ErrorSums':
        """Return the sums over no pixel."""
        return cls(0, (0.,) * 9)

    def metrics(self) -> Metrics:
        """Return the metrics; all NaN when there is no pixel."""
        if not self.count:
            return Metrics(*[math.nan] * len(METRIC_NAMES))
        relative, square_relative, square, log_square, log_spread, log, *deltas = (
            value / self.count for value in self.sums)
        # Rounding may put the variance of a constant ratio just below zero.
        variance = max(0., log_square - log * log)
        return Metrics(
            relative, square_relative, math.sqrt(square), math.sqrt(log_square),
            log_spread / math.log(10), 100 * math.sqrt(variance), *deltas)


def valid_mask(truth: NDArray[np.floating], minimum: float = MINIMUM,
               maximum: float = MAXIMUM) -> NDArray[np.bool_]:
    """Return where the reference depth is a reading strictly inside the range."""
    # NaN compares false.
    return (truth > minimum) & (truth < maximum)


def compute_metrics(prediction: NDArray[np.floating], truth: NDArray[np.floating],
                    minimum: float = MINIMUM, maximum: float = MAXIMUM) -> Metrics:
    """
    Return the metrics of one image over pixels that have both a reference and a prediction.

    :param prediction: metres, NaN where there is none.
    :param truth: metres, same shape, NaN where there is no reading.
    :returns: all NaN when no pixel is left.
    """
    mask = valid_mask(truth, minimum, maximum) & np.isfinite(prediction) & (prediction > 0)
    return ErrorSums.of(prediction[mask], truth[mask], minimum, maximum).metrics()


def mean_metrics(images: Iterable[Metrics]) -> Metrics:
    """Return the mean over images, each with equal weight; all NaN when there is none."""
    rows = [list(image.to_dict().values()) for image in images]
    if not rows:
        return ErrorSums.empty().metrics()
    return Metrics(*np.mean(np.array(rows, np.float64), axis=0).tolist())
