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

"""Small things: their sizes, and that they neither overlap nor float."""

import math

import numpy as np
import pytest

from mde_ros.simulation import clutter
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Surface

# Largest height in metres.
MAKERS = {'mug': .12, 'bottle': .33, 'can': .18, 'box': .29, 'book_stack': .25, 'papers': .02,
          'bowl': .15, 'plate': .03, 'pen_cup': .2, 'phone': .03, 'bag': .52, 'waste_bin': .61,
          'cloth_heap': .2, 'open_laptop': .32, 'desk_lamp': .46, 'plant': .6}


@pytest.mark.parametrize('name', MAKERS)
def test_items_are_as_large_as_real_ones(name: str, look: Look) -> None:
    for _ in range(8):
        parts = Parts()
        radius = getattr(clutter, name)(look, parts)
        points = np.concatenate([piece.vertices for piece in parts.pieces])
        assert points[:, 2].max() < MAKERS[name]
        assert -.06 < points[:, 2].min() < .02
        reach = np.hypot(points[:, 0], points[:, 1]).max()
        assert reach < 2.6 * radius + .05


def test_every_maker_is_used() -> None:
    for makers, weights in clutter.ITEMS.values():
        assert len(makers) == len(weights)
        assert {maker.__name__ for maker in makers} <= set(MAKERS)


def test_things_stand_on_the_surface_without_overlap(look: Look,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[tuple[float, float, float]] = []
    makers = ([clutter.mug], [1.])
    monkeypatch.setitem(clutter.ITEMS, 'table', makers)
    monkeypatch.setattr(Parts, 'place', lambda self, other, x, y, z: placed.append((x, y, z)))
    count = clutter.scatter(look, Surface(0, 0, 1, .5, .75, .3, 1., 'table'), Parts())
    assert count == len(placed) > 5
    for k, (x, y, z) in enumerate(placed):
        assert z == .75
        assert 0 < x < 1
        assert 0 < y < .5
        for a, b, _ in placed[:k]:
            # A mug is 3.5 to 4.7 cm in radius and 3 cm for the handle.
            assert math.hypot(x - a, y - b) > .9 * 2 * .065


def test_nothing_rises_above_the_free_height(look: Look) -> None:
    for _ in range(10):
        parts = Parts()
        clutter.scatter(look, Surface(-.5, 0, .5, .3, 1., .6, .12, 'shelf'), parts)
        for piece in parts.pieces:
            assert piece.vertices[:, 2].max() <= 1.12 + 1e-9


def test_a_surface_that_is_too_small_stays_empty(look: Look) -> None:
    assert clutter.scatter(look, Surface(0, 0, .01, .01, 0., 1.), Parts()) == 0
