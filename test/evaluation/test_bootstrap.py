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

"""Bootstrap intervals."""

import math

import numpy as np
import pytest

from mde_ros.evaluation.bootstrap import bootstrap_interval


def test_agrees_with_the_normal_interval_of_many_values() -> None:
    """400 normal values of deviation 2: mean plus and minus 1.96 * 2 / 20."""
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap_interval(values.tolist())
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=.03)
    assert high == pytest.approx(values.mean() + half, abs=.03)


def test_same_values_same_interval() -> None:
    """No chance between two runs, no width where nothing varies."""
    values = [.1, .5, .2, .9]
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval([.3] * 5) == pytest.approx((.3, .3))


def test_one_value_has_no_interval() -> None:
    """It says nothing about others."""
    assert all(math.isnan(value) for value in bootstrap_interval([.3]))
