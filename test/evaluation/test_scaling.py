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

"""Scales: one factor a frame, one factor a set."""

import math

from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.evaluation.scaling import median_ratio, scale_report, SiteScale


def test_median_ratio_by_hand() -> None:
    """median(1, 2, 6) / median(1, 4, 5) = 2 / 4."""
    assert median_ratio(np.array([1., 4, 5]), np.array([1., 2, 6])) == .5


def test_site_factor_is_the_median_log_ratio() -> None:
    """Ratios 1, 2, 8 of one frame: 2, not their mean."""
    site = SiteScale()
    site.add(np.ones(3), np.array([1., 2, 8]))
    assert site.factor == pytest.approx(2, rel=1e-4)


def test_frames_weigh_the_same() -> None:
    """A frame of 1000 pixels does not outvote two frames of 10."""
    site = SiteScale()
    site.add(np.ones(1000), np.full(1000, 5.))
    site.add(np.ones(10), np.full(10, 2.))
    site.add(np.ones(10), np.full(10, 2.))
    assert site.factor == pytest.approx(2, rel=1e-4)


def test_between_two_halves_lies_the_geometric_mean() -> None:
    """An even count has its median in the middle, in the logarithm."""
    site = SiteScale()
    site.add(np.ones(4), np.array([1., 2, 8, 9]))
    assert site.factor == pytest.approx(4, rel=2e-4)


def test_no_frame_no_scale() -> None:
    """Nothing to learn from: 1."""
    site = SiteScale()
    site.add(np.empty(0), np.empty(0))
    assert (site.factor, site.frames) == (1, 0)


@given(st.floats(.02, 50), st.lists(st.floats(.5, 8), min_size=1, max_size=30))
def test_undoes_any_one_factor(scale: float, depths: list[float]) -> None:
    """Predictions wrong by one factor are mended by its inverse, to half a bin."""
    truth = np.array(depths)
    site = SiteScale()
    site.add(truth * scale, truth)
    assert site.factor == pytest.approx(1 / scale, rel=1e-4)


def test_report() -> None:
    """Ratios e^-0.1 ... e^0.1 in five even steps of the logarithm."""
    report = scale_report(1.5, [math.exp(step / 20) for step in (-2, -1, 0, 1, 2)])
    assert report.site_factor == 1.5
    assert report.median_ratio == pytest.approx(1)
    # 16th percentile of -0.1 .. 0.1 in five points: -0.1 + 0.64 * 0.05 = -0.068
    assert report.ratio_spread == pytest.approx(.068)


def test_report_of_nothing() -> None:
    """No frame has no ratio."""
    assert math.isnan(scale_report(1, []).median_ratio)
