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

"""Robust fits of one scale, or of scale and exponent, to measured against estimated depth."""

from collections.abc import Sequence
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.profile_card import ProfileError, SiteScale

MAD_TO_STD = 1.4826  # of a normal distribution
OUTLIER_STDS = 3.
# Measurements closer than this (natural logarithm) to the median are no outliers.
SMALLEST_STD = .02
# An exponent can only be told from depths that differ by this factor.
LEAST_RANGE, EXPONENTS = 2., (.5, 2.)


def fit_factor(measured: ArrayLike, estimated: ArrayLike, source: str, *, fewest: int = 1,
               widest: float = .5) -> SiteScale:
    """
    Return the factor that makes estimates what was measured.

    It is the median of the ratios after outliers are left out; ``log_std`` is the spread of the
    others (from the median absolute deviation) over the square root of their count, None for
    less than three.

    :param measured: N distances in metres; pairs that are not positive and finite are left out.
    :param estimated: N distances of the network.
    :param fewest: measurements that must agree.
    :param widest: largest spread of the logarithm of their ratios.
    :raises AnchorError: when too few agree, they are spread too far or the factor is absurd.
    """
    logs = _log_ratios(measured, estimated)
    inliers, spread = _inliers(logs - (np.median(logs) if logs.size else 0))
    kept = logs[inliers]
    _check(kept.size, logs.size, spread, source, fewest, widest)
    return _scale(math.exp(float(np.median(kept))), 1., spread, kept.size, source)


def fit_line(measured: Sequence[float], estimated: Sequence[float], source: str, *,
             fewest: int = 8, widest: float = .5) -> SiteScale:
    """
    Return factor and exponent: measured = factor * estimated ** exponent.

    That is scale and shift in the logarithm of depth, by the median of the slopes of all pairs
    (Theil and Sen). Where the estimates differ by less than a factor of two, or there are less
    than ``fewest``, the exponent stays 1: :func:`fit_factor`.

    :raises AnchorError: as :func:`fit_factor`, and for an exponent beyond 0.5 to 2.
    """
    good = _good(measured, estimated)
    x = np.log(np.asarray(estimated, np.float64)[good])
    y = np.log(np.asarray(measured, np.float64)[good])
    if x.size < fewest or np.ptp(np.percentile(x, (5, 95))) < math.log(LEAST_RANGE):
        return fit_factor(measured, estimated, source, fewest=1, widest=widest)
    first, second = np.triu_indices(x.size, 1)
    apart = np.abs(x[first] - x[second]) > 1e-6
    first, second = first[apart], second[apart]
    slope = float(np.median((y[first] - y[second]) / (x[first] - x[second])))
    shift = float(np.median(y - slope * x))
    inliers, spread = _inliers(y - slope * x - shift)
    _check(int(inliers.sum()), x.size, spread, source, fewest, widest)
    if not EXPONENTS[0] <= slope <= EXPONENTS[1]:
        raise AnchorError(f'{source}: near and far disagree too much for one scale and shift '
                          f'(exponent {slope:.2f}): check the readings')
    return _scale(math.exp(shift), slope, spread, int(inliers.sum()), source)


def compose(outer: SiteScale, inner: SiteScale) -> SiteScale:
    """Return what applying ``inner`` and then ``outer`` does, described as ``outer``."""
    return _scale(outer.factor * inner.factor ** outer.exponent,
                  outer.exponent * inner.exponent, None, outer.count, outer.source,
                  outer.log_std)


def _good(measured: ArrayLike, estimated: ArrayLike) -> NDArray[np.bool_]:
    pairs = np.stack([np.asarray(measured, np.float64), np.asarray(estimated, np.float64)])
    return np.logical_and.reduce(np.isfinite(pairs) & (pairs > 0), axis=0, dtype=np.bool_)


def _log_ratios(measured: ArrayLike, estimated: ArrayLike) -> NDArray[np.float64]:
    good = _good(measured, estimated)
    result: NDArray[np.float64] = np.log(np.asarray(measured, np.float64)[good]
                                         / np.asarray(estimated, np.float64)[good])
    return result


def _spread(residuals: NDArray[np.float64]) -> float:
    if not residuals.size:
        return 0.
    return MAD_TO_STD * float(np.median(np.abs(residuals - np.median(residuals))))


def _inliers(residuals: NDArray[np.float64]) -> tuple[NDArray[np.bool_], float]:
    """Return which residuals are no outliers, and the spread of those."""
    inliers = np.abs(residuals) <= OUTLIER_STDS * max(_spread(residuals), SMALLEST_STD)
    return inliers, _spread(residuals[inliers])


def _check(kept: int, given: int, spread: float, source: str, fewest: int,
           widest: float) -> None:
    if kept < max(fewest, 1):
        raise AnchorError(f'{source}: {kept} of {given} measurements agree, at least '
                          f'{max(fewest, 1)} are needed: measure more')
    if spread > widest:
        raise AnchorError(
            f'{source}: the ratios of measured to estimated distance are spread by '
            f'{100 * math.expm1(spread):.0f} %, at most {100 * math.expm1(widest):.0f} % make one '
            'scale: check unit and assignment of the measurements')


def _scale(factor: float, exponent: float, spread: float | None, count: int, source: str,
           log_std: float | None = None) -> SiteScale:
    if spread is not None and count >= 3:
        log_std = spread / math.sqrt(count)
    try:
        return SiteScale(factor, log_std, source, count, exponent)
    except ProfileError as error:
        raise AnchorError(f'{source}: {error}') from error
