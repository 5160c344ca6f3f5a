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

"""Floors: fitted on the other frames only."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.evaluation.floors import FloorFit, image_rows, RowPrior


def test_rows_run_from_edge_to_edge() -> None:
    """Centres of four rows."""
    assert image_rows(4).tolist() == [.125, .375, .625, .875]


@given(st.floats(.1, .5), st.floats(0, 2))
def test_recovers_a_floor_seen_by_a_level_camera(offset: float, slope: float) -> None:
    """Two frames whose inverse depth is linear in the row: each predicts the other."""
    rows = image_rows(50)
    depth = 1 / (offset + slope * rows.astype(np.float64))
    fit = FloorFit()
    fit.add(rows, depth)
    fit.add(rows[10:], depth[10:])
    for frame in (0, 1):
        prior = fit.row_prior_without(frame)
        assert prior is not None
        assert prior.predict(rows, 100) == pytest.approx(depth, rel=1e-4)


def test_own_frame_is_left_out() -> None:
    """A frame of 9 m among frames of 2 m gets 2 m, and they do not get its 9."""
    fit = FloorFit()
    rows = image_rows(20)
    for depth in (2., 2., 9., 2.):
        fit.add(rows, np.full(20, depth))
    assert fit.own_median(2) == 9
    assert fit.constant_without(2) == 2
    prior = fit.row_prior_without(2)
    assert prior is not None
    assert prior.predict(rows, 10) == pytest.approx(np.full(20, 2.))


def test_frames_weigh_the_same_in_the_fit() -> None:
    """Others: 200 readings of 1 m and 10 of 2 m, inverse mean 0.75."""
    fit = FloorFit()
    fit.add(image_rows(20), np.ones(20))
    fit.add(image_rows(200), np.ones(200))
    fit.add(image_rows(10), np.full(10, 2.))
    prior = fit.row_prior_without(0)
    assert prior is not None
    assert prior.predict(np.array([.5]), 10)[0] == pytest.approx(1 / .75, rel=1e-3)


def test_a_single_frame_has_no_others() -> None:
    """Then there is no fair floor of another frame's depth."""
    fit = FloorFit()
    fit.add(image_rows(5), np.ones(5))
    assert fit.constant_without(0) is None
    assert fit.row_prior_without(0) is None


def test_the_sky_is_at_the_maximum() -> None:
    """Above the horizon the line falls below zero."""
    assert RowPrior(-.5, 1).predict(np.array([0, .5, 1]), 10).tolist() == [10, 10, 2]


def test_all_readings_in_one_row() -> None:
    """No slope to be seen, and no division by zero."""
    fit = FloorFit()
    for _ in range(2):
        fit.add(np.full(5, .5), np.full(5, 4.))
    assert fit.row_prior_without(0) == RowPrior(.25, 0)
