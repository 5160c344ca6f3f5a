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

"""Metrics: worked by hand, then what must hold for any image."""

import math

from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.evaluation.metrics import (
    compute_metrics, ErrorSums, mean_metrics, Metrics, valid_mask)

depths = hnp.arrays(np.float32, st.integers(2, 40), elements=st.floats(.5, 8, width=32))


def pair(data: st.DataObject) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw a prediction and a reference of one size."""
    truth = data.draw(depths)
    prediction = data.draw(hnp.arrays(
        np.float32, truth.shape, elements=st.floats(.5, 8, width=32)))
    return prediction, truth


def test_two_pixels_by_hand() -> None:
    """With d = 3, 4 and g = 2, 4: e = 1, 0 and ln d/g = ln 1.5, 0."""
    metrics = compute_metrics(np.array([3., 4.]), np.array([2., 4.]))
    log = math.log(1.5)
    assert metrics.abs_rel == pytest.approx(.25)  # (1/2 + 0) / 2
    assert metrics.sq_rel == pytest.approx(.25)  # (1/2 + 0) / 2
    assert metrics.rmse == pytest.approx(math.sqrt(.5))
    assert metrics.rmse_log == pytest.approx(log / math.sqrt(2))
    assert metrics.log10 == pytest.approx(math.log10(1.5) / 2)
    assert metrics.silog == pytest.approx(100 * math.sqrt(log ** 2 / 2 - (log / 2) ** 2))
    assert (metrics.delta1, metrics.delta2, metrics.delta3) == (.5, 1, 1)  # 1.5 < 1.5625


def test_deltas_use_the_larger_of_both_ratios() -> None:
    """Ratios 1.2, 1.3, 1.6 and 2, once too far and once too near."""
    truth = np.full(8, 2.)
    ratios = np.array([1.2, 1.3, 1.6, 2, 1 / 1.2, 1 / 1.3, 1 / 1.6, 1 / 2])
    metrics = compute_metrics(truth * ratios, truth)
    # 1.25, 1.5625, 1.953125
    assert (metrics.delta1, metrics.delta2, metrics.delta3) == (.25, .5, .75)


def test_predictions_are_clamped_before_scoring() -> None:
    """0.1 m is scored as 0.5 m and 50 m as 10 m."""
    metrics = compute_metrics(np.array([.1, 50.]), np.array([1., 8.]), .5, 10)
    assert metrics.abs_rel == pytest.approx((.5 / 1 + 2 / 8) / 2)


def test_unscored_pixels() -> None:
    """No reading, outside the open range, no prediction: none of them counts."""
    truth = np.array([np.nan, .3, 10., 2., 2., 2., 2.])
    prediction = np.array([1., 1., 1., np.nan, 0., np.inf, 4.])
    assert valid_mask(truth).tolist() == [False, False, False, True, True, True, True]
    assert compute_metrics(prediction, truth).abs_rel == pytest.approx(1.)


def test_nothing_to_score_is_nan() -> None:
    """Zero would look like a perfect score."""
    assert math.isnan(compute_metrics(np.ones(3), np.full(3, np.nan)).abs_rel)
    assert math.isnan(mean_metrics([]).delta1)


def test_mean_is_over_images_not_pixels() -> None:
    """One pixel of one image weighs as much as three of another."""
    one = compute_metrics(np.array([2.]), np.array([1.]))
    three = compute_metrics(np.full(3, 1.), np.full(3, 1.))
    assert mean_metrics([one, three]).abs_rel == pytest.approx(.5)


@given(st.data())
def test_pooling_parts_is_the_whole(data: st.DataObject) -> None:
    """Sums of a split image add up to those of the image."""
    prediction, truth = pair(data)
    cut = data.draw(st.integers(0, truth.size))
    whole = ErrorSums.of(prediction, truth)
    parts = ErrorSums.of(prediction[:cut], truth[:cut]) + ErrorSums.of(
        prediction[cut:], truth[cut:])
    assert parts.count == whole.count
    assert parts.sums == pytest.approx(whole.sums, abs=1e-9)


@given(st.data())
def test_bounds(data: st.DataObject) -> None:
    """Deltas rise in [0, 1]; silog never exceeds the RMS of logs; errors are not negative."""
    metrics = compute_metrics(*pair(data))
    assert 0 <= metrics.delta1 <= metrics.delta2 <= metrics.delta3 <= 1
    assert metrics.silog <= 100 * metrics.rmse_log + 1e-4
    assert min(metrics.to_dict().values()) >= 0


@given(st.data(), st.floats(.1, 10))
def test_silog_ignores_scale(data: st.DataObject, scale: float) -> None:
    """With no clamp in the way one factor changes nothing."""
    prediction, truth = pair(data)
    a = compute_metrics(prediction, truth, 1e-3, 1e3)
    b = compute_metrics(prediction.astype(np.float64) * scale, truth, 1e-3, 1e3)
    assert b.silog == pytest.approx(a.silog, abs=1e-4)


@given(depths)
def test_perfect_prediction(truth: NDArray[np.float32]) -> None:
    """No error, all within every delta."""
    assert compute_metrics(truth, truth) == Metrics(0, 0, 0, 0, 0, 0, 1, 1, 1)
