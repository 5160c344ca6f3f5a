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

"""Every crop pixel by pixel against windows computed by hand."""

import numpy as np
import pytest

from mde_ros.evaluation.crops import crop_mask, crop_window, CropError, cropped, CROPS

# (crop, height, width): first and last scored row, first and last scored column.
BY_HAND = {
    ('none', 375, 1242): (0, 374, 0, 1241),
    # .40810811 * 375 = 153.04, .99189189 * 375 = 371.96; .03594771 * 1242 = 44.65,
    # .96405229 * 1242 = 1197.35: rows 153 to 370, columns 44 to 1196.
    ('garg', 375, 1242): (153, 370, 44, 1196),
    # The other KITTI sizes; 370 x 1224 has 366.9999993 and 43.99999704, both cut off: the
    # comment in published code says 3 rows from the lower edge and column 44.
    ('garg', 370, 1224): (151, 365, 43, 1179),
    ('garg', 370, 1226): (151, 365, 44, 1180),  # 44.07, 1181.93
    ('garg', 376, 1241): (153, 371, 44, 1195),  # 153.45, 372.95; 44.61, 1196.39
    ('garg', 4, 6): (1, 2, 0, 4),  # 1.63, 3.97; .22, 5.78
    # .3324324 * 375 = 124.66, .91351351 * 375 = 342.57.
    ('eigen', 375, 1242): (124, 341, 44, 1196),
    ('eigen', 10, 100): (3, 8, 3, 95),  # 3.32, 9.14; 3.59, 96.41
    # The last 352 rows and int((1242 - 1216) / 2) = 13.
    ('kb', 375, 1242): (23, 374, 13, 1228),
    ('kb', 376, 1241): (24, 375, 12, 1227),  # int(12.5)
    # 143.65, 349.15; 43.71, 1172.29
    ('garg', 352, 1216): (143, 348, 43, 1171),
    ('nyu_eigen', 480, 640): (45, 470, 41, 600),
    ('t2net_indoor', 480, 640): (12, 467, 16, 623),
    ('without_ego_car', 1024, 2048): (0, 767, 0, 2047),
    ('cityscapes', 768, 2048): (256, 767, 192, 1855),
}


@pytest.mark.parametrize(('name', 'height', 'width'), BY_HAND)
def test_every_pixel(name: str, height: int, width: int) -> None:
    top, bottom, left, right = BY_HAND[name, height, width]
    mask = crop_mask(name, height, width)
    assert mask.shape == (height, width) and mask.dtype == bool
    wanted = np.array([[top <= row <= bottom and left <= column <= right
                        for column in range(width)] for row in range(height)])
    np.testing.assert_array_equal(mask, wanted)


def test_the_int32_of_published_code_cuts_off_alike() -> None:
    """T2Net and monodepth2 round by astype(int32), AdaBins by int()."""
    for height in range(300, 400):
        for width in (1216, 1224, 1226, 1238, 1241, 1242):
            crop = np.array([0.40810811 * height, 0.99189189 * height,
                             0.03594771 * width, 0.96405229 * width]).astype(np.int32)
            assert crop_window('garg', height, width) == tuple(crop.tolist())


def test_the_columns_of_the_duplicate_index_are_never_scored() -> None:
    """Published velodyne code confuses the last column with the first: no KITTI crop has them."""
    for name in ('garg', 'eigen'):
        for size in ((375, 1242), (370, 1226), (376, 1241), (370, 1224)):
            mask = crop_mask(name, *size)
            assert not mask[:, [0, -1]].any()


@pytest.mark.parametrize(('name', 'height', 'width', 'wanted'), [
    ('kb', 351, 1242, 'at least 1216x352, not 1242x351'),
    ('kb', 375, 1200, 'at least 1216x352'),
    ('nyu_eigen', 427, 561, '640x480, not 561x427'),
    ('t2net_indoor', 240, 320, '640x480, not 320x240'),
    ('cityscapes', 1024, 2048, '2048x768, not 2048x1024')])
def test_sizes_that_a_crop_has_no_window_for(
        name: str, height: int, width: int, wanted: str) -> None:
    with pytest.raises(CropError, match=f"crop '{name}' is for images of {wanted}"):
        crop_mask(name, height, width)


def test_cropped_depth() -> None:
    depth = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert cropped(depth, 'none') is depth
    got = cropped(depth, 'garg')  # rows 1 and 2, columns 0 to 4
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got[1:3, :5], depth[1:3, :5])
    assert np.isfinite(got).sum() == 10


def test_unknown_crop() -> None:
    with pytest.raises(CropError, match=f'there are: {", ".join(CROPS)}'):
        crop_window('middle', 10, 10)
