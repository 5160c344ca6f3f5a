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

"""Seats have the sizes of real seats and stand on the floor."""

from collections.abc import Callable

import numpy as np
import pytest

from mde_ros.simulation.look import Look
from mde_ros.simulation.seats import bed, office_chair, sofa, stool, wooden_chair
from mde_ros.simulation.shapes import Array
from mde_ros.simulation.thing import Thing

# least and most height in metres, from shops
HEIGHTS = {office_chair: (.85, 1.3), wooden_chair: (.75, 1.01), stool: (.44, .76),
           sofa: (.6, 1.), bed: (.5, 1.1)}


@pytest.mark.parametrize('make', HEIGHTS, ids=lambda make: make.__name__)
def test_seats_are_as_large_as_real_ones(
        make: Callable[[Look], Thing], look: Look,
        check_thing: Callable[[Thing], Array]) -> None:
    least, most = HEIGHTS[make]
    for _ in range(12):
        size = check_thing(make(look))
        assert least < size[2] < most
        assert .3 < size[0] < 3.2


def test_the_seat_of_a_chair_is_at_knee_height(look: Look) -> None:
    for _ in range(10):
        chair = wooden_chair(look)
        # The seat is the box that covers the whole width and lies flat.
        flat = [piece for piece in chair.parts.pieces if np.ptp(piece.vertices[:, 2]) < .035
                and np.ptp(piece.vertices[:, 0]) > chair.width - 1e-6
                and np.ptp(piece.vertices[:, 1]) > .3]
        assert len(flat) == 1
        assert .43 < flat[0].vertices[:, 2].max() < .48


def test_a_sofa_grows_with_its_seats(look: Look) -> None:
    assert sofa(look, 3).width > sofa(look, 1).width + .8


def test_an_office_chair_has_a_star_of_five_castors(look: Look) -> None:
    chair = office_chair(look)
    castors = [piece for piece in chair.parts.pieces if piece.vertices[:, 2].max() < .07]
    assert len(castors) == 5
