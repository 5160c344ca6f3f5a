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

"""Lamps: colours and limits."""

import numpy as np
import pytest

from mde_ros.simulation.lights import black_body
from mde_ros.simulation.room import build_room


@pytest.mark.parametrize(('kelvin', 'colour'), [
    # CIE colours of black bodies in sRGB, encoded, from tables of the field.
    (2700, (1., .66, .34)), (4000, (1., .82, .65)), (6600, (1., 1., 1.)), (10000, (.79, .86, 1.)),
])
def test_black_bodies(kelvin: float, colour: tuple[float, ...]) -> None:
    assert black_body(kelvin) == pytest.approx(colour, abs=.04)


def test_colder_lamps_are_bluer() -> None:
    ratios = [black_body(kelvin)[2] / black_body(kelvin)[0] for kelvin in range(2000, 12000, 500)]
    assert (np.diff(ratios) >= 0).all()


def test_every_room_is_lit_but_not_blinding() -> None:
    for seed in range(3):
        room = build_room(seed)
        assert 2 <= len(room.lamps) <= 5
        assert 1 <= sum(lamp.shadow for lamp in room.lamps) <= 4
        total = np.sum([lamp.diffuse for lamp in room.lamps], 0) + room.ambient
        assert .3 < total.max() < 4.5
        assert .08 < min(room.ambient) <= max(room.ambient) < .6
        for lamp in room.lamps:
            assert lamp.cutoff is None or 50 < lamp.cutoff < 85
            assert 0 < lamp.position[2] <= room.plan.height
