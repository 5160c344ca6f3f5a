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

"""Figures are as tall as people and stand or sit on the right height."""

from collections.abc import Callable

from mde_ros.simulation.look import Look
from mde_ros.simulation.people import person
from mde_ros.simulation.shapes import Array
from mde_ros.simulation.thing import Thing


def test_people_are_150_to_200_cm_tall(look: Look, check_thing: Callable[[Thing], Array]) -> None:
    heights = [check_thing(person(look))[2] for _ in range(12)]
    assert min(heights) > 1.45
    assert max(heights) < 2.05
    assert max(heights) - min(heights) > .05


def test_sitting_people_are_lower(look: Look, check_thing: Callable[[Thing], Array]) -> None:
    for _ in range(5):
        assert 1. < check_thing(person(look, sitting=True))[2] < 1.5
