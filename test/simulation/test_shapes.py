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

"""Boxes, grids, rotations and texture coordinates against numbers worked out by hand."""

import math

import numpy as np

from mde_ros.simulation.shapes import box_tables, Finish, grid_faces, rotation


def test_cube_is_closed_and_wound_outwards() -> None:
    corners, normals, _, axes, faces = box_tables()
    assert corners.shape == (24, 3)
    assert len(axes) == 6
    a, b, c = (corners[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    assert ((across * normals[faces[:, 0]]).sum(1) > 0).all()
    assert math.isclose(np.linalg.norm(across, axis=1).sum() / 2, 6)
    assert math.isclose((a * np.cross(b, c)).sum() / 6, 1)


def test_rotations_turn_the_right_way() -> None:
    np.testing.assert_allclose(rotation(math.pi / 2) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation(0, math.pi / 2) @ [1, 0, 0], [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(rotation(0, 0, math.pi / 2) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    turn = rotation(.3, -.4, .5)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert math.isclose(np.linalg.det(turn), 1)


def test_grid_of_one_cell() -> None:
    # 2 --- 3
    # |     |
    # 0 --- 1
    assert grid_faces(1, 1).tolist() == [[0, 1, 3], [0, 3, 2]]
    assert len(grid_faces(3, 5)) == 2 * 15
    assert grid_faces(3, 5).max() == 4 * 6 - 1


def test_a_finish_repeats_by_the_metre_or_shows_one_cell() -> None:
    unit, metres = np.array([[0., 0.], [1., .5]]), np.array([[0., 0.], [3., 2.]])
    np.testing.assert_allclose(Finish('wood', .5).coordinates(unit, metres), [[0, 0], [6, 4]])
    cell = Finish('print', 1., (.25, .5, .5, .75))
    np.testing.assert_allclose(cell.coordinates(unit, metres), [[.25, .5], [.5, .625]])
