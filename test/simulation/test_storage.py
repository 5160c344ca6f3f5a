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

"""Shelves, cabinets, fridges, racks and cartons."""

from collections.abc import Callable

import numpy as np
import pytest

from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.shapes import Array
from mde_ros.simulation.storage import (books, cabinet, carton_stack, fridge, pallet, rack,
                                        shelf)
from mde_ros.simulation.thing import Thing

HEIGHTS = {shelf: (.8, 2.1), cabinet: (.5, 2.15), fridge: (.8, 1.95), carton_stack: (.14, 1.9),
           rack: (1.55, 3.), pallet: (.1, 2.2)}


@pytest.mark.parametrize('make', HEIGHTS, ids=lambda make: make.__name__)
def test_sizes(make: Callable[[Look], Thing], look: Look,
               check_thing: Callable[[Thing], Array]) -> None:
    least, most = HEIGHTS[make]
    for _ in range(10):
        thing = make(look)
        assert least < check_thing(thing)[2] < most
        assert least < thing.height < most


def test_books_stand_on_their_board(look: Look) -> None:
    for _ in range(10):
        parts = Parts()
        books(look, parts, -.4, .4, .25, 1., .3)
        assert parts.pieces
        points = np.concatenate([piece.vertices for piece in parts.pieces])
        assert points[:, 2].min() > .96  # a leaning book dips a little
        assert points[:, 2].max() < 1.33
        assert points[:, 0].min() > -.45
        assert points[:, 0].max() < .47


def test_a_wardrobe_is_high_and_wide(look: Look) -> None:
    thing = cabinet(look, 2.)
    assert thing.height == 2.
    assert thing.width >= .8


def test_a_rack_is_as_large_as_it_is_told(look: Look,
                                          check_thing: Callable[[Thing], Array]) -> None:
    thing = rack(look, 2.5, 1., 5.)
    assert (thing.width, thing.depth) == (2.5, 1.)
    assert 5 < check_thing(thing)[2] < 5.7
