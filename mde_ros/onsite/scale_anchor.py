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

"""The scale of the place from what a user or a sensor has measured, for the profile."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.estimation.anchors.camera_height import CameraHeight
from mde_ros.estimation.anchors.estimate import estimate_scale
from mde_ros.estimation.anchors.fit import fit_factor
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.anchors.odometry import read_odometry
from mde_ros.estimation.anchors.ranges import read_ranges
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile_card import FACTORS, SiteScale
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.adapt_settings import AdaptSettings
from mde_ros.onsite.mounted_camera import floor_scales, Mount

FEWEST_FLOORS = 5
UNSCALED = SiteScale()


def anchor_of(settings: AdaptSettings) -> dict[str, Any]:
    """
    Return the one anchor that is given as :func:`estimate_scale` takes it, {} without one.

    :raises mde_ros.estimation.anchors.inputs.AnchorError: for a file that cannot be
        read.
    """
    if settings.tape is not None:
        return {'tape': settings.tape}
    if settings.camera_height is not None:
        return {'camera_height': CameraHeight(settings.camera_height, settings.camera_pitch)}
    if settings.ranges is not None:
        return {'ranges': read_ranges(settings.ranges)}
    if settings.odometry is not None:
        return {'odometry': read_odometry(settings.odometry)}
    return {}


def floor_measure(network: DepthNetwork, card: WeightCard, frames: IndexedDataset,
                  mount: Mount | None) -> dict[str, NDArray[np.float64]]:
    """
    Return how far each frame's scale is from that of the floor, {} where that cannot be told.

    Without a measured height it is the distance from what the frames have in common.

    :param frames: of the target, held out.
    """
    if mount is None:
        return {}
    scales = floor_scales(DepthEstimator((network, card)), frames, mount)
    if len(scales) < FEWEST_FLOORS:
        return {}
    return {'floor': np.abs(scales - (0. if mount.known else np.median(scales)))}


def kept_scale(before: NDArray[np.float64], after: NDArray[np.float64],
               start: SiteScale) -> SiteScale:
    """
    Return a scale that was measured for the network before, for the adapted one.

    Both networks' depth then has the same level. Where nothing was measured there is no level to
    be kept: that of the adapted network is no worse than the one before, and in fog, where one
    that has seen none takes things for much nearer than they are, a lot better
    (docs/adaptation.md).

    :param before: median log depth of each picture by the network that was adapted; ``after``
        those by the adapted one.
    :param start: scale of the profile that was adapted.
    """
    if start == UNSCALED:
        return UNSCALED
    shifts = np.asarray(before) - np.asarray(after)
    factor = start.factor * float(np.exp(start.exponent * np.median(shifts)))
    # How far it is from the truth nobody knows.
    return SiteScale(float(np.clip(factor, *FACTORS)), None, 'kept', len(shifts), start.exponent)


def site_scale(anchor: dict[str, Any], network: DepthNetwork, card: WeightCard,
               frames: IndexedDataset, mount: Mount | None = None,
               otherwise: SiteScale = UNSCALED) -> tuple[SiteScale, str]:
    """
    Return the scale of the network's depth, and why there is none although it was asked for.

    An anchor that says nothing does not undo the adaptation.

    :param anchor: of :func:`anchor_of`.
    :param frames: of the target, in the order of recording.
    :param mount: where the height is known, its floor tells what scale is left.
    :param otherwise: without an anchor, or with one that says nothing.
    """
    if not anchor:
        return otherwise, ''
    try:
        if mount is not None and mount.known:
            scales = floor_scales(DepthEstimator((network, card)), frames, mount)
            return fit_factor(np.exp(scales), np.ones(len(scales)), 'camera_height',
                              fewest=FEWEST_FLOORS), ''
        return estimate_scale(DepthEstimator((network, card)), frames, **anchor), ''
    except AnchorError as error:
        return otherwise, str(error)
