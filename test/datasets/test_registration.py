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

"""Depth projected into another camera, by hand and against a rendered scene."""

import cv2
import numpy as np
import pytest
from synthetic_scene import render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.indoor.registration import lens_rays, register_depth

SMALL = Intrinsics(8, 6, 10., 10., 4., 3.)
EYE = np.eye(3)


def one_reading(column: int, row: int, metres: float) -> np.ndarray:
    """Return an 8 x 6 depth with one reading."""
    depth = np.full((6, 8), np.nan, np.float32)
    depth[row, column] = metres
    return depth


def test_by_hand() -> None:
    # x = (6 - 4) / 10 * 2 = 0.4, y = (1 - 3) / 10 * 2 = -0.4; 0.6 to the left, 0.5 nearer:
    # column 4 + 10 * -0.2 / 1.5 = 2.67 -> 3, row 3 + 10 * -0.4 / 1.5 = 0.33 -> 0.
    out = register_depth(one_reading(6, 1, 2.), SMALL, SMALL, EYE, np.array([-.6, 0., -.5]))
    assert out[0, 3] == np.float32(1.5)
    assert np.isfinite(out).sum() == 1
    # A quarter turn about the axis: (x, y) -> (-y, x), (0.4, 0.4): column 6, row 5.
    turn = np.array([[0., -1, 0], [1, 0, 0], [0, 0, 1]])
    out = register_depth(one_reading(6, 1, 2.), SMALL, SMALL, turn, np.zeros(3))
    assert out[5, 6] == 2 and np.isfinite(out).sum() == 1


def test_the_nearest_wins_and_the_rest_is_left_out() -> None:
    target = Intrinsics(4, 3, 5., 5., 2., 1.5)  # half the size: four pixels meet
    depth = np.arange(1, 49, dtype=np.float32).reshape(6, 8)
    depth[0, 0] = 0
    for order in (depth, depth[::-1, ::-1].copy()):
        out = register_depth(order, SMALL, target, EYE, np.zeros(3))
        rays = lens_rays(SMALL)
        columns = np.rint(rays[..., 0] * 5 + 2).astype(int)
        rows = np.rint(rays[..., 1] * 5 + 1.5).astype(int)
        for row in range(3):
            for column in range(4):
                there = order[(columns == column) & (rows == row) & (order > 0)]
                if there.size:
                    assert out[row, column] == there.min()
                else:
                    assert np.isnan(out[row, column])
    # Behind the camera.
    out = register_depth(one_reading(4, 3, 1.), SMALL, SMALL, EYE, np.array([0., 0, -2]))
    assert np.isnan(out).all()


@pytest.mark.parametrize('offset', [(.03, 0., 0.), (.02, -.01, .1)])
def test_a_rendered_scene(offset: tuple[float, float, float]) -> None:
    # A target of lower resolution has no gaps; readings land within half a pixel.
    camera = Intrinsics(160, 120, 150., 150., 79.3, 60.2)
    target = Intrinsics(64, 48, 61.3, 61.3, 31.7, 24.2)
    seen, expected = render(camera), render(target, position=offset)
    out = register_depth(seen.depth.astype(np.float32), camera, target, EYE, -np.array(offset))
    known = np.isfinite(out)
    assert known.mean() > .9
    inner = known & (cv2.morphologyEx(expected.box.astype(np.uint8), cv2.MORPH_GRADIENT,
                                      np.ones((5, 5), np.uint8)) == 0)
    assert inner.mean() > .6
    # Half a pixel on the plane is at most 0.5 / 61 * 0.36 / 0.8 of the depth, on the box's
    # flat faces nothing.
    assert np.allclose(out[inner], expected.depth[inner], rtol=6e-3)


def test_distortion_is_undone() -> None:
    bent = Intrinsics(64, 48, 60., 60., 31.5, 23.5, 'plumb_bob', (-.1, .02, .001, -.002, 0.))
    rays = lens_rays(bent)
    # OpenCV's forward model brings each ray back to its pixel.
    points = np.concatenate([rays, np.ones((48, 64, 1))], -1).reshape(-1, 3)
    pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), bent.matrix,
                                  np.array(bent.distortion))
    columns, rows = np.meshgrid(np.arange(64), np.arange(48))
    assert np.allclose(pixels[:, 0], np.stack([columns, rows], -1).reshape(-1, 2), atol=1e-3)
