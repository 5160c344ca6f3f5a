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

"""Meshes: volumes, outward normals and places worked out by hand."""

from collections.abc import Callable
import math

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from mde_ros.simulation.parts import Parts
from mde_ros.simulation.shapes import Finish, Piece

WOOD = Finish('wood')
SIDES = st.floats(.01, 3)
ANGLES = st.floats(-3, 3)


def outward(piece: Piece) -> bool:
    """Return whether every triangle is wound as its normals say."""
    a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    large = np.linalg.norm(across, axis=1) > 1e-9
    mean = piece.normals[piece.faces].sum(1)
    return bool(((across * mean).sum(1)[large] > 0).all())


@settings(deadline=None, max_examples=40)
@given(st.tuples(SIDES, SIDES, SIDES), ANGLES, ANGLES, ANGLES)
def test_boxes_keep_their_volume(size: tuple[float, float, float], yaw: float, pitch: float,
                                 roll: float) -> None:
    parts = Parts()
    parts.box(WOOD, (1., -2., 3.), size, yaw, pitch, roll)
    piece, = parts.pieces
    a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
    assert math.isclose((a * np.cross(b, c)).sum() / 6, math.prod(size), rel_tol=1e-6,
                        abs_tol=1e-9)
    np.testing.assert_allclose(piece.vertices.mean(0), [1, -2, 3], atol=1e-9)
    assert outward(piece)


def test_grain_runs_along_the_longer_side() -> None:
    parts = Parts()
    parts.box(Finish('wood', .5), (0, 0, 0), (1., .02, 2.))
    piece, = parts.pieces
    front = np.abs(piece.normals[:, 1] - 1) < 1e-9
    top = piece.vertices[front][:, 2] > 0
    # u, along the grain, covers the 2 m of height: four repeats of 0.5 m.
    assert set(np.round(piece.uvs[front][top, 0] - piece.uvs[front][~top, 0].max(), 6)) == {4.}


def test_cylinder_is_a_closed_prism(volume: Callable[[Piece], float]) -> None:
    parts = Parts()
    parts.cylinder(WOOD, (5, 5, 1), .2, .6, segments=12)
    piece, = parts.pieces
    # A prism over a regular 12-gon of circumradius 0.2: area 12/2 r^2 sin 30 deg = 0.12.
    assert math.isclose(volume(piece), .12 * .6, rel_tol=1e-9)
    assert (piece.vertices[:, 2].min(), piece.vertices[:, 2].max()) == (1, 1.6)
    assert outward(piece)


def test_lathe_leaves_out_steps_of_no_length() -> None:
    parts = Parts()
    parts.lathe(WOOD, (0, 0, 0), [(.1, 0), (.1, 0), (.1, 1)], segments=4)
    piece, = parts.pieces
    assert len(piece.faces) == 8
    # The hull of a tube: once around is 2 pi r metres of texture.
    assert math.isclose(piece.uvs[:, 0].max(), 2 * math.pi * .1)
    assert piece.uvs[:, 1].max() == 1


@pytest.mark.parametrize('end', [(1., 1., 1.), (0., 0., 2.), (0., 0., -2.), (-.3, 0., 0.)])
def test_rod_joins_two_points(end: tuple[float, ...], volume: Callable[[Piece], float]) -> None:
    parts = Parts()
    parts.rod(WOOD, (0, 0, 0), end, .01, segments=6)
    piece, = parts.pieces
    length = math.hypot(*end)
    # A regular hexagon of circumradius r has the area 3 sqrt(3) / 2 r^2.
    assert math.isclose(volume(piece), 1.5 * math.sqrt(3) * 1e-4 * length, rel_tol=1e-6)
    assert np.linalg.norm(piece.vertices - end, axis=1).min() < 1e-9
    assert outward(piece)


def test_the_grain_of_a_round_table_is_straight() -> None:
    parts = Parts()
    parts.cylinder(Finish('wood', .5), (7, 7, 0), .4, .03, segments=16)
    piece, = parts.pieces
    top = piece.normals[:, 2] > .9
    np.testing.assert_allclose(piece.uvs[top], (piece.vertices[top, :2] - 7) / .5, atol=1e-9)


def test_rod_of_no_length_is_nothing() -> None:
    parts = Parts()
    parts.rod(WOOD, (1, 1, 1), (1, 1, 1), .1)
    assert not parts.pieces


def test_cushion_lies_between_ellipsoid_and_box(volume: Callable[[Piece], float]) -> None:
    parts = Parts()
    parts.cushion(WOOD, (0, 0, 0), (2, 4, 6), 1., rows=40, columns=60)
    parts.cushion(WOOD, (0, 0, 0), (2, 4, 6), .3, rows=40, columns=60)
    ellipsoid, cushion = parts.pieces
    assert math.isclose(volume(ellipsoid), 4 / 3 * math.pi * 6, rel_tol=.01)
    assert 4 / 3 * math.pi * 6 < volume(cushion) < 48
    np.testing.assert_allclose(np.ptp(cushion.vertices, axis=0), [2, 4, 6], rtol=1e-6)
    assert outward(ellipsoid)


def test_sheet_faces_u_cross_v() -> None:
    parts = Parts()
    parts.sheet(WOOD, (0, 0, 1), (2, 0, 0), (0, 3, 0), .5, offset=(10, 20))
    piece, = parts.pieces
    assert len(piece.vertices) == 5 * 7
    np.testing.assert_allclose(piece.normals, np.tile([0, 0, 1], (35, 1)))
    np.testing.assert_allclose([piece.uvs.min(0), piece.uvs.max(0)], [[10, 20], [12, 23]])
    assert outward(piece)


def test_folds_of_a_curtain() -> None:
    parts = Parts()
    parts.sheet(WOOD, (0, 0, 0), (1, 0, 0), (0, 0, 2), .02, wave=.03)
    piece, = parts.pieces
    assert .025 < piece.vertices[:, 1].max() <= .03
    np.testing.assert_allclose(np.linalg.norm(piece.normals, axis=1), 1)


def test_place_turns_first_and_moves_then() -> None:
    inner, outer = Parts(), Parts()
    inner.box(WOOD, (1, 0, 0), (.2, .2, .2))
    outer.place(inner, 10, 20, 30, math.pi / 2)
    np.testing.assert_allclose(outer.pieces[0].vertices.mean(0), [10, 21, 30])


def test_merged_keeps_every_triangle() -> None:
    parts = Parts()
    parts.box(WOOD, (0, 0, 0), (1, 1, 1))
    parts.box(Finish('metal'), (5, 0, 0), (1, 1, 1))
    parts.box(WOOD, (2, 0, 0), (1, 1, 1))
    merged = parts.merged()
    assert list(merged) == ['wood', 'metal']
    wood = merged['wood']
    assert len(wood.faces) == 24
    np.testing.assert_allclose(wood.vertices[wood.faces[12:]].mean((0, 1)), [2, 0, 0], atol=1e-9)
