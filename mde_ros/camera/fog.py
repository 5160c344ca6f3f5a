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

"""Fog and haze on images whose depth is known (Koschmieder's law)."""

from dataclasses import dataclass
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.geometry import check_size, ray_length_factor
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.srgb import from_linear, to_linear
from mde_ros.errors import MdeError

# Distance of pixels without a reading in an image that has no reading at all, in metres.
DEFAULT_FAR = 10.
# Contrast that an eye still sees: visibility is where transmission falls to it.
VISIBLE_CONTRAST = .05


class WeatherError(MdeError):
    """A weather that there is not, or values that describe none."""


@dataclass(frozen=True)
class Weather:
    """
    Scattering air.

    :param beta: extinction per metre; 0 is clear air.
    :param airlight: colour of endless fog, red, green, blue in linear light, 0..1.
    :param unevenness: standard deviation of the logarithm of beta over the image.
    :param scatter: blur of what lies wholly behind fog, in pixels of an image 640 wide.
    :raises WeatherError: for values out of range.
    """

    beta: float = 0
    airlight: tuple[float, float, float] = (.8, .8, .8)
    unevenness: float = 0
    scatter: float = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ('beta', 'unevenness', 'scatter'):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise WeatherError(f'{name} = {value}: must be finite and not negative')
        if len(self.airlight) != 3 or not all(0 <= value <= 1 for value in self.airlight):
            raise WeatherError(f'airlight {self.airlight}: must be three numbers in 0..1')

    @property
    def visibility(self) -> float:
        """Return the distance in metres at which 5 % of the contrast is left."""
        return -math.log(VISIBLE_CONTRAST) / self.beta if self.beta else math.inf

    def apply(self, image: NDArray[np.uint8], depth: NDArray[np.float32],
              intrinsics: Intrinsics, rng: np.random.Generator) -> NDArray[np.uint8]:
        """
        Return the image seen through this air; see :func:`add_fog`.

        :param rng: for the unevenness.
        """
        return add_fog(image, depth, intrinsics, self.beta, self.airlight,
                       unevenness=self.unevenness, scatter=self.scatter, rng=rng)


def add_fog(image: NDArray[np.uint8], depth: NDArray[np.float32], intrinsics: Intrinsics,
            beta: float, airlight: tuple[float, float, float] = (.8, .8, .8), *,
            unevenness: float = 0, scatter: float = 0, missing: float | None = None,
            rng: np.random.Generator | None = None) -> NDArray[np.uint8]:
    """
    Return the image in fog: I = R t + L (1 - t), t = exp(-beta * distance), in linear light.

    The distance is measured along each pixel's ray, so corners are foggier than the depth says.

    :param image: H x W x 3 uint8 RGB in clear air; left as it is.
    :param depth: H x W float32 metres along the optical axis.
    :param beta: extinction per metre.
    :param airlight: L, red, green, blue in linear light.
    :param unevenness: standard deviation of the logarithm of beta over the image; needs rng.
    :param scatter: blur of what lies behind fog, in pixels of an image 640 wide.
    :param missing: depth in metres of pixels without a reading; None is the farthest reading.
    :raises GeometryError: when image, depth and intrinsics differ in size.
    :raises WeatherError: for values out of range, or unevenness without rng.
    """
    Weather(beta, airlight, unevenness, scatter)
    check_size(depth, intrinsics)
    check_size(image[..., 0], intrinsics)
    if beta == 0:
        return image.copy()
    readings = np.isfinite(depth)
    if missing is None:
        missing = float(depth[readings].max()) if readings.any() else DEFAULT_FAR
    thickness = np.where(readings, depth, np.float32(missing)) * ray_length_factor(intrinsics)
    thickness *= np.float32(beta)
    if unevenness:
        if rng is None:
            raise WeatherError('unevenness needs a random generator: give rng')
        thickness *= _uneven(depth.shape[0], depth.shape[1], unevenness, rng)
    # Where the lens sees sideways the ray has no end in a plane: nothing but fog.
    transmission = np.nan_to_num(np.exp(-thickness))[..., None]
    light = to_linear(image)
    sigma = scatter * image.shape[1] / 640
    if sigma > .1:
        soft = cv2.GaussianBlur(light, (0, 0), sigma)
        light = soft + (light - soft) * transmission
    fog = np.asarray(airlight, np.float32)
    return from_linear(np.asarray(fog + (light - fog) * transmission, np.float32))


def random_weather(rng: np.random.Generator) -> Weather:
    """Return fog drawn from thin haze (visibility 150 m) to fog that ends at 6 m."""
    level = rng.uniform(.15, .9)
    tint = np.clip(level * np.exp(rng.normal(0, .05, 3)), 0, 1)
    return Weather(float(np.exp(rng.uniform(math.log(.02), math.log(.5)))),
                   (float(tint[0]), float(tint[1]), float(tint[2])),
                   unevenness=float(rng.uniform(0, .5)), scatter=float(rng.uniform(0, 2)))


def _uneven(height: int, width: int, spread: float,
            rng: np.random.Generator) -> NDArray[np.float32]:
    """Return factors that vary slowly over the image, with mean logarithm 0."""
    coarse = rng.standard_normal((5, 7), dtype=np.float32)
    coarse -= coarse.mean()
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.exp(np.float32(spread) * np.asarray(smooth, np.float32))
