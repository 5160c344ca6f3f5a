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

"""Materials and colours of a room."""

import numpy as np
import pytest

from mde_ros.simulation.look import GROUPS, Look, PALETTE_PIXELS, PALETTE_SIDE, wood_colours
from mde_ros.simulation.recipes import RECIPES


@pytest.mark.parametrize('room', sorted(RECIPES))
def test_every_material_has_its_picture(room: str) -> None:
    look = Look(np.random.default_rng(1), room)
    for name, material in look.materials.items():
        assert material.texture in look.textures, name
        assert 0 <= material.specular <= 1
    for name in ('floor', 'wall', 'wall2', 'ceiling', 'wood', 'fabric', 'stone', 'metal', 'rug'):
        assert .1 < look.surface(name).tile < 5


def test_the_palette_is_full() -> None:
    assert sum(GROUPS.values()) == PALETTE_SIDE ** 2


def test_paint_points_at_a_colour_of_its_group(look: Look) -> None:
    palette = look.textures['palette']
    for _ in range(20):
        for group, low, high in (('white', 170, 255), ('dark', 0, 70)):
            finish = look.paint(group)
            assert finish.cell is not None
            u, v, u1, v1 = finish.cell
            assert (u, v) == (u1, v1), 'one colour, whatever the size'
            pixel = palette[int(v * PALETTE_SIDE * PALETTE_PIXELS),
                            int(u * PALETTE_SIDE * PALETTE_PIXELS)]
            assert low <= pixel.min() <= pixel.max() <= high
            assert finish.material in ('paint', 'gloss')


def test_paint_takes_a_material(look: Look) -> None:
    assert look.paint('white', material='lamp').material == 'lamp'
    assert look.materials['lamp'].emission > 0


def test_an_unknown_group_is_an_error(look: Look) -> None:
    with pytest.raises(KeyError):
        look.paint('ultraviolet')


def test_things_of_one_name_share_their_finish(look: Look) -> None:
    assert len({look.shared('chair', 'colour') for _ in range(10)}) == 1
    assert look.shared('desk', 'wood').material in ('wood', 'wood2')
    assert look.shared('sofa', 'fabric').material.startswith('fabric')


def test_printed_things_show_one_cell(look: Look) -> None:
    finish = look.printed('screen', 'screen')
    assert finish.material == 'screen'
    assert finish.cell is not None


def test_woods_are_brown() -> None:
    colours = wood_colours(np.random.default_rng(0), 200)
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert (colours[:, 0] > colours[:, 2]).all()
