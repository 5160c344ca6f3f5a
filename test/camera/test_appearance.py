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

"""Camera appearances: each stage alone by hand, and what holds of all cameras."""

from dataclasses import replace

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from mde_ros.camera.appearance import (
    AppearanceError, camera_named, CameraAppearance, CAMERAS, random_appearance)
from mde_ros.camera.srgb import decode_curve, encode_curve


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def patch(value: int | tuple[int, int, int], height: int = 24, width: int = 32) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def encoded(linear: float) -> int:
    return round(255 * float(encode_curve(np.array([linear]))[0]))


def decoded(byte: int) -> float:
    return float(decode_curve(np.array([byte / 255]))[0])


def picture() -> np.ndarray:
    """Return edges, ramps and colours, 48 x 64."""
    y, x = np.mgrid[:48, :64]
    checks = ((x // 8 + y // 8) % 2) * 90
    return np.stack([checks + 2 * x, checks + 3 * y, 165 + 0 * x], -1).clip(0, 255).astype(
        np.uint8)


def test_neutral_changes_nothing() -> None:
    every_byte = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    given_image = every_byte.copy()
    np.testing.assert_array_equal(CAMERAS['neutral'].apply(given_image, rng()), every_byte)
    np.testing.assert_array_equal(given_image, every_byte)


def test_exposure_and_white_balance_act_in_linear_light() -> None:
    camera = CameraAppearance(exposure=.5, white_balance=(1.2, 1., .8))
    light = decoded(200) * .5
    np.testing.assert_array_equal(
        camera.apply(patch(200), rng())[3, 3],
        [encoded(1.2 * light), encoded(light), encoded(.8 * light)])


def test_sensor_gains_alone_cancel_out() -> None:
    camera = CameraAppearance(sensor_gains=(2., 1.5))
    image = picture()
    assert np.abs(camera.apply(image, rng()).astype(int) - image).max() <= 1


def test_saturation_by_hand() -> None:
    red = patch((255, 0, 0))
    # Linear luma of pure red is 0.2126.
    grey = CameraAppearance(saturation=0).apply(red, rng())[0, 0]
    np.testing.assert_array_equal(grey, [encoded(.2126)] * 3)
    half = CameraAppearance(saturation=.5).apply(red, rng())[0, 0]
    np.testing.assert_array_equal(
        half, [encoded(.5 + .1063), encoded(.1063), encoded(.1063)])


def test_colour_shift_by_hand() -> None:
    camera = CameraAppearance(colour_shift=(.1, .2, 0, 0, 0, 0))
    # Red becomes 0.7 red + 0.1 green + 0.2 blue, in linear light.
    light = .7 * decoded(10) + .1 * decoded(200) + .2 * decoded(100)
    np.testing.assert_array_equal(
        camera.apply(patch((10, 200, 100)), rng())[0, 0], [encoded(light), 200, 100])
    np.testing.assert_array_equal(camera.apply(patch(99), rng()), patch(99))


@pytest.mark.parametrize(('camera', 'expected'), [
    (CameraAppearance(gamma=2), 64),           # 255 (128 / 255)^2 = 64.25
    (CameraAppearance(contrast=1), 40),        # t = 64 / 255: 255 t^2 (3 - 2 t) = 40.1
    (CameraAppearance(black_level=.1), 83),    # 25.5 + 0.9 * 64 = 83.1
])
def test_tone_by_hand(camera: CameraAppearance, expected: int) -> None:
    value = 128 if camera.gamma == 2 else 64
    assert (camera.apply(patch(value), rng()) == expected).all()


def test_vignetting_loses_its_stops_in_the_corner() -> None:
    shown = CameraAppearance(vignetting=2.).apply(patch(255, 25, 33), rng())
    assert shown[12, 16, 0] == 255
    for corner in (shown[0, 0], shown[-1, 0], shown[0, -1], shown[-1, -1]):
        np.testing.assert_array_equal(corner, [encoded(.25)] * 3)  # two stops: a quarter
    assert (np.diff(shown[12, 16:, 0].astype(int)) <= 0).all()


def test_noise_has_the_variance_of_light_and_reading() -> None:
    camera = CameraAppearance(shot_noise=.002, read_noise=.01)
    for value in (100, 188):
        shown = camera.apply(patch(value, 200, 200), rng()).astype(np.float64) / 255
        light = decode_curve(shown)
        expected = np.sqrt(.002 * decoded(value) + .01 ** 2)
        assert light.std() == pytest.approx(expected, rel=.03)
        assert light.mean() == pytest.approx(decoded(value), abs=.002)
    # Channels are independent.
    assert abs(np.corrcoef(light[..., 0].ravel(), light[..., 1].ravel())[0, 1]) < .03


def test_noise_grows_with_the_gain_of_its_channel() -> None:
    camera = CameraAppearance(read_noise=.01, sensor_gains=(3., 1.))
    light = decode_curve(camera.apply(patch(188, 200, 200), rng()) / 255.)
    assert light[..., 0].std() / light[..., 1].std() == pytest.approx(3, rel=.05)


def test_blur_is_scaled_to_the_image_and_keeps_the_light() -> None:
    image = np.zeros((41, 64, 3), np.uint8)
    image[:, 32:] = 255
    # 20 px of a 640 wide image are 2 px of a 64 wide one: the edge is a normal integral.
    light = decode_curve(CameraAppearance(blur=20.).apply(image, rng())[20, :, 1] / 255.)
    # Of the step, pixel 32 sees what lies beyond 0.5 px: Phi(0.25) = 0.599.
    assert light[32] == pytest.approx(.599, abs=.01)
    assert light[34] == pytest.approx(.894, abs=.01)  # Phi(1.25)
    assert light.mean() == pytest.approx(.5, abs=.005)


def test_sharpening_leaves_a_halo() -> None:
    image = patch(80)
    image[:, 16:] = 160
    shown = CameraAppearance(sharpening=1.).apply(image, rng())[10, :, 0].astype(int)
    assert shown[15] < 75
    assert shown[16] > 165
    np.testing.assert_array_equal(shown[[2, 29]], [80, 160])


def test_jpeg_keeps_red_and_blue_apart_and_loses_detail() -> None:
    shown = CameraAppearance(jpeg_quality=90).apply(patch((200, 40, 90)), rng())
    assert np.abs(shown.astype(int) - (200, 40, 90)).max() <= 4
    errors = [np.abs(CameraAppearance(jpeg_quality=quality).apply(picture(), rng()).astype(int)
                     - picture()).mean() for quality in (95, 50, 20)]
    assert errors[0] < errors[1] < errors[2]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2 ** 32 - 1))
def test_random_cameras_are_usable_and_repeatable(seed: int) -> None:
    camera = random_appearance(rng(seed))
    assert camera == random_appearance(rng(seed))
    shown = camera.apply(picture(), rng(seed))
    assert shown.shape == (48, 64, 3)
    assert shown.dtype == np.uint8
    assert shown.flags.c_contiguous
    np.testing.assert_array_equal(shown, camera.apply(picture(), rng(seed)))
    # The scene is still there: brightness follows the original's.
    assert np.corrcoef(shown.mean(-1).ravel(), picture().mean(-1).ravel())[0, 1] > .5


def test_random_cameras_differ() -> None:
    generator = rng()
    assert len({random_appearance(generator) for _ in range(50)}) == 50


def test_noise_depends_on_the_generator_only() -> None:
    camera = CAMERAS['low_light']
    first = camera.apply(picture(), rng(1))
    assert (camera.apply(picture(), rng(2)) != first).any()
    generator = rng(1)
    np.testing.assert_array_equal(camera.apply(picture(), generator), first)
    assert (camera.apply(picture(), generator) != first).any()


def test_the_fixed_cameras_differ_from_each_other() -> None:
    # camera_a is warm, camera_b cold: of a grey wall the first shows more red than blue.
    warm, cold = (CAMERAS[name].apply(patch(128), rng()).mean((0, 1))
                  for name in ('camera_a', 'camera_b'))
    assert warm[0] > warm[2] + 10
    assert cold[0] < cold[2] - 10
    grey = CAMERAS['mono'].apply(picture(), rng()).astype(int)
    assert np.abs(np.diff(grey.mean((0, 1)))).max() < 1


def test_single_row_and_single_pixel() -> None:
    for shape in ((1, 1), (1, 9), (9, 1)):
        assert CAMERAS['camera_b'].apply(patch(90, *shape), rng()).shape == (*shape, 3)


@pytest.mark.parametrize(('name', 'value'), [
    ('exposure', 0.), ('blur', -1.), ('gamma', float('nan')), ('contrast', 1.5),
    ('black_level', 1.), ('jpeg_quality', 101), ('white_balance', (1., 0., 1.)),
    ('colour_shift', (0., 0., 0., 0., 0., float('inf'))),
])
def test_wrong_values_are_named(name: str, value: object) -> None:
    with pytest.raises(AppearanceError, match=name):
        replace(CameraAppearance(), **{name: value})  # type: ignore[arg-type]


def test_names() -> None:
    assert camera_named('camera_a') is CAMERAS['camera_a']
    with pytest.raises(AppearanceError, match=r'camera_c.*neutral, camera_a, camera_b'):
        camera_named('camera_c')
