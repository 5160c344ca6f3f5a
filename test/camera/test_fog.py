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

"""Fog against Koschmieder's law by hand."""

import math

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from mde_ros.camera.fog import add_fog, DEFAULT_FAR, random_weather, Weather, WeatherError
from mde_ros.camera.geometry import GeometryError
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.srgb import decode_curve, encode_curve

CAMERA = Intrinsics(9, 7, 4., 4., 4., 3.)
FOG = (.7, .8, .9)


def patch(value: int = 100) -> np.ndarray:
    return np.full((7, 9, 3), value, np.uint8)


def depth(metres: float = 2.) -> np.ndarray:
    return np.full((7, 9), metres, np.float32)


def koschmieder(value: int, air: float, thickness: float) -> int:
    light = float(decode_curve(np.array([value / 255]))[0])
    through = math.exp(-thickness)
    return round(255 * float(encode_curve(np.array([light * through + air * (1 - through)]))[0]))


def test_constant_patch_by_hand() -> None:
    foggy = add_fog(patch(), depth(), CAMERA, .25, FOG)
    # On the axis the ray is as long as the depth: 2 m, t = exp(-0.5) = 0.6065.
    # 100 / 255 is 0.1274 of light: red 0.1274 * 0.6065 + 0.7 * 0.3935 = 0.3527, encoded 160.
    assert foggy[3, 4, 0] == 160
    np.testing.assert_array_equal(foggy[3, 4], [koschmieder(100, air, .5) for air in FOG])
    # In the corner it is sqrt(1 + 1 + 9/16) = 1.6008 times as long.
    np.testing.assert_array_equal(
        foggy[0, 0], [koschmieder(100, air, .5 * math.sqrt(1 + 1 + 9 / 16)) for air in FOG])
    # Rays, not depth: a flat wall is foggier in the corner.
    assert (foggy[0, 0] > foggy[3, 4]).all()


def test_clear_air_is_the_identity() -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    clear = add_fog(image, depth(), CAMERA, 0.)
    np.testing.assert_array_equal(clear, image)
    assert clear is not image
    np.testing.assert_array_equal(
        Weather().apply(image, depth(), CAMERA, np.random.default_rng(0)), image)


def test_far_away_there_is_nothing_but_airlight() -> None:
    foggy = add_fog(patch(), depth(500.), CAMERA, 1., FOG)
    assert (foggy == [koschmieder(0, air, 1e3) for air in FOG]).all()


def test_missing_readings_are_as_far_as_the_farthest() -> None:
    z = depth(2.)
    z[3, 4] = np.nan
    z[3, 5] = np.inf
    z[0, 0] = 6.
    foggy = add_fog(patch(), z, CAMERA, .25, FOG)
    assert foggy[3, 4, 0] == koschmieder(100, .7, .25 * 6)
    given_far = add_fog(patch(), z, CAMERA, .25, FOG, missing=30.)
    assert given_far[3, 4, 0] == koschmieder(100, .7, .25 * 30)
    none_at_all = add_fog(patch(), depth(np.nan), CAMERA, .25, FOG)
    assert none_at_all[3, 4, 0] == koschmieder(100, .7, .25 * DEFAULT_FAR)


def test_sideways_rays_of_a_fisheye_end_in_fog() -> None:
    fisheye = Intrinsics(9, 7, 2., 2., 4., 3., 'equidistant', (1e-6, 0., 0., 0.))
    foggy = add_fog(patch(), depth(), fisheye, .25, FOG)
    assert (foggy[3, 0] == [koschmieder(0, air, 1e3) for air in FOG]).all()


def test_the_image_given_is_left_alone() -> None:
    image, z = patch(), depth()
    z[0, 0] = np.nan
    add_fog(image, z, CAMERA, .3, FOG, scatter=50., unevenness=.3, rng=np.random.default_rng(0))
    assert (image == 100).all()
    assert np.isnan(z[0, 0])
    assert (z.ravel()[1:] == 2).all()


def test_scatter_blurs_what_is_far_more() -> None:
    camera = Intrinsics(64, 20, 1000., 1000., 31.5, 9.5)
    image = np.zeros((20, 64, 3), np.uint8)
    image[:, ::2] = 255

    def contrast(metres: float, scatter: float) -> float:
        foggy = add_fog(image, np.full((20, 64), metres, np.float32), camera, .1, (0., 0., 0.),
                        scatter=scatter)
        light = decode_curve(foggy[10, 20:40, 0] / 255.)
        return float((light[::2] - light[1::2]).mean() / light.mean())

    assert contrast(5., 0.) == pytest.approx(2, abs=.02)
    # Stripes of one pixel are wholly blurred away: what passes is t = exp(-0.1 z) of them.
    for metres in (2., 8.):
        assert contrast(metres, 20.) == pytest.approx(2 * math.exp(-.1 * metres), abs=.03)


def test_uneven_fog_varies_slowly_and_keeps_its_mean() -> None:
    camera = Intrinsics(70, 50, 1e4, 1e4, 35., 25.)
    black = np.zeros((50, 70, 3), np.uint8)
    z = np.full((50, 70), 1., np.float32)
    foggy = add_fog(black, z, camera, .5, (1., 1., 1.), unevenness=.5,
                    rng=np.random.default_rng(3))
    thickness = -np.log(1 - decode_curve(foggy[..., 0] / 255.))
    assert thickness.std() > .1
    assert np.log(thickness / .5).mean() == pytest.approx(0, abs=.15)
    logarithm = np.log(thickness)
    assert np.abs(np.diff(logarithm, axis=1)).max() < .6 * logarithm.std()
    with pytest.raises(WeatherError, match='rng'):
        add_fog(black, z, camera, .5, unevenness=.5)


@settings(max_examples=50, deadline=None)
@given(beta=st.floats(0, 20), nearer=st.floats(.1, 50), farther=st.floats(.1, 50),
       value=st.integers(0, 255))
def test_fog_lies_between_scene_and_airlight_and_grows(
        beta: float, nearer: float, farther: float, value: int) -> None:
    nearer, farther = sorted((nearer, farther))
    air = koschmieder(0, .5, 1e3)
    near = int(add_fog(patch(value), depth(nearer), CAMERA, beta, (.5,) * 3)[3, 4, 0])
    far = int(add_fog(patch(value), depth(farther), CAMERA, beta, (.5,) * 3)[3, 4, 0])
    assert min(value, air) <= near <= max(value, air)
    assert abs(far - air) <= abs(near - air)


def test_visibility() -> None:
    assert Weather(.05).visibility == pytest.approx(59.9, abs=.1)  # ln 20 / beta
    assert Weather().visibility == math.inf


def test_wrong_values_and_names() -> None:
    for weather in ({'beta': -.1}, {'beta': math.nan}, {'unevenness': -1.}, {'scatter': math.inf},
                    {'airlight': (.5, .5, 1.2)}, {'airlight': (.5, .5)}):
        with pytest.raises(WeatherError, match=next(iter(weather))):
            Weather(**weather)  # type: ignore[arg-type]
    with pytest.raises(GeometryError, match='9x7'):
        add_fog(patch(), depth()[:3], CAMERA, .1)
    with pytest.raises(GeometryError, match='9x7'):
        add_fog(patch()[:3], depth(), CAMERA, .1)


def test_random_weather() -> None:
    first, second = (random_weather(np.random.default_rng(seed)) for seed in (1, 2))
    assert first == random_weather(np.random.default_rng(1))
    assert first != second
    for seed in range(50):
        weather = random_weather(np.random.default_rng(seed))
        assert 5.9 < weather.visibility < 150
        foggy = weather.apply(patch(), depth(), CAMERA, np.random.default_rng(seed))
        assert foggy.dtype == np.uint8
        np.testing.assert_array_equal(
            foggy, weather.apply(patch(), depth(), CAMERA, np.random.default_rng(seed)))
