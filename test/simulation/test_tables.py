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

"""Tables, desks and counters have the heights of real ones."""

from collections.abc import Callable

import numpy as np

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.shapes import Array
from mde_ros.simulation.tables import counter, desk, laptop, monitor, round_table, table
from mde_ros.simulation.thing import Thing


def test_tables_are_72_to_76_cm_high(look: Look, check_thing: Callable[[Thing], Array]) -> None:
    for _ in range(15):
        thing = table(look)
        size = check_thing(thing)
        assert .715 < size[2] < .775
        assert thing.surfaces[0].z == thing.height
        assert abs(size[2] - thing.height) < .012


def test_a_table_takes_the_size_it_is_given(look: Look) -> None:
    thing = table(look, 1.5, .6, .45)
    assert (thing.width, thing.depth) == (1.5, .6)
    assert abs(thing.height - .45) < .007


def test_round_tables(look: Look, check_thing: Callable[[Thing], Array]) -> None:
    for _ in range(8):
        thing = round_table(look)
        size = check_thing(thing)
        assert abs(size[0] - thing.width) < .02
        surface = thing.surfaces[0]
        corner = np.hypot(surface.x1, surface.y1 - thing.depth / 2)
        assert corner < thing.width / 2, 'the clutter area lies inside the circle'


def test_desks_carry_a_computer(look: Look, check_thing: Callable[[Thing], Array]) -> None:
    for _ in range(10):
        thing = desk(look)
        size = check_thing(thing)
        assert .9 < size[2] < 1.7, 'a screen stands on the desk'
        assert any(piece.material == 'screen' for piece in thing.parts.pieces)


def test_counters_are_90_cm_high(look: Look, check_thing: Callable[[Thing], Array]) -> None:
    for _ in range(6):
        low = counter(look, 2.4, wall_units=False)
        assert .85 < low.height < .95
        assert check_thing(low)[2] < 1.25, 'nothing but the tap rises above the worktop'
        assert check_thing(counter(look, 2.4, ceiling=2.5))[2] < 2.5


def test_screens_face_the_user(look: Look) -> None:
    for make in (monitor, laptop):
        parts = Parts()
        make(look, parts, 0, 0, .7, 0.)
        screen, = (piece for piece in parts.pieces if piece.material == 'screen')
        assert (screen.normals[:, 1] > .8).all()
        width = np.ptp(screen.vertices[:, 0])
        assert .25 < width < .7


def test_tablecloths_hang_down_on_all_sides(look: Look,
                                            check_thing: Callable[[Thing], Array]) -> None:
    found = 0
    for _ in range(120):
        thing = table(look, 1., .8, .4)
        check_thing(thing)
        skirts = [piece for piece in thing.parts.pieces if not piece.normals[:, 2].any()
                  and np.ptp(piece.vertices[:, 2]) < .4 and len(piece.vertices) > 30]
        if not skirts:
            continue
        found += 1
        assert len(skirts) == 4
        for piece in skirts:
            middle = piece.vertices.mean(0) - (0, .4, 0)
            assert (piece.normals @ (middle * (1, 1, 0)) > 0).mean() > .9, 'seen from outside'
    assert 3 < found < 30
