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

"""Rectification: what the lens bends lands where the pinhole says."""

import cv2
import numpy as np
import pytest

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError

SIZE = (160, 120)
LENSES = {
    'barrel': Intrinsics(*SIZE, 120., 122., 81., 58., 'plumb_bob', (-.25, .06, .002, -.003, 0.)),
    'pincushion': Intrinsics(*SIZE, 120., 122., 81., 58., 'plumb_bob', (.2, .02, 0., 0.)),
    'rational': Intrinsics(*SIZE, 110., 111., 78., 61., 'rational_polynomial',
                           (.4, -.1, .0005, -.0004, .01, .8, -.12, .02)),
    'fisheye': Intrinsics(*SIZE, 70., 71., 80., 60., 'equidistant', (.03, -.01, .004, -.001)),
}


def bent(camera: Intrinsics, points: np.ndarray) -> np.ndarray:
    """Return where OpenCV's model of the lens puts points, N x 3."""
    lens, zero = np.array(camera.distortion), np.zeros(3)
    if camera.distortion_model == 'equidistant':
        return cv2.fisheye.projectPoints(
            points.reshape(-1, 1, 3), zero, zero, camera.matrix, lens)[0].reshape(-1, 2)
    return cv2.projectPoints(points, zero, zero, camera.matrix, lens)[0].reshape(-1, 2)


def blobs(pixels: np.ndarray) -> np.ndarray:
    """Return an image with a soft dot at every pixel, to a fraction of one."""
    v, u = np.mgrid[:SIZE[1], :SIZE[0]]
    image = sum(np.exp(-((u - x) ** 2 + (v - y) ** 2) / 3) for x, y in pixels)
    return np.repeat(np.rint(255 * np.minimum(image, 1)).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize('name', LENSES)
def test_dots_land_where_the_pinhole_says(name: str) -> None:
    camera = LENSES[name]
    straight = np.array([[x, y] for x in (25, 60, 100, 135) for y in (22, 60, 98)], np.float64)
    points = np.concatenate([(straight - (camera.cx, camera.cy)) / (camera.fx, camera.fy),
                             np.ones((len(straight), 1))], 1)
    curved = bent(camera, points)
    assert np.abs(curved - straight).max() > 1.5  # else this test shows nothing
    rectifier = Rectifier(camera)
    seen = rectifier.apply(blobs(curved))[..., 0].astype(np.float64)
    for x, y in straight:
        left, top = int(x) - 7, int(y) - 7
        window = seen[top:top + 15, left:left + 15]
        v, u = np.mgrid[top:top + 15, left:left + 15]
        centre = (window * u).sum() / window.sum(), (window * v).sum() / window.sum()
        assert centre == pytest.approx((x, y), abs=.15)


@pytest.mark.parametrize('name', LENSES)
def test_rectified_camera_and_sizes(name: str) -> None:
    camera = LENSES[name]
    rectifier = Rectifier(camera)
    assert rectifier.rectified == Intrinsics(*SIZE, camera.fx, camera.fy, camera.cx, camera.cy)
    assert not rectifier.identity
    image = np.full((*SIZE[::-1], 3), 77, np.uint8)
    # Beyond the lens the border repeats: a flat image stays flat.
    np.testing.assert_array_equal(rectifier.apply(image), image)
    with pytest.raises(IntrinsicsError, match=r'80x60.*160x120'):
        rectifier.apply(image[::2, ::2])


def test_what_the_lens_did_not_see() -> None:
    # A pincushion lens pushes the pinhole's corners out of its image.
    valid = Rectifier(LENSES['pincushion']).valid
    assert not valid[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert valid[58, 81]
    assert valid[40:80, 50:110].all()
    # A barrel lens sees more than the pinhole shows.
    assert Rectifier(LENSES['barrel']).valid.all()


def test_depth_moves_unmixed() -> None:
    camera = LENSES['pincushion']
    rectifier = Rectifier(camera)
    u = np.arange(SIZE[0], dtype=np.float32)
    depth = np.tile(np.where(u < 81, 1, 5).astype(np.float32), (SIZE[1], 1))
    depth[50, 70] = np.nan
    moved = rectifier.apply_depth(depth)
    assert set(np.unique(moved[rectifier.valid & np.isfinite(moved)])) == {1., 5.}
    assert np.isnan(moved[~rectifier.valid]).all()
    # The column through the principal point stays a straight edge.
    assert (moved[20:45, :80] != 5).all()
    assert (moved[20:45, 83:] != 1).all()
    # Near the axis nothing moves: the hole stays a hole.
    assert np.isnan(moved[49:52, 69:72]).any()


def test_depth_names_the_size() -> None:
    with pytest.raises(IntrinsicsError, match='5x4'):
        Rectifier(LENSES['barrel']).apply_depth(np.ones((4, 5), np.float32))


def test_a_perfect_lens_costs_nothing() -> None:
    camera = Intrinsics(8, 6, 5., 5., 4., 3., 'plumb_bob', (0.,) * 5)
    rectifier = Rectifier(camera)
    image = np.zeros((6, 8, 3), np.uint8)
    depth = np.ones((6, 8), np.float32)
    assert rectifier.identity
    assert rectifier.valid.all()
    assert rectifier.apply(image) is image
    assert rectifier.apply_depth(depth) is depth
    with pytest.raises(IntrinsicsError, match='8x6'):
        rectifier.apply(image[:, :4])


def test_a_polynomial_that_turns_back_is_invalid_there() -> None:
    # r (1 - r^2) grows up to r = 0.577: 57.7 px from the middle at f = 100.
    camera = Intrinsics(201, 201, 100., 100., 100., 100., 'plumb_bob', (-1., 0., 0., 0.))
    valid = Rectifier(camera).valid
    assert valid[100, 100 - 56:100 + 57].all()
    assert not valid[100, :100 - 59].any()
    assert not valid[100, 100 + 60:].any()


def test_nonsense_coefficients_are_refused() -> None:
    camera = Intrinsics(64, 48, 50., 50., 31., 24., 'plumb_bob', (0., 0., 900., 900.))
    with pytest.raises(IntrinsicsError, match='of the image: calibrate'):
        Rectifier(camera)
