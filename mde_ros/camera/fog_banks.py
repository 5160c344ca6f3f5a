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

"""Fog that lies low and drifts in banks: a second model, to measure what one has learnt."""

from dataclasses import dataclass
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.fog import DEFAULT_FAR, Weather, WeatherError
from mde_ros.camera.geometry import check_size, rays
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.srgb import from_linear, to_linear

# Where banks lie: from here to here along the optical axis, metres.
NEAREST, FARTHEST = .8, 6.
# How many heights of the layer below or above the camera the density still changes.
STEEPEST = 3.


@dataclass(frozen=True)
class FogBanks(Weather):
    """
    Air whose extinction differs from place to place in space, integrated along each ray.

    Other than :class:`Weather`, whose air is one over the whole depth of a ray: a layer that is
    denser below the camera than above, round banks at random places, and airlight that is
    brighter towards a lamp. The camera is taken to be level.

    :param beta: extinction per metre at the height of the camera, without banks.
    :param layer: metres down over which the extinction rises by the factor e.
    :param banks: number of banks in view.
    :param density: extinction in the middle of a bank, in units of beta.
    :param size: radius of a bank in metres, the standard deviation of its density.
    :param glow: how much brighter airlight is towards the lamp, and darker away from it.
    """

    layer: float = 1.5
    banks: int = 5
    density: float = 4.
    size: float = .6
    glow: float = .3

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        for name in ('layer', 'size'):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise WeatherError(f'{name} = {value}: must be finite and above 0')
        for name in ('banks', 'density', 'glow'):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise WeatherError(f'{name} = {value}: must be finite and not negative')
        if self.unevenness:
            raise WeatherError('unevenness: banks take its place; leave it 0')

    def apply(self, image: NDArray[np.uint8], depth: NDArray[np.float32],
              intrinsics: Intrinsics, rng: np.random.Generator) -> NDArray[np.uint8]:
        """
        Return the image seen through this air.

        :param image: H x W x 3 uint8 RGB in clear air; left as it is.
        :param depth: H x W float32 metres along the optical axis.
        :param rng: for the places of banks and lamp.
        :raises GeometryError: when image, depth and intrinsics differ in size.
        """
        check_size(depth, intrinsics)
        check_size(image[..., 0], intrinsics)
        slopes = rays(intrinsics)
        length = np.sqrt(1 + (slopes ** 2).sum(-1))
        direction = np.concatenate((slopes, np.ones_like(slopes[..., :1])), -1) / length[..., None]
        readings = np.isfinite(depth)
        missing = float(depth[readings].max()) if readings.any() else DEFAULT_FAR
        reach = np.where(readings, depth, np.float32(missing)) * length
        thickness = self.beta * layer_thickness(direction[..., 1], reach, self.layer)
        for _ in range(self.banks):
            z = rng.uniform(NEAREST, FARTHEST)
            centre = np.array([*(rng.uniform(-.6, .6, 2) * z), z])
            thickness = thickness + self.beta * self.density * bank_thickness(
                direction, reach, centre, self.size)
        transmission = np.nan_to_num(np.exp(-thickness)).astype(np.float32)[..., None]
        light = to_linear(image)
        sigma = self.scatter * image.shape[1] / 640
        if sigma > .1:
            soft = cv2.GaussianBlur(light, (0, 0), sigma)
            light = soft + (light - soft) * transmission
        # A lamp above and ahead.
        lamp = np.array([rng.uniform(-1, 1), -rng.uniform(.3, 1), rng.uniform(.2, 1)])
        towards = np.nan_to_num(direction) @ (lamp / np.linalg.norm(lamp))
        fog = np.clip(np.asarray(self.airlight) * (1 + self.glow * towards[..., None]), 0, 1)
        return from_linear(np.asarray(fog + (light - fog) * transmission, np.float32))


def layer_thickness(down: NDArray[np.floating], reach: NDArray[np.floating],
                    layer: float) -> NDArray[np.float64]:
    """
    Return the integral of exp(s * down / layer) over a ray from 0 to ``reach``, metres.

    :param down: share of the ray's direction that points down.
    """
    rise = np.clip(np.asarray(down, np.float64) * reach / layer, -STEEPEST, STEEPEST)
    # (exp(x) - 1) / x, which is 1 at 0.
    small = np.abs(rise) < 1e-6
    factor = np.where(small, 1 + rise / 2, np.expm1(rise) / np.where(small, 1, rise))
    return np.asarray(reach * factor, np.float64)


def bank_thickness(direction: NDArray[np.floating], reach: NDArray[np.floating],
                   centre: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """
    Return the integral of exp(-distance^2 / 2 size^2) over a ray from 0 to ``reach``, metres.

    :param direction: H x W x 3 unit vectors.
    :param centre: of the bank, metres, in the frame of the camera.
    """
    along = direction @ centre
    beside = float(centre @ centre) - along ** 2
    scale = math.sqrt(2) * size
    share = .5 * (_erf((reach - along) / scale) + _erf(along / scale))
    return np.asarray(
        np.exp(-beside / (2 * size ** 2)) * size * math.sqrt(2 * math.pi) * share, np.float64)


def _erf(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the error function within 2e-4 (Winitzki's formula)."""
    square = x ** 2
    inner = square * (4 / math.pi + .147 * square) / (1 + .147 * square)
    return np.asarray(np.sign(x) * np.sqrt(-np.expm1(-inner)))
