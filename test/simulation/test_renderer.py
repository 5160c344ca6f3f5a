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

"""Rendered depth and pixels against geometry worked out by hand."""

from dataclasses import replace
import math
from typing import Any

import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.simulation import renderer as renderer_module
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.pose import Pose
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.room import build_room, Room

CAMERA = Intrinsics(160, 120, 125.3, 127.9, 70.2, 66.7)


@pytest.fixture(scope='module')
def room() -> Room:
    """Return a box, 1 m in front of a wall, over a floor, in the look of a real room."""
    room = build_room(2)
    parts, finish = Parts(), room.look.paint('colour', material='paint')
    parts.box(finish, (3.5, 0, 0), (1, 1, 1))  # its front is 3 m away
    parts.sheet(room.look.surface('wall'), (5, 10, -1), (0, -20, 0), (0, 0, 6), .5)
    parts.sheet(room.look.surface('floor'), (-10, -10, -1), (15, 0, 0), (0, 20, 0), .5)
    room.plan.parts = parts
    return room


def test_depth_of_a_box_before_a_wall(renderer: Renderer, room: Room) -> None:
    renderer.open(room)
    image, depth = renderer.view(Pose(0, 0, 0, 0, 0), CAMERA)
    assert image.shape == (120, 160, 3)
    assert image.dtype == np.uint8
    assert depth.dtype == np.float32
    # The front spans y, z = -0.5..0.5 m at 3 m: u = 70.2 -+ 125.3 / 6, v = 66.7 -+ 127.9 / 6.
    front = np.abs(depth - 3) < .002
    rows, columns = np.flatnonzero(front.any(1)), np.flatnonzero(front[60])
    assert (columns[0], columns[-1]) == (math.ceil(70.2 - 125.3 / 6), math.floor(70.2 + 125.3 / 6))
    assert rows[0] == math.ceil(66.7 - 127.9 / 6)
    assert depth[20, 10] == pytest.approx(5, abs=1e-3)
    # Up is up and right is right: the floor is below.
    floor_row = 110
    assert depth[floor_row, 5] == pytest.approx(127.9 / (floor_row - 66.7), rel=1e-3)


def test_tilted_rolled_views_meet_the_floor_where_the_ray_does(renderer: Renderer,
                                                               room: Room) -> None:
    renderer.open(room)
    pose = Pose(-2., .3, .6, .2, -.5, .15)
    _, depth = renderer.view(pose, CAMERA)
    right, down, forward = pose.axes()
    v, u = np.mgrid[0:120, 0:160]
    ray = (((u - CAMERA.cx) / CAMERA.fx)[..., None] * right
           + ((v - CAMERA.cy) / CAMERA.fy)[..., None] * down + forward)
    expected = -1.6 / ray[..., 2]
    landing = np.array([-2., .3]) + expected[..., None] * ray[..., :2]
    bare = (ray[..., 2] < -.2) & (landing[..., 0] > -5) & (landing[..., 0] < 2)
    assert bare.sum() > 5000
    np.testing.assert_allclose(depth[bare], expected[bare], rtol=2e-4)


def test_a_polished_floor_mirrors_and_keeps_its_depth(renderer: Renderer) -> None:
    room = build_room(next(seed for seed in range(200, 300) if build_room(seed).look.mirror > .15))
    room.plan.length = room.plan.width = 6.
    room.plan.parts = Parts()
    wall = room.look.paint('colour', material='lamp')
    room.plan.parts.sheet(wall, (5, 6, 0), (0, -6, 0), (0, 0, 3), .5)
    pose = Pose(1., 3., 1., 0., -.5)
    images, depths = [], []
    for mirror in (room.look.mirror, .001):
        room.look.mirror = mirror
        renderer.open(room)
        image, depth = renderer.view(pose, CAMERA)
        images.append(image.astype(float))
        depths.append(depth)
    right, down, forward = pose.axes()
    v, u = np.mgrid[0:120, 0:160]
    ray = (((u - CAMERA.cx) / CAMERA.fx)[..., None] * right
           + ((v - CAMERA.cy) / CAMERA.fy)[..., None] * down + forward)
    expected = -1. / ray[..., 2]
    landing = np.array([1., 3.]) + expected[..., None] * ray[..., :2]
    floor = ((ray[..., 2] < -.1) & (np.abs(landing[..., 0] - 3) < 1.9)
             & (np.abs(landing[..., 1] - 3) < 2.9))
    assert floor.sum() > 5000
    for depth in depths:
        np.testing.assert_allclose(depth[floor], expected[floor], rtol=2e-4)
    # Seen from 1 m, the wall's 3 m lie in the floor nearer than its foot.
    assert np.abs(images[0] - images[1])[floor].mean() > 5


def test_beyond_twenty_metres_is_no_reading(renderer: Renderer, room: Room) -> None:
    renderer.open(room)
    _, depth = renderer.view(Pose(0, 0, 0, math.pi, .3), CAMERA)
    assert np.isnan(depth[:20]).all()
    _, far = renderer.view(Pose(-17, 0, 3, 0, 0), CAMERA)
    assert np.isnan(far[60, 80])
    _, near = renderer.view(Pose(-14, 0, 3, 0, 0), CAMERA)
    assert near[60, 80] == pytest.approx(19, rel=1e-3)


def test_intrinsics_move_the_picture_as_they_should(renderer: Renderer, room: Room) -> None:
    renderer.open(room)
    pose = Pose(0, 0, 0, 0, 0)
    _, plain = renderer.view(pose, CAMERA)
    _, shifted = renderer.view(pose, replace(CAMERA, cx=CAMERA.cx + 10, cy=CAMERA.cy - 6))
    np.testing.assert_allclose(shifted[:-6, 10:], plain[6:, :-10], rtol=1e-3)
    _, small = renderer.view(pose, CAMERA.resized(80, 60))
    assert small.shape == (60, 80)
    assert small[30, 35] == pytest.approx(3, abs=1e-3)


def test_a_view_larger_than_the_renderer_is_refused(renderer: Renderer, room: Room) -> None:
    renderer.open(room)
    with pytest.raises(SimulationError, match='161x120 view does not fit the renderer of 160x120'):
        renderer.view(Pose(0, 0, 0, 0, 0), replace(CAMERA, width=161))


def test_edges_do_not_mix_near_and_far() -> None:
    near, far = renderer_module.NEAR, renderer_module.FAR

    def stored(z: float) -> float:
        return (far - near * far / z) / (far - near)

    buffer = np.array([[stored(2), stored(2), stored(1), stored(4)],
                       [stored(2), stored(2), stored(4), stored(4)]], np.float32)
    found = renderer_module._metres(buffer)
    np.testing.assert_allclose(found, [[2, 4]], rtol=1e-4)


def test_a_machine_without_opengl_is_told_what_to_install(monkeypatch: Any) -> None:
    class NoDisplay:
        @staticmethod
        def GLContext(width: int, height: int) -> None:
            raise RuntimeError('no display')

    monkeypatch.setenv('MUJOCO_GL', 'osmesa')
    monkeypatch.setattr(renderer_module, '_mujoco', lambda: NoDisplay)
    with pytest.raises(SimulationError, match=r'no display.*libegl1 libopengl0 libgl1-mesa-dri'):
        Renderer(16, 16)
