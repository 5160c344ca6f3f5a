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

"""The floor in depth images made by hand: found at its height, or refused."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.geometry import rays
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.anchors import camera_height as module
from mde_ros.estimation.anchors.camera_height import CameraHeight, fit_floor
from mde_ros.estimation.anchors.inputs import AnchorError

CAMERA = Intrinsics(80, 60, 70., 70., 39.5, 29.5)


def plane(height: float, down: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the depth of a plane, infinite where a ray does not meet it."""
    x, y = np.moveaxis(rays(CAMERA).astype(np.float64), -1, 0)
    descent = x * down[0] + y * down[1] + down[2]
    with np.errstate(divide='ignore'):
        return np.where(descent > 1e-6, height / descent, np.inf).astype(np.float32)


def room(height: float, pitch: float, wall: float = 4., noise: float = 0., seed: int = 0,
         roll: float = 0.) -> NDArray[np.float32]:
    """Return depth of a floor ``height`` below the camera and a wall ``wall`` before it."""
    angle, lean = math.radians(pitch), math.radians(roll)
    down = np.array([math.sin(lean), math.cos(lean) * math.cos(angle),
                     math.cos(lean) * math.sin(angle)])
    ahead = np.array([0., -math.sin(angle), math.cos(angle)])
    depth = np.minimum(plane(height, down), plane(wall, ahead))
    rng = np.random.default_rng(seed)
    return (depth * np.exp(rng.normal(0, noise, depth.shape))).astype(np.float32)


def test_a_clean_floor_is_exact() -> None:
    for pitch, prior in ((0., CameraHeight(1.)), (25., CameraHeight(1.)),
                         (25., CameraHeight(1., 25.)), (60., CameraHeight(1., 60.))):
        floor = fit_floor(room(.8, pitch), CAMERA, prior)
        assert floor is not None
        assert floor.height == pytest.approx(.8, rel=1e-3)
        assert floor.pitch == pytest.approx(pitch, abs=.1)
        assert floor.share > .6


def test_a_table_is_no_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    depth = room(1.2, 20., wall=8.)
    # A table of 0.7 m height covers more than half of the floor.
    angle = math.radians(20)
    table = plane(.5, np.array([0., math.cos(angle), math.sin(angle)]))
    depth[14:, 39:] = table[14:, 39:]
    floor = fit_floor(depth, CAMERA, CameraHeight(1.))
    assert floor is not None and floor.height == pytest.approx(1.2, rel=.02)
    monkeypatch.setattr(module, 'BELOW_WEIGHT', 0.)
    higher = fit_floor(depth, CAMERA, CameraHeight(1.))
    assert higher is not None and higher.height == pytest.approx(.5, rel=.02)


def test_a_wall_a_ceiling_and_nothing_are_no_floor() -> None:
    flat = np.full((60, 80), 2, np.float32)
    assert fit_floor(flat, CAMERA, CameraHeight(1.)) is None
    assert fit_floor(np.full((60, 80), np.nan, np.float32), CAMERA, CameraHeight(1.)) is None
    ceiling = room(1., 20.)[::-1].copy()
    assert fit_floor(ceiling, CAMERA, CameraHeight(1., 0.)) is None
    rng = np.random.default_rng(0)
    noise = rng.uniform(.5, 5, (60, 80)).astype(np.float32)
    assert fit_floor(noise, CAMERA, CameraHeight(1.)) is None


def test_the_prior_keeps_other_slopes_out() -> None:
    ramp = room(.8, 40.)
    assert fit_floor(ramp, CAMERA, CameraHeight(1., 40.)) is not None
    assert fit_floor(ramp, CAMERA, CameraHeight(1., 0.)) is None
    assert fit_floor(ramp, CAMERA, CameraHeight(1., 0., tolerance=45.)) is not None
    leaning = room(.8, 20., roll=20.)
    assert fit_floor(leaning, CAMERA, CameraHeight(1., 20.)) is None
    assert fit_floor(leaning, CAMERA, CameraHeight(1., 20., tolerance=30.)) is not None


def test_the_direction_of_gravity_by_hand() -> None:
    assert CameraHeight(1.).down == pytest.approx([0, 1, 0])
    assert CameraHeight(1., 30.).down == pytest.approx([0, math.sqrt(.75), .5])
    assert (CameraHeight(1.).largest_angle, CameraHeight(1., 3.).largest_angle,
            CameraHeight(1., 3., 7.).largest_angle) == (50., 15., 7.)


@pytest.mark.parametrize(('values', 'words'), [
    ((0.,), 'camera height 0'), ((math.nan,), 'camera height nan'), ((1., 95.), 'pitch 95'),
    ((1., 0., 0.), 'tolerance 0'), ((1., 0., 99.), 'tolerance 99')])
def test_a_wrong_prior_is_named(values: tuple[float, ...], words: str) -> None:
    with pytest.raises(AnchorError, match=words):
        CameraHeight(*values)


@settings(max_examples=30, deadline=None)
@given(st.floats(.2, 2.), st.floats(8., 35.), st.floats(.1, 5.), st.integers(0, 999))
def test_height_scales_with_depth_whatever_the_pitch(height: float, pitch: float,
                                                     factor: float, seed: int) -> None:
    depth = room(height, pitch, wall=5 * height, noise=.03, seed=seed)
    floor = fit_floor(depth * np.float32(factor), CAMERA, CameraHeight(1.))
    assert floor is not None
    assert floor.height == pytest.approx(height * factor, rel=.03)
