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

"""Rays and points against hand-computed numbers and OpenCV's projection."""

import cv2
from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from mde_ros.camera.geometry import (
    check_size, depth_to_points, GeometryError, ray_length_factor, rays)
from mde_ros.camera.intrinsics import Intrinsics

SMALL = Intrinsics(4, 3, 2., 4., 1., 1.)
LENSES = [
    Intrinsics(64, 48, 50., 51., 31., 24., 'plumb_bob', (-.2, .05, .001, -.002, .01)),
    Intrinsics(64, 48, 50., 51., 31., 24., 'plumb_bob', (.1, -.02, .001, .002)),
    Intrinsics(64, 48, 50., 51., 31., 24., 'rational_polynomial',
               (.3, -.1, .0005, -.0003, .01, .6, -.1, .02)),
    Intrinsics(64, 48, 30., 31., 31., 24., 'equidistant', (.02, -.01, .003, -.001)),
]


def project(camera: Intrinsics, points: np.ndarray) -> np.ndarray:
    """Return the pixels, N x 2, where OpenCV's model of the lens puts points, N x 3."""
    lens, zero = np.array(camera.distortion), np.zeros(3)
    if camera.distortion_model == 'equidistant':
        pixels, _ = cv2.fisheye.projectPoints(
            points.reshape(-1, 1, 3), zero, zero, camera.matrix, lens)
    else:
        pixels, _ = cv2.projectPoints(points, zero, zero, camera.matrix, lens)
    return np.asarray(pixels).reshape(-1, 2)


def test_rays_by_hand() -> None:
    found = rays(SMALL)
    assert found.shape == (3, 4, 2)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0, 3], [1., -.25])  # (3 - 1) / 2, (0 - 1) / 4
    np.testing.assert_array_equal(found[1, 1], [0, 0])


def test_rays_are_cached_and_cannot_be_spoilt() -> None:
    assert rays(SMALL) is rays(Intrinsics(4, 3, 2., 4., 1., 1.))
    for array in (rays(SMALL), ray_length_factor(SMALL)):
        with pytest.raises(ValueError, match='read-only'):
            array[0, 0] = 1


@pytest.mark.parametrize('camera', LENSES, ids=lambda camera: camera.distortion_model)
def test_rays_of_a_real_lens_project_to_their_pixels(camera: Intrinsics) -> None:
    found = rays(camera).reshape(-1, 2).astype(np.float64)
    points = np.concatenate([found * 3, np.full((len(found), 1), 3.)], 1)
    v, u = np.mgrid[:camera.height, :camera.width]
    np.testing.assert_allclose(
        project(camera, points), np.stack([u, v], -1).reshape(-1, 2), atol=1e-3)


def test_rays_beyond_half_a_turn_are_nan() -> None:
    # Equidistant, f = 10 px a radian: 90 degrees off the axis is 15.7 px from the centre.
    camera = Intrinsics(41, 41, 10., 10., 20., 20., 'equidistant', (1e-6, 0, 0, 0))
    found = rays(camera)
    assert found[20, 30, 0] == pytest.approx(np.tan(1.), rel=1e-3)
    assert np.isnan(found[20, 40]).all()
    assert np.isnan(found[20, 0]).all()
    assert np.isfinite(found[20, 5:36]).all()


def test_ray_length_by_hand() -> None:
    found = ray_length_factor(Intrinsics(4, 5, 3., 1., 0., 0.))
    assert found[0, 0] == 1
    assert found[4, 3] == pytest.approx(np.sqrt(1 + 1 + 16))


def test_depth_to_points_by_hand() -> None:
    depth = np.full((3, 4), 2, np.float32)
    depth[0, 1], depth[1, 0], depth[2, 2] = np.nan, np.inf, -np.inf
    points = depth_to_points(depth, SMALL)
    assert points.shape == (3, 4, 3)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points[0, 3], [2., -.5, 2.])
    np.testing.assert_array_equal(points[2, 0], [-1., .5, 2.])
    for row, column in ((0, 1), (1, 0), (2, 2)):
        assert np.isnan(points[row, column]).all()
    assert np.isnan(points).sum() == 9
    assert np.isinf(depth[1, 0])  # the depth given is left alone


@settings(max_examples=30, deadline=None)
@given(width=st.integers(1, 40), height=st.integers(1, 40), focal=st.floats(5, 500),
       seed=st.integers(0, 1000))
def test_points_project_back(width: int, height: int, focal: float, seed: int) -> None:
    camera = Intrinsics(width, height, focal, 1.1 * focal, width / 3, height / 2)
    depth = np.random.default_rng(seed).uniform(.3, 20, (height, width)).astype(np.float32)
    points = depth_to_points(depth, camera).reshape(-1, 3).astype(np.float64)
    pixels = points @ camera.matrix.T
    v, u = np.mgrid[:height, :width]
    np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:],
                               np.stack([u, v], -1).reshape(-1, 2), atol=2e-4)
    np.testing.assert_allclose(
        np.linalg.norm(points, axis=1),
        (depth * ray_length_factor(camera)).ravel(), rtol=1e-5)


def test_sizes_must_agree() -> None:
    with pytest.raises(GeometryError, match='4x3'):
        depth_to_points(np.ones((4, 3), np.float32), SMALL)
    check_size(np.ones((3, 4), np.float32), SMALL)
