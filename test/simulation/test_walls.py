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

"""The shell of a room is closed but for its openings."""

import math

import numpy as np
import pytest

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.walls import build_shell, make_walls


def test_the_four_walls_go_around_the_room() -> None:
    walls = make_walls(6., 4., 2.5)
    assert [wall.length for wall in walls] == [6., 4., 6., 4.]
    corners = [(0, 0), (6, 0), (6, 4), (0, 4)]
    for wall, start, end in zip(walls, corners, corners[1:] + corners[:1]):
        assert wall.point(0) == pytest.approx(start)
        assert wall.point(wall.length) == pytest.approx(end)
        x, y = wall.point(wall.length / 2, 1.)
        assert 0 < x < 6
        assert 0 < y < 4
    assert walls[1].point(1., .5) == pytest.approx((5.5, 1.))
    assert walls[2].point(1., .5) == pytest.approx((5., 3.5))


def test_free_keeps_away_from_what_hangs_there() -> None:
    wall = make_walls(6., 4., 2.5)[0]
    wall.taken.append((1., 2., 1., 2.))
    assert wall.free(2.1, 3., 1., 2.)
    assert not wall.free(2.01, 3., 1., 2.)
    assert wall.free(1., 2., 2.1, 2.4)
    assert not wall.free(4., 5., 2., 2.5), 'too near to the ceiling'
    assert not wall.free(5.5, 5.98, 1., 2.), 'too near to the corner'


@pytest.mark.parametrize('seed', range(6))
def test_wall_and_openings_cover_the_whole_side(seed: int, look: Look) -> None:
    look.rng, parts = np.random.default_rng(seed), Parts()
    length, width, height = 5., 4., 2.6
    walls = build_shell(look, length, width, height, parts, 'office')
    for wall, axis, at in zip(walls, (1, 0, 1, 0), (0., length, width, 0.)):
        inward = np.array([-math.sin(wall.yaw), math.cos(wall.yaw), 0.])
        area = 0.
        for piece in parts.pieces:
            if not piece.material.startswith('wall'):
                continue
            flat = (np.abs(piece.vertices[:, axis] - at) < 1e-6).all()
            if flat and (piece.normals @ inward > .999).all():
                a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
                area += float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2
        openings = sum((s1 - s0) * (z1 - z0) for s0, s1, z0, z1 in wall.taken)
        assert area + openings == pytest.approx(wall.length * height, rel=1e-6)


def test_doors_are_as_large_as_real_ones(look: Look) -> None:
    doors = []
    for _ in range(10):
        for wall in build_shell(look, 5., 4., 2.6, Parts(), 'office'):
            doors += [hole for hole in wall.taken if hole[2] == 0]
            for s0, s1, z0, z1 in wall.windows:
                assert .7 < z0 < z1 < 2.5
                assert 0 < s0 < s1 < wall.length
            for a, b in wall.blocked:
                assert 0 < b - a < 2
    assert len(doors) > 8
    assert sum(.75 < s1 - s0 < 1.25 and 1.95 < z1 < 2.15 for s0, s1, _, z1 in doors) > 6


def test_a_corridor_has_many_doors(look: Look) -> None:
    counts = {kind: sum(hole[2] == 0 for _ in range(8)
                        for wall in build_shell(look, 12., 2., 2.5, Parts(), kind)
                        for hole in wall.taken) for kind in ('office', 'corridor')}
    assert counts['corridor'] > 1.5 * counts['office']
