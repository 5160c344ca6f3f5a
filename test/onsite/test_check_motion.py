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

"""Two views of a textured scene whose depth is known, triangulated."""

from pathlib import Path

from adapt_harness import TINY
import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_motion import (
    deviation, motion_measure, motion_points, MotionPoints, triangulate)
from mde_ros.onsite.check_pictures import CheckPicture

CAMERA = Intrinsics(320, 240, 300., 300., 159.5, 119.5)
NEAR, FAR = 2., 4.


def texture(seed: int) -> NDArray[np.uint8]:
    """Return a picture full of corners."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (60, 100, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (800, 480), interpolation=cv2.INTER_CUBIC))


def view(x: float, near: float = NEAR, far: float = FAR) -> NDArray[np.uint8]:
    """Return what a camera at ``x`` metres sees: a near wall on the left, a far one right."""
    image = np.empty((240, 320, 3), np.uint8)
    for depth, seed, columns in ((far, 1, slice(160, 320)), (near, 0, slice(0, 160))):
        shift = np.float64([[1, 0, -200 - 300 * x / depth], [0, 1, -100]])
        wall = cv2.warpAffine(texture(seed), shift, (320, 240), flags=cv2.INTER_CUBIC)
        image[:, columns] = wall[:, columns]
    return image


def test_depth_up_to_one_factor() -> None:
    found = triangulate(view(0), view(.15), CAMERA.matrix)
    assert found is not None
    pixels, depth = found
    left = depth[pixels[:, 0] < 130]
    right = depth[pixels[:, 0] > 190]
    assert len(left) > 20 and len(right) > 20
    assert np.median(right) / np.median(left) == pytest.approx(FAR / NEAR, rel=.12)


@pytest.mark.parametrize(('first', 'second'), [
    (view(0), view(0)),  # no motion
    (view(0), texture(5)[:240, :320]),  # another place
    (view(0, 3., 3.), view(.2, 3., 3.)),  # one plane
    (np.zeros((240, 320, 3), np.uint8), view(0)),  # nothing to be seen
])
def test_pairs_that_say_nothing(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> None:
    assert triangulate(np.ascontiguousarray(first), np.ascontiguousarray(second),
                       CAMERA.matrix) is None


def test_deviation_is_the_median_of_differences() -> None:
    assert deviation(np.array([0., 1., 2., 3., 100.])) == 1.


def test_points_of_a_recording(tmp_path: Path) -> None:
    with RgbdFolderWriter(tmp_path / 'walk', CAMERA, camera='test', licence='none',
                          source='test', image_format='png') as writer:
        for number, x in enumerate((0., .15, .3)):
            writer.write(Frame(f'{number}', 1 + number, view(x), CAMERA))
    found = motion_points([RgbdFolder(tmp_path / 'walk', read_depth=False)], 9, 160 * 120)
    assert len(found) == 2
    one = found[0]
    height, width = (side // 2 for side in one.picture.image.shape[:2])
    assert one.columns.max() < width and one.rows.max() < height
    # Turning and moving are hard to tell apart: a tenth is lost. Left is nearer, wherever the
    # points are in the network's output.
    assert np.median(one.log_depth[one.columns > .6 * width]) - np.median(
        one.log_depth[one.columns < .4 * width]) == pytest.approx(np.log(2), abs=.12)
    assert motion_points([RgbdFolder(tmp_path / 'walk', read_depth=False)], 1, 160 * 120)


class Columns(DepthNetwork):
    """Says one log depth in the left half and another in the right."""

    def __init__(self, left: float, right: float) -> None:
        super().__init__(TINY)
        self.values = left, right

    def forward_domain(self, image: torch.Tensor, domain: str) -> torch.Tensor:
        out = torch.full_like(image[:, :1, ::2, ::2], self.values[0])
        out[..., out.shape[-1] // 2:] = self.values[1]
        return out


def test_the_right_shape_has_no_error_at_any_scale() -> None:
    picture = CheckPicture(np.zeros((48, 64, 3), np.uint8), 50.)
    # Three points to the left, three to the right, which are 1 farther.
    pair = MotionPoints(picture, np.full(6, 5), np.array([1, 2, 3, 20, 21, 22]),
                        np.array([0., 0., 0., 1., 1., 1.]))
    assert motion_measure(Columns(7., 8.), [pair])[0] == pytest.approx(0, abs=1e-6)
    # Flat: half of the points are off by 1, the median between them: all by a half.
    assert motion_measure(Columns(7., 7.), [pair])[0] == pytest.approx(.5)
