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

"""
What is measured of a network on labelled pictures in rendered weather.

For a place with haze, fog or smoke they are a control group. Before an adaptation a network sees
next to nothing in fog, and says the same of a picture and its mirror image; the share by which
its consistency falls on pictures whose depth is known, and comes out better, is no harm.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.fog import random_weather
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_measures import log_depths, target_measures
from mde_ros.onsite.check_pictures import CheckPicture

# The measures of the target that have a control.
CONTROLLED = ('flip', 'light', 'zoom')


def in_weather(pictures: Sequence[CheckPicture], seed: int = 0) -> list[CheckPicture]:
    """
    Return labelled pictures as seen through random weather, each through its own.

    :param seed: of the weathers.
    """
    found = []
    for number, picture in enumerate(pictures):
        assert picture.log_depth is not None
        height, width = picture.image.shape[:2]
        by = height // picture.log_depth.shape[0]
        depth = np.exp(picture.log_depth).repeat(by, 0).repeat(by, 1)
        camera = Intrinsics(width, height, picture.focal, picture.focal,
                            (width - 1) / 2, (height - 1) / 2)
        rng = np.random.default_rng((seed, number))
        image = random_weather(rng).apply(picture.image, depth, camera, rng)
        found.append(replace(picture, image=image))
    return found


def weather_measures(network: DepthNetwork, pictures: Sequence[CheckPicture]
                     ) -> dict[str, NDArray[np.float64]]:
    """
    Return numbers of each picture of :func:`in_weather`, on the target's path.

    * ``weather``: mean absolute difference in log depth to the labels;
    * ``weather_flip``, ``weather_light``, ``weather_zoom``: as those of :func:`target_measures`.
    """
    errors = []
    for picture in pictures:
        assert picture.log_depth is not None
        known = np.isfinite(picture.log_depth)
        if not known.any():
            continue
        difference = log_depths(network, picture.tensor(), picture.focal)[0] - picture.log_depth
        errors.append(float(np.abs(difference[known]).mean()))
    plain = target_measures(network, pictures)
    return {'weather': np.array(errors),
            **{f'weather_{name}': plain[name] for name in CONTROLLED}}
