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

"""The fits: medians by hand, outliers, refusals, any factor found again."""

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from mde_ros.estimation.anchors.fit import compose, fit_factor, fit_line
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.profile_card import SiteScale


def test_the_median_ratio_by_hand() -> None:
    # Ratios 1.9, 2, 2.1: median 2; deviations of the log from it |ln .95|, 0, ln 1.05.
    found = fit_factor([1.9, 4., 6.3], [1., 2., 3.], 'ranges')
    assert found.factor == pytest.approx(2.)
    assert found.log_std == pytest.approx(1.4826 * math.log(1.05) / math.sqrt(3))
    assert (found.source, found.count, found.exponent) == ('ranges', 3, 1.)


def test_outliers_do_not_count() -> None:
    measured = [2., 2.02, 1.98, 2.01, 1.99, 40., .05]
    found = fit_factor(measured, [1.] * 7, 'ranges')
    assert found.factor == pytest.approx(2.) and found.count == 5
    # Deviations of the five: 0, about .005 twice, about .01 twice: their median is .005.
    assert found.log_std == pytest.approx(1.4826 * .005 / math.sqrt(5), rel=.02)


def test_few_measurements_have_no_uncertainty() -> None:
    assert fit_factor([3.], [2.], 'tape') == SiteScale(1.5, None, 'tape', 1)
    two = fit_factor([3., 3.1], [2., 2.], 'tape')
    assert (two.count, two.log_std) == (2, None)
    assert two.factor == pytest.approx(math.sqrt(1.5 * 1.55))


def test_what_is_no_distance_is_left_out() -> None:
    found = fit_factor([1., 2., math.nan, 4., -1., math.inf], [.5, 1., 1., 0., 1., 1.], 'ranges')
    assert found.factor == 2. and found.count == 2


def test_too_few_too_wide_and_absurd_are_refused() -> None:
    with pytest.raises(AnchorError, match='ranges: 0 of 0 measurements agree, at least 1'):
        fit_factor([math.nan], [1.], 'ranges')
    with pytest.raises(AnchorError, match='ranges: 2 of 3 measurements agree, at least 3'):
        fit_factor([1., 1., 9.], [1.] * 3, 'ranges', fewest=3)
    with pytest.raises(AnchorError, match='spread by'):
        fit_factor([.2, .5, 1., 2., 5.], [1.] * 5, 'ranges')
    # The limit is on the logarithm: these ratios spread by 1.4826 x ln 2 = 1.03.
    assert fit_factor([.5, 1., 2.], [1.] * 3, 'ranges', widest=1.1).factor == 1.
    with pytest.raises(AnchorError, match='tape: scale factor = 999.* metres'):
        fit_factor([2000.], [2.], 'tape')


def test_scale_and_exponent_by_hand() -> None:
    estimated = [.5, 1., 1.5, 2., 3., 4., 6., 8.]
    measured = [3 * d ** .8 for d in estimated]
    found = fit_line(measured, estimated, 'ranges')
    assert found.factor == pytest.approx(3.) and found.exponent == pytest.approx(.8)
    assert found.count == 8 and found.log_std == pytest.approx(0, abs=1e-9)
    measured[3] *= 5
    again = fit_line(measured, estimated, 'ranges', fewest=7)
    assert again.factor == pytest.approx(3., rel=.05) and again.count == 7
    assert again.exponent == pytest.approx(.8, abs=.05)


def test_without_spread_or_number_the_exponent_stays_one() -> None:
    near = [1., 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]
    assert fit_line([2 * d for d in near], near, 'ranges') == fit_factor(
        [2 * d for d in near], near, 'ranges')
    assert fit_line([2., 8.], [1., 4.], 'ranges').exponent == 1.


def test_an_absurd_exponent_is_refused() -> None:
    estimated = list(range(1, 11))
    with pytest.raises(AnchorError, match=r'exponent 3\.00'):
        fit_line([.1 * d ** 3 for d in estimated], estimated, 'ranges')
    rng = np.random.default_rng(0)
    with pytest.raises(AnchorError, match='spread by'):
        fit_line(list(np.exp(rng.normal(0, 3, 50))), list(np.linspace(1, 9, 50)), 'ranges')


def test_a_scale_on_a_scale() -> None:
    # 3 x (2 d) ** 0.5 = 3 sqrt(2) d ** 0.5.
    both = compose(SiteScale(3., .1, 'ranges', 9, .5), SiteScale(2., .3, 'tape', 1))
    assert both.factor == pytest.approx(3 * math.sqrt(2)) and both.exponent == .5
    assert (both.log_std, both.source, both.count) == (.1, 'ranges', 9)
    assert compose(SiteScale(3., .1, 'tape', 1), SiteScale()) == SiteScale(3., .1, 'tape', 1)


@given(st.floats(.05, 20), st.integers(1, 60), st.integers(0, 2 ** 32 - 1), st.floats(0, .1))
def test_any_factor_is_found_within_its_uncertainty(factor: float, count: int, seed: int,
                                                    noise: float) -> None:
    rng = np.random.default_rng(seed)
    estimated = rng.uniform(.5, 5, count)
    # Bounded: of a normal distribution hypothesis finds the tail sooner or later.
    measured = factor * estimated * np.exp(rng.uniform(-2 * noise, 2 * noise, count))
    wrong = rng.choice(count, count // 4, replace=False)
    measured[wrong] *= 8
    found = fit_factor(measured, estimated, 'ranges')
    assert abs(math.log(found.factor / factor)) <= 2 * noise + 1e-9
    assert found.count <= count - len(wrong) + (noise > 0) * 2
