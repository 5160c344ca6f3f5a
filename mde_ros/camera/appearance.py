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

"""What one camera does to a picture: its lens, sensor and image processing."""

from dataclasses import dataclass, fields
from functools import lru_cache
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.srgb import ENCODE_TABLE, from_linear, to_linear
from mde_ros.errors import MdeError

# Lengths in pixels hold for images of this width and are scaled for others.
REFERENCE_WIDTH = 640
LUMA = np.array([.2126, .7152, .0722])  # of linear sRGB


class AppearanceError(MdeError):
    """A camera appearance that there is not, or values that describe none."""


@dataclass(frozen=True)
class CameraAppearance:
    """
    One camera's look, as the stages that light passes; the defaults change nothing.

    In linear light: exposure, vignetting, blur, sensor noise, white balance, colour matrix.
    After it: tone curve, sharpening, JPEG.

    :param exposure: factor of the light.
    :param vignetting: stops of light lost in the corner.
    :param blur: standard deviation of the lens blur in pixels of an image 640 wide.
    :param sensor_gains: red and blue gains, over green, that the sensor needs for daylight;
        noise in a channel grows with its gain.
    :param shot_noise: variance of the noise at white; it falls in proportion to the light.
    :param read_noise: standard deviation of the noise in the dark, white = 1.
    :param white_balance: red, green and blue factors left wrong by the white balance.
    :param saturation: 0 grey, 1 as it is.
    :param colour_shift: six numbers, what leaks into red from green and blue, into green from
        red and blue, into blue from red and green; grey stays grey.
    :param gamma: exponent on the encoded value: above 1 darker mid-tones.
    :param contrast: 1 a full S curve, 0 none, below 0 flatter.
    :param black_level: encoded value of black.
    :param sharpening: amount of the unsharp mask; its halo is about 2 pixels wide.
    :param jpeg_quality: 1 to 100, 0 for no compression.
    :raises AppearanceError: for values outside these ranges.
    """

    exposure: float = 1
    vignetting: float = 0
    blur: float = 0
    sensor_gains: tuple[float, float] = (1, 1)
    shot_noise: float = 0
    read_noise: float = 0
    white_balance: tuple[float, float, float] = (1, 1, 1)
    saturation: float = 1
    colour_shift: tuple[float, float, float, float, float, float] = (0, 0, 0, 0, 0, 0)
    gamma: float = 1
    contrast: float = 0
    black_level: float = 0
    sharpening: float = 0
    jpeg_quality: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for field in fields(self):
            value = getattr(self, field.name)
            numbers = value if isinstance(value, tuple) else (value,)
            positive = field.name in ('exposure', 'sensor_gains', 'white_balance', 'gamma')
            signed = field.name in ('colour_shift', 'contrast')
            for number in numbers:
                if not math.isfinite(number) or (number < 0 and not signed) or (
                        number == 0 and positive):
                    raise AppearanceError(
                        f'{field.name} = {value}: must be finite and '
                        + ('above 0' if positive else 'not negative'))
        if not -1 <= self.contrast <= 1 or self.black_level >= 1 or self.jpeg_quality > 100:
            raise AppearanceError(
                f'contrast {self.contrast}, black_level {self.black_level}, jpeg_quality '
                f'{self.jpeg_quality}: must be within -1..1, 0..1 and 0..100')

    def apply(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """
        Return the image as this camera would have taken it.

        :param image: H x W x 3 uint8 RGB; left as it is.
        :param rng: for the noise alone; equal states give equal images.
        """
        red, blue = self.sensor_gains
        light = to_linear(image, (self.exposure / red, self.exposure, self.exposure / blue))
        if self.vignetting:
            light *= _vignette(image.shape[0], image.shape[1], self.vignetting)
        sigma = self.blur * image.shape[1] / REFERENCE_WIDTH
        if sigma > .1:
            light = cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        if self.shot_noise or self.read_noise:
            light += self._noise(light, rng)
        colour = self._colour_matrix()
        if not np.array_equal(colour, np.eye(3)):
            light = cv2.transform(light, colour)
        shown = from_linear(light, _tone_table(self.gamma, self.contrast, self.black_level))
        if self.sharpening:
            soft = cv2.GaussianBlur(
                shown, (0, 0), max(.5, 1.2 * image.shape[1] / REFERENCE_WIDTH))
            shown = cv2.addWeighted(shown, 1 + self.sharpening, soft, -self.sharpening, 0)
        if self.jpeg_quality:
            shown = _through_jpeg(shown, self.jpeg_quality)
        return shown

    def _noise(self, light: NDArray[np.float32],
               rng: np.random.Generator) -> NDArray[np.float32]:
        # OpenCV draws normal numbers three times as fast as numpy; its generator is seeded
        # from ours (and is one per thread), so that equal seeds give equal noise.
        cv2.setRNGSeed(int(rng.integers(2 ** 31)))
        noise = np.empty_like(light)
        # One channel wide, as the standard deviation would hold for the first channel alone.
        cv2.randn(noise.reshape(light.shape[0], -1), 0, 1)
        noise *= cv2.sqrt(light * np.float32(self.shot_noise) + np.float32(self.read_noise ** 2))
        return noise

    def _colour_matrix(self) -> NDArray[np.float64]:
        """Return sensor gains, white balance, leaks and saturation as one 3 x 3 matrix."""
        a, b, c, d, e, f = self.colour_shift
        leak = np.array([[1 - a - b, a, b], [c, 1 - c - d, d], [e, f, 1 - e - f]])
        grey = np.tile(LUMA, (3, 1))
        saturate = self.saturation * np.eye(3) + (1 - self.saturation) * grey
        gains = np.array([self.sensor_gains[0], 1, self.sensor_gains[1]]) * self.white_balance
        return np.asarray(saturate @ leak @ np.diag(gains))


CAMERAS = {
    'neutral': CameraAppearance(),
    # Two cameras as different as two rooms' webcams: same scene, same depth, other pictures.
    'camera_a': CameraAppearance(
        exposure=1.05, vignetting=.3, blur=.6, sensor_gains=(1.9, 1.5), shot_noise=.0004,
        read_noise=.002, white_balance=(1.12, 1., .86), saturation=1.15, gamma=.95,
        contrast=.35, sharpening=.3, jpeg_quality=92),
    'camera_b': CameraAppearance(
        exposure=.8, vignetting=.9, blur=1.1, sensor_gains=(1.6, 2.1), shot_noise=.002,
        read_noise=.006, white_balance=(.84, 1.03, 1.22), saturation=.65,
        colour_shift=(.06, 0, -.02, .05, 0, .04), gamma=1.15, contrast=-.25, black_level=.05,
        sharpening=1., jpeg_quality=55),
    'webcam': CameraAppearance(
        exposure=1.1, vignetting=.5, blur=1.4, sensor_gains=(1.8, 1.8), shot_noise=.003,
        read_noise=.008, white_balance=(1.05, 1., .92), saturation=.8, contrast=.3,
        black_level=.03, sharpening=.8, jpeg_quality=40),
    'phone': CameraAppearance(
        exposure=1.1, blur=.4, sensor_gains=(2., 1.7), shot_noise=.0008, read_noise=.003,
        saturation=1.3, gamma=.9, contrast=.5, sharpening=.6, jpeg_quality=90),
    'low_light': CameraAppearance(
        exposure=.4, vignetting=.6, blur=.9, sensor_gains=(1.5, 2.4), shot_noise=.006,
        read_noise=.012, white_balance=(1.2, 1., .8), saturation=.7, gamma=.85, jpeg_quality=75),
    'mono': CameraAppearance(
        blur=.6, vignetting=.5, shot_noise=.001, read_noise=.005, saturation=0, contrast=.2),
}


def camera_named(name: str) -> CameraAppearance:
    """
    Return a camera of ``CAMERAS``.

    :raises AppearanceError: listing the names there are.
    """
    if name not in CAMERAS:
        raise AppearanceError(f"no camera '{name}'; there are: {', '.join(CAMERAS)}")
    return CAMERAS[name]


def random_appearance(rng: np.random.Generator) -> CameraAppearance:
    """Return a camera drawn from what robots' and people's cameras look like."""
    red, green, blue = np.clip(np.exp(rng.normal(0, (.14, .05, .14))), .6, 1.8)
    return CameraAppearance(
        exposure=float(np.clip(np.exp(rng.normal(0, .3)), .4, 1.9)),
        vignetting=float(rng.uniform(0, 1)) if rng.random() < .6 else 0,
        blur=float(min(2.5, rng.exponential(.7))) if rng.random() < .8 else 0,
        sensor_gains=(float(rng.uniform(1.3, 2.4)), float(rng.uniform(1.3, 2.4))),
        shot_noise=_log_uniform(rng, 1e-4, 5e-3),
        read_noise=_log_uniform(rng, 5e-4, 1e-2),
        white_balance=(float(red), float(green), float(blue)),
        saturation=0 if rng.random() < .03 else float(rng.uniform(.5, 1.45)),
        colour_shift=tuple(  # type: ignore[arg-type]
            float(leak) for leak in rng.normal(0, .04, 6)),
        gamma=float(np.exp(rng.uniform(-.3, .3))),
        contrast=float(rng.uniform(-.3, .7)),
        black_level=float(rng.uniform(0, .07)) if rng.random() < .5 else 0,
        sharpening=float(rng.uniform(0, 1.3)) if rng.random() < .6 else 0,
        jpeg_quality=int(rng.integers(30, 96)) if rng.random() < .8 else 0)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


@lru_cache(maxsize=32)
def _tone_table(gamma: float, contrast: float, black_level: float) -> NDArray[np.uint8]:
    shown = ENCODE_TABLE ** gamma
    shown = shown + contrast * (shown * shown * (3 - 2 * shown) - shown)
    return np.rint(255 * (black_level + (1 - black_level) * shown)).astype(np.uint8)


@lru_cache(maxsize=8)
def _radius_squared(height: int, width: int) -> NDArray[np.float32]:
    """Return the squared distance from the image's centre, 1 in the corner pixel, H x W x 1."""
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    x = np.arange(width, dtype=np.float32)[None] - (width - 1) / 2
    squared = np.asarray(x * x + y * y, np.float32)
    return (squared / max(float(squared[0, 0]), 1.))[..., None]


def _vignette(height: int, width: int, stops: float) -> NDArray[np.float32]:
    # cos^4 of the angle to the axis, by the tangent: the fall-off of a simple lens.
    corner = 2 ** (stops / 2) - 1
    falloff = 1 + np.float32(corner) * _radius_squared(height, width)
    return np.asarray(1 / (falloff * falloff), np.float32)


def _through_jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, encoded = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
                              [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    rgb: NDArray[np.uint8] = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return rgb
