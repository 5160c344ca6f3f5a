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

"""Scoring of a set: columns, floors, ranges, coverage."""

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.evaluation.depth_ranges import DepthRangeError
from mde_ros.evaluation.metrics import compute_metrics
from mde_ros.evaluation.scoring import Scorer, Scores, ScoringOptions


def ramp(near: float = 1., far: float = 5.) -> NDArray[np.float32]:
    """Return 20 x 30 depths that fall from the upper to the lower row."""
    return np.repeat(np.linspace(far, near, 20)[:, None], 30, axis=1).astype(np.float32)


def score(pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
          options: ScoringOptions | None = None) -> Scores:
    """Score pairs of (prediction, truth)."""
    with Scorer(options or ScoringOptions()) as scorer:
        for index, (prediction, truth) in enumerate(pairs):
            assert scorer.add(f'f{index}', index, prediction, truth) is None
        return scorer.finish()


def test_columns_separate_scale_from_shape() -> None:
    """All frames 20 % short, a third of them 60 %: only the frame factor mends all."""
    truth = ramp()
    scores = score([(truth * np.float32(.8), truth), (truth * np.float32(.8), truth),
                    (truth * np.float32(.4), truth)])
    assert scores.columns['raw'].abs_rel == pytest.approx((.2 + .2 + .6) / 3, abs=1e-5)
    assert scores.scale.site_factor == pytest.approx(1.25, rel=1e-4)
    assert scores.columns['site_scaled'].abs_rel == pytest.approx(.5 / 3, abs=1e-4)
    assert scores.columns['median_scaled'].abs_rel == pytest.approx(0, abs=1e-6)
    assert [frame.ratio for frame in scores.frames] == pytest.approx([1.25, 1.25, 2.5])


def test_scaling_comes_before_the_clamp() -> None:
    """16 and 32 m, a third of that, clamped to 10 m only then: 5.33 and 10, not both 8."""
    truth = np.full((20, 30), 8, np.float32)
    prediction = truth * 4
    prediction[:10] = 16
    scores = score([(prediction, truth)])
    wanted = ((8 - 16 / 3) / 8 + (10 - 8) / 8) / 2
    assert scores.columns['median_scaled'].abs_rel == pytest.approx(wanted)


def test_frame_metrics_are_those_of_the_plain_definition() -> None:
    """Sorting by range and summing parts changes nothing."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(.2, 12, (24, 32)).astype(np.float32)
    truth[rng.random(truth.shape) < .2] = np.nan
    prediction = rng.uniform(.2, 12, truth.shape).astype(np.float32)
    got = score([(prediction, truth)]).columns['raw'].to_dict()
    assert got == pytest.approx(compute_metrics(prediction, truth).to_dict())


def test_ranges_pool_the_pixels_of_all_frames() -> None:
    """One metre readings are right, three metre readings a third too far."""
    truth = np.full((20, 30), 1.5, np.float32)
    truth[:5] = 3
    prediction = np.where(truth == 3, 4, truth).astype(np.float32)
    ranges = score([(prediction, truth), (prediction, truth)]).ranges
    assert [(r.lower, r.upper, r.pixels) for r in ranges] == [
        (.3, 1, 0), (1, 2, 900), (2, 4, 300), (4, 10, 0)]
    assert ranges[1].columns['raw'].abs_rel == 0
    assert ranges[2].columns['raw'].abs_rel == pytest.approx(1 / 3)
    assert np.isnan(ranges[0].columns['raw'].abs_rel)


def test_constant_floor_is_the_frames_median() -> None:
    """And the other frames' median where one factor for the set is allowed."""
    a, b = ramp(1, 5), ramp(2, 9)
    floors = score([(a, a), (b, b)]).floors['constant']
    own = [compute_metrics(np.full_like(t, np.median(t)), t).abs_rel for t in (a, b)]
    other = [compute_metrics(np.full_like(t, np.median(o)), t).abs_rel
             for t, o in ((a, b), (b, a))]
    assert floors['median_scaled'].abs_rel == pytest.approx(np.mean(own))
    assert floors['site_scaled'].abs_rel == pytest.approx(np.mean(other))


def test_row_prior_knows_a_floor() -> None:
    """Inverse depth linear in the row, the same in both frames: no error left."""
    v = (np.arange(20) + .5) / 20
    truth = np.repeat(1 / (.15 + .8 * v)[:, None], 30, axis=1).astype(np.float32)
    floors = score([(np.ones_like(truth), truth)] * 2).floors
    assert floors['row_prior']['site_scaled'].abs_rel == pytest.approx(0, abs=1e-5)
    assert floors['row_prior']['median_scaled'].abs_rel == pytest.approx(0, abs=1e-5)
    assert floors['constant']['median_scaled'].abs_rel > .1


def test_one_frame_has_only_its_own_median_as_floor() -> None:
    """Nothing is fitted on the frame itself."""
    floors = score([(ramp(), ramp())]).floors
    assert set(floors['constant']) == {'median_scaled'}
    assert floors['row_prior'] == {}


def test_coverage_counts_missing_predictions() -> None:
    """Half of the readings have no prediction; a quarter of the image has no reading."""
    truth = ramp()
    truth[:5] = np.nan
    prediction = ramp()
    prediction[:, ::2] = np.nan
    frame = score([(prediction, truth)]).frames[0]
    assert frame.reference == .75
    assert frame.predicted == .5
    assert frame.pixels == 225
    assert frame.columns['raw'].abs_rel == 0


def test_why_a_frame_is_not_scored() -> None:
    """Each reason in words; nothing else changes."""
    with Scorer() as scorer:
        nothing = np.full((20, 30), np.nan, np.float32)
        assert 'reference readings' in str(scorer.add('a', 0, ramp(), nothing))
        assert 'predicted pixels' in str(scorer.add('b', 0, nothing, ramp()))
        assert 'differ in size' in str(scorer.add('c', 0, ramp()[1:], ramp()))
        assert len(scorer) == 0
        assert np.isnan(scorer.finish().columns['raw'].abs_rel)


def test_options_are_checked_at_once() -> None:
    """Not after an hour of predictions."""
    with pytest.raises(DepthRangeError):
        ScoringOptions(2, 1)
