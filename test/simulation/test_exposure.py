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

"""Contact shadows and automatic exposure."""

import numpy as np

from mde_ros.simulation.exposure import bloom, expose, occlusion


def floor_and_wall() -> np.ndarray:
    """Return the depth of a floor 1 m below the camera that meets a wall 3 m away."""
    v = np.arange(120)[:, None] - 59.5
    with np.errstate(divide='ignore'):
        floor = np.where(v > 0, 100 / v, np.inf)
    return np.repeat(np.minimum(floor, 3.), 160, 1).astype(np.float32)


def test_a_plane_has_no_creases() -> None:
    v, u = np.mgrid[0:60, 0:80]
    tilted = (1 / (.2 + .002 * u + .003 * v)).astype(np.float32)
    # Away from the border, where the mirrored picture bends the plane.
    assert occlusion(tilted, 4)[8:-8, 8:-8].max() < 1e-3


def test_the_corner_of_floor_and_wall_is_dark() -> None:
    shade = occlusion(floor_and_wall(), 4)
    row = 59 + 33  # 100 / 33.3 = 3 m
    assert shade[row, 80] > .2
    assert shade[30, 80] < .02
    assert shade[row, 80] > 3 * shade[row + 12, 80]


def test_an_edge_in_front_of_a_wall_is_not_dark_on_the_near_side() -> None:
    depth = np.full((60, 80), 3., np.float32)
    depth[:, 40:] = 1.
    shade = occlusion(depth, 4)
    assert shade[30, 50] < .01
    assert shade[30, 20] < .01


def test_missing_depth_is_no_error() -> None:
    depth = floor_and_wall()
    depth[:20] = np.nan
    assert np.isfinite(occlusion(depth, 3)).all()


def test_dark_and_bright_rooms_come_out_alike() -> None:
    rng = np.random.default_rng(0)
    depth = np.full((60, 80), 2., np.float32)
    pattern = rng.uniform(.3, 1., (60, 80, 3))
    levels = []
    for factor in (60, 120, 200):
        picture = (pattern * factor).astype(np.uint8)
        levels.append(expose(picture, depth, np.random.default_rng(1)).mean())
    assert max(levels) < 1.6 * min(levels)
    assert 60 < min(levels) < max(levels) < 190


def test_exposure_is_reproducible() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    depth = np.full((60, 80), 2., np.float32)
    first, second = (expose(picture, depth, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8


def test_some_pictures_are_too_dark_or_too_bright() -> None:
    picture = np.random.default_rng(0).integers(60, 160, (60, 80, 3)).astype(np.uint8)
    depth = np.full((60, 80), 2., np.float32)
    levels = [expose(picture, depth, np.random.default_rng(seed)).mean() for seed in range(100)]
    assert sum(level < 75 for level in levels) in range(2, 16)
    assert sum(level > 160 for level in levels) in range(2, 16)


def test_light_glows_around_what_is_brighter_than_white() -> None:
    light = np.full((64, 64, 3), .2, np.float32)
    assert bloom(light, 1, .5) is light
    light[28:36, 28:36] = 2.
    glowing = bloom(light, 1, .5)
    assert glowing.shape == light.shape
    assert glowing[26, 32, 0] > .25
    assert abs(glowing[5, 5, 0] - .2) < 1e-4
    assert (glowing >= light - 1e-6).all()
    np.testing.assert_array_equal(bloom(light, 1, 0.), light)
