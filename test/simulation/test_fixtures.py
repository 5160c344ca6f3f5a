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

"""What hangs on walls does not overlap and stays on its wall."""

import numpy as np

from mde_ros.simulation.fixtures import ceiling_lamps, dress_walls
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.recipes import RECIPES
from mde_ros.simulation.walls import make_walls


def test_hangings_do_not_overlap(look: Look) -> None:
    hung = 0
    for kind in RECIPES:
        parts = Parts()
        walls = make_walls(6., 4., 2.6)
        walls[0].taken.append((1., 2., 0., 2.))
        dress_walls(look, walls, parts, kind)
        for wall in walls:
            for k, (a, b, c, d) in enumerate(wall.taken):
                assert 0 < a < b < wall.length
                assert d < wall.height
                for s0, s1, z0, z1 in wall.taken[:k]:
                    assert b <= s0 or s1 <= a or d <= z0 or z1 <= c
            hung += len(wall.taken)
        points = np.concatenate([piece.vertices for piece in parts.pieces])
        assert points[:, 0].min() > -.06
        assert points[:, 0].max() < 6.06
        assert points[:, 1].max() < 4.06
    assert hung > 40


def test_radiators_stand_below_windows(look: Look) -> None:
    found = False
    for _ in range(6):
        parts = Parts()
        walls = make_walls(6., 4., 2.6)
        walls[0].windows.append((2., 4., .9, 2.))
        dress_walls(look, walls, parts, 'storage')
        low = [piece for piece in parts.pieces if piece.vertices[:, 2].max() < .7
               and np.ptp(piece.vertices[:, 2]) > .3 and piece.vertices[:, 1].max() < .2]
        for piece in low:
            found = True
            assert piece.vertices[:, 0].min() > 1.9
            assert piece.vertices[:, 0].max() < 4.1
    assert found


def test_lamps_hang_under_the_ceiling(look: Look) -> None:
    for _ in range(12):
        parts = Parts()
        places = ceiling_lamps(look, 6., 4., 2.8, parts)
        assert places
        for x, y, z in places:
            assert 0 < x < 6
            assert 0 < y < 4
            assert 1.2 < z < 2.8
        lit = [piece for piece in parts.pieces if piece.material == 'lamp']
        assert len(lit) == len(places)
        assert max(piece.vertices[:, 2].max() for piece in parts.pieces) <= 2.8 + 1e-9
