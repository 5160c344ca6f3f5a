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

"""What the tests of the simulator share: one look, one renderer, volumes of meshes."""

from collections.abc import Callable, Iterator
from copy import copy
import os

import numpy as np
import pytest

from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.look import Look
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.shapes import Array, Piece
from mde_ros.simulation.thing import Thing

os.environ.setdefault('LP_NUM_THREADS', '1')


@pytest.fixture(scope='session')
def drawn_look() -> Look:
    """Draw the pictures once."""
    return Look(np.random.default_rng(7), 'office')


@pytest.fixture
def look(drawn_look: Look) -> Look:
    """Return the same look, with the same random numbers to come, for every test."""
    fresh = copy(drawn_look)
    fresh.rng, fresh._shared = np.random.default_rng(7), {}
    return fresh


@pytest.fixture(scope='session')
def renderer() -> Iterator[Renderer]:
    """Lend a renderer of at most 160 x 120, or skip where there is no OpenGL."""
    try:
        opened = Renderer(160, 120)
    except SimulationError as error:
        pytest.skip(str(error))
    yield opened
    opened.close()


@pytest.fixture(scope='session')
def volume() -> Callable[[Piece], float]:
    """Return the signed volume of a closed mesh: positive when it is wound outwards."""
    def signed(piece: Piece) -> float:
        a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
        return float((a * np.cross(b, c)).sum() / 6)
    return signed


@pytest.fixture(scope='session')
def check_thing() -> Callable[[Thing], Array]:
    """Return a check that a thing stands on the floor inside its footprint; gives its size."""
    def check(thing: Thing) -> Array:
        points = np.concatenate([piece.vertices for piece in thing.parts.pieces])
        low, high = points.min(0), points.max(0)
        assert -.012 < low[2] < .02, f'stands at z = {low[2]}'
        slack = .12  # arms, handles, cushions and blankets stick out a little
        assert low[0] > -thing.width / 2 - slack
        assert high[0] < thing.width / 2 + slack
        assert low[1] > -slack
        assert high[1] < thing.depth + slack
        for piece in thing.parts.pieces:
            assert np.isfinite(piece.vertices).all()
            assert np.isfinite(piece.uvs).all()
            np.testing.assert_allclose(np.linalg.norm(piece.normals, axis=1), 1, atol=1e-6)
        for surface in thing.surfaces:
            assert surface.x0 < surface.x1
            assert surface.y0 < surface.y1
        return np.asarray(high - low)
    return check
