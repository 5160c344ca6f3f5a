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

"""What a check looks at: sizes, focal lengths, labels, colours."""

from pathlib import Path

from adapt_harness import CAMERA, write_frames
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.check_pictures import (
    CheckPicture, picture_of, restyled, source_pictures, spread_indices, target_pictures)


def test_numbers_spread_over_a_set() -> None:
    assert spread_indices(9, 3) == [0, 4, 8]
    assert spread_indices(2, 5) == [0, 1]
    assert spread_indices(0, 5) == []


def test_a_labelled_picture_at_the_networks_size() -> None:
    depth = np.full((48, 64), 2., np.float32)
    depth[:, 32:] = np.nan
    picture = picture_of(Frame('a', 0, np.full((48, 64, 3), 9, np.uint8), CAMERA, depth), 32 * 24)
    # 64 x 48 to 768 pixels: half the size, rounded to multiples of 16, so 32 x 16 or 32 x 32.
    height, width = picture.image.shape[:2]
    assert width == 32 and height % 16 == 0
    assert picture.log_depth is not None
    assert picture.log_depth.shape == (height // 2, width // 2)
    inside = picture.log_depth[np.isfinite(picture.log_depth)]
    np.testing.assert_allclose(inside, np.log(2.))
    assert not np.isfinite(picture.log_depth[:, width // 4:]).any()
    assert picture.focal == pytest.approx(60 * (picture.focal / 60))
    assert 15 < picture.focal <= 30


def test_depth_of_a_lens_moves_with_its_picture() -> None:
    lens = Intrinsics(64, 48, 60., 60., 31.5, 23.5, 'plumb_bob', (-.3, 0., 0., 0.))
    image = np.zeros((48, 64, 3), np.uint8)
    depth = np.ones((48, 64), np.float32)
    image[:, :12], depth[:, :12] = 255, 3.
    picture = picture_of(Frame('a', 0, image, lens, depth), 64 * 48)
    assert picture.log_depth is not None
    bright = picture.image[::2, ::2, 0] > 127
    far = picture.log_depth > .5
    assert (bright == far).mean() > .97


def test_target_pictures_have_no_labels(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / 'set', 6, True)
    found = target_pictures([RgbdFolder(folder, read_depth=False)], 4, 64 * 48)
    assert len(found) == 4 and all(picture.log_depth is None for picture in found)
    with pytest.raises(ValueError, match='read_depth=False'):
        target_pictures([RgbdFolder(folder)], 4, 64 * 48)


def test_source_pictures_of_several_sets(tmp_path: Path) -> None:
    sets = [RgbdFolder(write_frames(tmp_path / name, 3, True, seed))
            for seed, name in enumerate('ab')]
    found = source_pictures(sets, 6, 64 * 48)
    assert len(found) == 6
    for picture, frame in zip(found, (*sets[0], *sets[1])):
        np.testing.assert_array_equal(picture.image, frame.image)
    unlabelled = RgbdFolder(write_frames(tmp_path / 'c', 3, False))
    assert source_pictures([unlabelled], 3, 64 * 48) == []


def test_colours_of_another_picture() -> None:
    rng = np.random.default_rng(0)
    one = CheckPicture(rng.integers(100, 156, (48, 64, 3), dtype=np.uint8), 50.,
                       np.zeros((24, 32), np.float32))
    dark = CheckPicture((rng.integers(20, 60, (48, 64, 3)) * (1, .5, .5)).astype(np.uint8), 50.)
    made = restyled(one, dark)
    assert made.log_depth is one.log_depth and made.focal == one.focal
    np.testing.assert_allclose(made.image.mean((0, 1)), dark.image.mean((0, 1)), atol=4)
    same = restyled(one, one).image.astype(int)
    assert np.abs(same - one.image).max() <= 2
