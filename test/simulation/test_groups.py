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

"""Groups of furniture: what belongs together stands together."""

import numpy as np

from mde_ros.simulation.groups import big_plant, count_for, desk_group, dining_group
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.walls import make_walls


def empty(look: Look, length: float = 6., width: float = 5.) -> Layout:
    """Return an empty room."""
    return Layout(look, length, width, 2.6, make_walls(length, width, 2.6), Parts())


def test_counts_follow_the_area_within_their_limits(look: Look) -> None:
    small, large = empty(look, 3., 3.), empty(look, 12., 8.)
    counts = [[count_for(plan, .1, 1, 9) for _ in range(60)] for plan in (small, large)]
    assert min(counts[0]) >= 1
    assert max(counts[1]) <= 9
    assert np.mean(counts[1]) > 2 * np.mean(counts[0])


def test_a_large_plant_stands_on_the_floor(look: Look) -> None:
    for _ in range(5):
        thing = big_plant(empty(look))
        points = np.concatenate([piece.vertices for piece in thing.parts.pieces])
        assert -.02 < points[:, 2].min() < .02
        assert .5 < points[:, 2].max() < 2.3


def test_a_desk_has_its_chair_before_it(look: Look) -> None:
    plan = empty(look)
    assert desk_group(plan)
    table, chair = plan.solids[:2]
    assert chair.x0 < table.x1 + .9 and table.x0 < chair.x1 + .9
    assert chair.y0 < table.y1 + .9 and table.y0 < chair.y1 + .9


def test_chairs_surround_a_table(look: Look) -> None:
    most = 0
    for _ in range(6):
        plan = empty(look)
        assert dining_group(plan)
        most = max(most, len(plan.solids))
    assert most >= 4


def test_a_full_room_takes_no_group(look: Look) -> None:
    plan = empty(look, 1.2, 1.2)
    assert not dining_group(plan)
    assert not desk_group(plan)
