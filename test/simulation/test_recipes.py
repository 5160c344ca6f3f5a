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

"""Every room type is furnished, without furniture in walls or in each other."""

import math

import numpy as np
import pytest

from mde_ros.simulation.layout import Layout
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.recipes import HEIGHTS, RECIPES, SHARES, SIZES
from mde_ros.simulation.walls import make_walls


def test_every_room_type_has_size_and_share() -> None:
    assert set(RECIPES) == set(SIZES) == set(SHARES)
    assert math.isclose(sum(SHARES.values()), 1)
    for l0, l1, w0, w1 in SIZES.values():
        assert 1.2 < w0 < w1 <= 14
        # The farthest depth that is rendered is 20 m.
        assert 2.5 < l0 < l1 < 20


@pytest.mark.parametrize('kind', sorted(RECIPES))
def test_furniture_stands_in_the_room(kind: str, look: Look) -> None:
    _, length, _, width = SIZES[kind]
    things, height = 0, HEIGHTS.get(kind, (2.6,))[0]
    for _ in range(2):
        plan = Layout(look, length, width, height, make_walls(length, width, height), Parts())
        RECIPES[kind](plan)
        things += len(plan.solids)
        for k, solid in enumerate(plan.solids):
            assert solid.x0 > -.02
            assert solid.y0 > -.02
            assert solid.x1 < length + .02
            assert solid.y1 < width + .02
            # Chairs reach under tables, by a quarter of a metre at most.
            assert not any(solid.overlaps(other, -.251) for other in plan.solids[:k])
        points = np.concatenate([piece.vertices for piece in plan.parts.pieces])
        assert points[:, 2].min() > -.07
        assert points[:, 2].max() < height
    assert things >= 5
