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

"""Networks and frames of a check outside of an adaptation."""

from pathlib import Path

from adapt_harness import save_tiny, tiny_network
import numpy as np
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.profile import save_profile
from mde_ros.estimation.profile_card import SiteScale
from mde_ros.estimation.weights import load_card
from mde_ros.onsite.check_networks import (
    change_rows, load_network, spread_frames, unlabelled_pictures)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Write weights and a profile with other weights and a scale of 2."""
    path = save_tiny(tmp_path / 'start')
    save_profile(tmp_path / 'site', tiny_network(), load_card(path), tiny_network(5),
                 name='site', scale=SiteScale(2., None, 'tape', 1))
    return path


def test_weights_with_and_without_a_profile(profile: Path, tmp_path: Path) -> None:
    plain = load_network(str(profile))
    assert plain.profile is None and plain.area == 48 * 64
    assert plain.model_id == plain.card.model_id
    with_profile = load_network(str(profile), str(tmp_path / 'site'))
    assert with_profile.profile is not None and not with_profile.network.training
    assert with_profile.model_id == f'{plain.model_id}+{with_profile.profile.profile_id}'


def test_frames_without_their_depth(rgbd_folder: Path) -> None:
    source = RgbdFolder(rgbd_folder)
    frames = spread_frames(source, 2, 9)
    assert [frame.name for frame in frames] == ['000000', '000002', '000004']
    assert all(frame.depth is None for frame in frames)
    assert all(one.log_depth is None for one in unlabelled_pictures(list(source), 48 * 64))


def test_rows_show_what_a_robot_gets(profile: Path, tmp_path: Path, rgbd_folder: Path) -> None:
    plain = load_network(str(profile))
    scaled = load_network(str(profile), str(tmp_path / 'site'))
    frames = spread_frames(RgbdFolder(rgbd_folder), 1, 6)
    same = change_rows(plain, plain, frames, 2)
    assert [row.title for row in same] == [
        '000000: median depth +0.0%', '000005: median depth +0.0%']
    assert same[0].truth is None
    doubled = change_rows(scaled, scaled, frames, 1)[0]
    assert not np.allclose(doubled.after, same[0].after)
    np.testing.assert_array_equal(doubled.before, doubled.after)
