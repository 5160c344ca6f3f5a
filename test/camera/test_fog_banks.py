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

"""Fog in layers and banks against numeric integrals along rays."""

import math

import numpy as np
import pytest

from mde_ros.camera.fog import add_fog, WeatherError
from mde_ros.camera.fog_banks import bank_thickness, FogBanks, layer_thickness
from mde_ros.camera.geometry import GeometryError
from mde_ros.camera.intrinsics import Intrinsics

CAMERA = Intrinsics(9, 7, 4., 4., 4., 3.)
LEVEL = {'banks': 0, 'glow': 0.}


def wall(metres: float = 2.) -> np.ndarray:
    return np.full((7, 9), metres, np.float32)


def grey(value: int = 100) -> np.ndarray:
    return np.full((7, 9, 3), value, np.uint8)


@pytest.mark.parametrize(('down', 'reach', 'layer'), [
    (.5, 3., 1.5), (-.5, 3., 1.5), (0., 2., 1.), (1e-9, 2., 1.)])
def test_layer_is_the_integral_along_the_ray(down: float, reach: float, layer: float) -> None:
    steps = (np.arange(20000) + .5) / 20000 * reach
    expected = np.exp(steps * down / layer).mean() * reach
    found = layer_thickness(np.array([[down]]), np.array([[reach]]), layer)
    assert found[0, 0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(('centre', 'reach'), [
    ((0., 0., 2.), 5.), ((0., 0., 2.), 2.), ((.5, -.3, 1.), 1.2), ((0., 0., 4.), 1.)])
def test_bank_is_the_integral_along_the_ray(centre: tuple[float, float, float],
                                            reach: float) -> None:
    direction = np.array([.28, 0., .96])
    steps = (np.arange(20000) + .5) / 20000 * reach
    distances = np.linalg.norm(steps[:, None] * direction - np.array(centre), axis=1)
    expected = np.exp(-distances ** 2 / (2 * .6 ** 2)).mean() * reach
    found = bank_thickness(direction[None, None], np.array([[reach]]), np.array(centre), .6)
    assert found[0, 0] == pytest.approx(expected, abs=5e-4)


def test_through_the_middle_of_a_bank_by_hand() -> None:
    # A whole Gaussian of standard deviation .5: .5 sqrt(2 pi) = 1.2533 metres; half of it 0.6267.
    ahead = np.array([[[0., 0., 1.]]])
    whole = bank_thickness(ahead, np.array([[50.]]), np.array([0., 0., 25.]), .5)
    half = bank_thickness(ahead, np.array([[25.]]), np.array([0., 0., 25.]), .5)
    assert whole[0, 0] == pytest.approx(.5 * math.sqrt(2 * math.pi), abs=1e-4)
    assert half[0, 0] == pytest.approx(.25 * math.sqrt(2 * math.pi), abs=1e-4)


def test_one_layer_without_banks_is_the_other_model_on_the_axis() -> None:
    rng = np.random.default_rng(0)
    even = FogBanks(.25, (.7, .8, .9), layer=1e6, **LEVEL).apply(grey(), wall(), CAMERA, rng)
    np.testing.assert_array_equal(even, add_fog(grey(), wall(), CAMERA, .25, (.7, .8, .9)))


def test_denser_below_than_above() -> None:
    foggy = FogBanks(.25, (.8, .8, .8), layer=1., **LEVEL).apply(
        grey(20), wall(), CAMERA, np.random.default_rng(0))
    assert foggy[6, 4, 0] > foggy[3, 4, 0] > foggy[0, 4, 0]


def test_banks_make_two_walls_of_one_depth_differ_and_follow_the_generator() -> None:
    weather = FogBanks(.12)
    image, far = grey(20), wall(5.)
    first = weather.apply(image, far, CAMERA, np.random.default_rng(3))
    again = weather.apply(image, far, CAMERA, np.random.default_rng(3))
    other = weather.apply(image, far, CAMERA, np.random.default_rng(4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (image == 20).all()
    assert int(np.ptp(first[3, :, 0])) > 10


def test_missing_readings_are_as_far_as_the_farthest() -> None:
    holes = wall(4.)
    holes[2:5, 3:6] = np.nan
    np.testing.assert_array_equal(*(
        FogBanks(.2).apply(grey(), depth, CAMERA, np.random.default_rng(1))
        for depth in (holes, wall(4.))))


@pytest.mark.parametrize(('name', 'value'), [
    ('layer', 0.), ('size', math.nan), ('banks', -1), ('density', -1.), ('glow', math.inf),
    ('unevenness', .1), ('beta', -1.)])
def test_wrong_values_are_named(name: str, value: float) -> None:
    with pytest.raises(WeatherError, match=name):
        FogBanks(**{'beta': .1, name: value})  # type: ignore[arg-type]


def test_wrong_sizes() -> None:
    with pytest.raises(GeometryError, match='9x7'):
        FogBanks(.1).apply(grey(), wall()[:3], CAMERA, np.random.default_rng(0))
