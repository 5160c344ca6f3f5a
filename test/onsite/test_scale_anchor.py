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

"""The scale of a profile from tape, camera height and ranges."""

from pathlib import Path

from adapt_harness import TINY, tiny_network, tiny_settings
import numpy as np
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile_card import SiteScale
from mde_ros.estimation.weights import WeightCard
from mde_ros.onsite.scale_anchor import anchor_of, kept_scale, site_scale

CARD = WeightCard('tiny', TINY, 48 * 64)


def test_no_anchor_is_a_factor_of_one(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    assert anchor_of(settings) == {}
    frames = RgbdFolder(tmp_path / 'recording', read_depth=False)
    assert site_scale({}, tiny_network(), CARD, frames) == (SiteScale(), '')


def test_what_was_measured_keeps_its_level_by_the_median_shift() -> None:
    before, after = np.log([2., 3., 10.]), np.log([1., 2., 4.])
    measured = SiteScale(1.5, .02, 'tape', 1)
    found = kept_scale(before, after, measured)
    assert found.factor == pytest.approx(3.) and (found.source, found.count) == ('kept', 3)
    assert found.log_std is None
    # 3 d ** .5 before, so 3 (2 d) ** .5 after.
    scaled = kept_scale(before, after, SiteScale(3., exponent=.5))
    assert scaled.exponent == .5
    depth = np.array([1., 4.], np.float32)
    np.testing.assert_allclose(scaled.apply(depth), 3 * np.sqrt(2 * depth), rtol=1e-6)
    # No file is refused for a network that went astray; the check says what it thinks of it.
    assert kept_scale(before + 9, after, measured).factor == 50.


def test_without_a_measurement_there_is_no_level_to_be_kept() -> None:
    assert kept_scale(np.log([2.]), np.log([1.]), SiteScale()) == SiteScale()


def test_an_anchor_that_says_nothing_leaves_the_scale_of_before(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, camera_height=.4)
    frames = RgbdFolder(tmp_path / 'recording', read_depth=False)
    kept = SiteScale(.9, .1, 'kept', 4)
    assert site_scale({}, tiny_network(), CARD, frames, otherwise=kept) == (kept, '')
    found, problem = site_scale(
        anchor_of(settings), tiny_network(), CARD, frames, otherwise=kept)
    assert found == kept and problem


def test_a_tape_measurement_of_the_middle(tmp_path: Path) -> None:
    anchor = anchor_of(tiny_settings(tmp_path, tape=3.))
    frames = RgbdFolder(tmp_path / 'recording', read_depth=False)
    scale, problem = site_scale(anchor, tiny_network(), CARD, frames)
    estimate = DepthEstimator((tiny_network(), CARD)).estimate(
        frames[0].image, frames[0].intrinsics)
    middle = float(np.median(estimate.depth[22:26, 30:34]))
    assert problem == '' and (scale.source, scale.count) == ('tape', 1)
    assert scale.factor == pytest.approx(3. / middle, rel=.15)


def test_a_camera_height_without_a_floor_says_why(tmp_path: Path) -> None:
    anchor = anchor_of(tiny_settings(tmp_path, camera_height=.4))
    scale, problem = site_scale(anchor, tiny_network(), CARD, RgbdFolder(
        tmp_path / 'recording', read_depth=False))
    assert scale == SiteScale() and problem.startswith('camera_height: ')


def test_odometry_goes_to_the_estimate(tmp_path: Path) -> None:
    path = tmp_path / 'odometry.jsonl'
    path.write_text('{"stamp": 5, "position": [1, 0, 0], "orientation": [0, 0, 0, 1]}\n')
    poses = anchor_of(tiny_settings(tmp_path, odometry=path))['odometry']
    assert [(pose.stamp_ns, tuple(pose.position)) for pose in poses] == [(5, (1., 0., 0.))]


def test_ranges_that_cannot_be_read_stop_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match='none'):
        anchor_of(tiny_settings(tmp_path, ranges=tmp_path / 'none.csv'))


def test_a_reading_of_a_frame(tmp_path: Path) -> None:
    (tmp_path / 'ranges.csv').write_text('frame,metres\n000003,2.5\n')
    anchor = anchor_of(tiny_settings(tmp_path, ranges=tmp_path / 'ranges.csv'))
    scale, problem = site_scale(anchor, tiny_network(), CARD, RgbdFolder(
        tmp_path / 'recording', read_depth=False))
    assert problem == '' and (scale.source, scale.count) == ('ranges', 1)
