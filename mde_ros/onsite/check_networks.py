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

"""Networks and frames for a check that a user asks for, outside of an adaptation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mde_ros.datasets.frame import Frame, FrameSource
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile import apply_profile, load_profile
from mde_ros.estimation.profile_card import ProfileCard
from mde_ros.estimation.profile_store import resolve_profile
from mde_ros.estimation.weights import load_weights, WeightCard
from mde_ros.evaluation.compare_pictures import PictureRow, ROWS
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_pictures import CheckPicture, picture_of


@dataclass(frozen=True)
class CheckedNetwork:
    """
    Weights with or without a camera profile.

    :param network: in evaluation mode.
    :param profile: None without one.
    """

    network: DepthNetwork
    card: WeightCard
    profile: ProfileCard | None = None

    @property
    def model_id(self) -> str:
        """Return name and hash of weights and profile."""
        return self.card.model_id + (f'+{self.profile.profile_id}' if self.profile else '')

    @property
    def area(self) -> int:
        """Return the pixels of the network's input."""
        return self.card.input_area


def load_network(weights: str, profile: str = '') -> CheckedNetwork:
    """
    Load weights and the profile, a file or a store folder, if one is given.

    :raises mde_ros.errors.MdeError: for files that cannot be used.
    """
    network, card = load_weights(weights)
    path = resolve_profile(profile, card.sha256) if profile else None
    if path is None:
        return CheckedNetwork(network, card)
    loaded = load_profile(path)
    return CheckedNetwork(apply_profile(network, card, loaded).eval(), card, loaded[1])


def spread_frames(source: FrameSource, every: int, most: int) -> list[Frame]:
    """Return at most ``most`` frames of every so manieth, spread over the source, unlabelled."""
    count = len(range(0, len(source), every))
    wanted = set((np.unique(np.linspace(0, count - 1, min(count, most)).round()) * every).astype(
        int).tolist()) if count else set()
    return [replace(frame, depth=None) for number, frame in enumerate(source) if number in wanted]


def unlabelled_pictures(frames: Sequence[Frame], area: int) -> list[CheckPicture]:
    """Return frames as the network sees them."""
    return [picture_of(replace(frame, depth=None), area) for frame in frames]


def change_rows(old: CheckedNetwork, new: CheckedNetwork, frames: Sequence[Frame],
                most: int = ROWS) -> list[PictureRow]:
    """Return pictures of some frames with the depth of both networks, as a robot gets it."""
    estimators = []
    for one in (old, new):
        estimator = DepthEstimator((one.network, one.card))
        estimators.append((estimator, one.profile.scale.factor if one.profile else 1.))
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round())
    rows = []
    for frame in (frames[number] for number in chosen.astype(int)):
        made = [(estimator.estimate(frame.image, frame.intrinsics), factor)
                for estimator, factor in estimators]
        before, after = (estimate.depth * np.float32(factor) for estimate, factor in made)
        with np.errstate(invalid='ignore'):
            change = float(np.nanmedian(after / before)) - 1
        rows.append(PictureRow(f'{frame.name}: median depth {change:+.1%}', made[0][0].image,
                               before, after))
    return rows
