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

"""A room follows from its seed."""

import numpy as np
import pytest

from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.recipes import HEIGHTS, RECIPES, SIZES
from mde_ros.simulation.room import build_room


def test_the_same_seed_gives_the_same_room() -> None:
    first, second = build_room(11), build_room(11)
    assert first.kind == second.kind
    assert first.lamps == second.lamps
    assert first.plan.solids == second.plan.solids
    for a, b in zip(first.plan.parts.pieces, second.plan.parts.pieces):
        np.testing.assert_array_equal(a.vertices, b.vertices)
    for name, picture in first.look.textures.items():
        np.testing.assert_array_equal(picture, second.look.textures[name])


def test_another_seed_gives_another_room() -> None:
    assert build_room(11).plan.length != build_room(12).plan.length


@pytest.mark.parametrize('kind', sorted(RECIPES))
def test_rooms_of_a_type_have_its_size(kind: str) -> None:
    room = build_room(3, kind)
    l0, l1, w0, w1 = SIZES[kind]
    assert room.kind == kind
    assert l0 <= room.plan.length <= l1
    assert w0 <= room.plan.width <= w1
    h0, h1 = HEIGHTS.get(kind, (2.3, 4.))
    assert h0 <= room.plan.height <= h1
    assert len(room.plan.parts.merged()) < 25, 'few materials keep a room quick to draw'
    assert set(room.plan.parts.merged()) <= set(room.look.materials)


def test_an_unknown_room_type_names_the_known_ones() -> None:
    with pytest.raises(SimulationError, match='--room attic: use one of office, lab'):
        build_room(0, 'attic')
