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

"""The atlas of printed things."""

import numpy as np
import pytest

from mde_ros.simulation.prints import atlas_cell, CELL, GRID, KINDS, make_atlas


def test_kinds_fill_the_atlas() -> None:
    assert sum(KINDS.values()) == GRID * GRID


def test_cells_do_not_overlap_and_v_points_up() -> None:
    cells = [atlas_cell(kind, number) for kind, count in KINDS.items() for number in range(count)]
    centres = {(round((u0 + u1) / 2 * GRID, 3), round((v0 + v1) / 2 * GRID, 3))
               for u0, v0, u1, v1 in cells}
    assert len(centres) == GRID * GRID
    for u0, v0, u1, v1 in cells:
        assert 0 < u0 < u1 < 1
        assert 0 < v1 < v0 < 1  # rows count from the top, v0 is the lower edge of the thing
        assert u1 - u0 < 1 / GRID


def test_the_first_cell_by_hand() -> None:
    # Cell 0 is the upper left; 1.5 of its 128 pixels are kept off every edge.
    edge = 1.5 / 128
    np.testing.assert_allclose(atlas_cell('screen', 0),
                               [edge / 8, (1 - edge) / 8, (1 - edge) / 8, edge / 8])
    assert atlas_cell('screen', KINDS['screen']) == atlas_cell('screen', 0)


@pytest.fixture(scope='module')
def atlas() -> np.ndarray:
    return make_atlas(np.random.default_rng(5))


def test_papers_are_white_and_keyboards_are_not_empty(atlas: np.ndarray) -> None:
    def shown(kind: str, number: int) -> np.ndarray:
        u0, v0, u1, v1 = (round(v * CELL * GRID) for v in atlas_cell(kind, number))
        return atlas[v1:v0, u0:u1]

    assert atlas.shape == (1024, 1024, 3)
    for number in range(KINDS['paper']):
        assert np.median(shown('paper', number)) > 200
    assert shown('keyboard', 0).std() > 8
    assert shown('package', 0).std() > 10


def test_the_same_seed_prints_the_same(atlas: np.ndarray) -> None:
    np.testing.assert_array_equal(atlas, make_atlas(np.random.default_rng(5)))
