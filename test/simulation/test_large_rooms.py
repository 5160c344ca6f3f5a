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

"""Classrooms have rows, warehouses have aisles, halls are open."""

from mde_ros.simulation.large_rooms import classroom, hall, warehouse
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.walls import make_walls


def test_benches_of_a_classroom_stand_in_rows(look: Look) -> None:
    plan = Layout(look, 8., 9., 3., make_walls(8., 9., 3.), Parts())
    classroom(plan)
    benches = [solid for solid in plan.solids if 1.1 < solid.x1 - solid.x0 < 1.9]
    assert len(benches) >= 6
    fronts = sorted(solid.y0 for solid in benches)
    rows = 1 + sum(b - a > .5 for a, b in zip(fronts, fronts[1:]))
    assert rows >= 3
    assert len(benches) >= 2 * rows - 2


def test_racks_of_a_warehouse_are_tall_with_aisles_between(look: Look) -> None:
    plan = Layout(look, 16., 12., 6., make_walls(16., 12., 6.), Parts())
    warehouse(plan)
    racks = [solid for solid in plan.solids if solid.x1 - solid.x0 > 1.75 and solid.z1 > 2]
    assert len(racks) >= 6
    assert max(solid.z1 for solid in racks) < 6
    fronts = sorted({round(solid.y0, 3): solid for solid in racks}.values(), key=lambda s: s.y0)
    assert all(b.y0 - a.y1 > 1.5 for a, b in zip(fronts, fronts[1:]))


def test_a_hall_is_mostly_open_floor(look: Look) -> None:
    for _ in range(3):
        plan = Layout(look, 14., 10., 4., make_walls(14., 10., 4.), Parts())
        hall(plan)
        covered = sum((solid.x1 - solid.x0) * (solid.y1 - solid.y0) for solid in plan.solids)
        assert 0 < covered < .4 * 14 * 10
