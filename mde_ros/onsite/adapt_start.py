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

"""What an adaptation begins with: a recording worth it, a network, pictures to check it with."""

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.profile import apply_profile, load_profile
from mde_ros.estimation.profile_card import SiteScale
from mde_ros.estimation.profile_store import resolve_profile
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.adapt_data import AdaptData, open_target
from mde_ros.onsite.adapt_settings import AdaptError, AdaptSettings
from mde_ros.onsite.check_pictures import CheckPicture, source_pictures, target_pictures
from mde_ros.onsite.recording_check import check_recording


def refusals(settings: AdaptSettings) -> list[str]:
    """Return what is wrong with the recording; data of other kinds are not looked at."""
    learnt, _ = open_target(settings)
    whole = getattr(learnt, 'base', learnt)
    if not isinstance(whole, RgbdFolder):
        return []
    return check_recording(whole.path, settings.split or None)


def starting_network(profile: str, base: DepthNetwork, card: WeightCard
                     ) -> tuple[DepthNetwork, str, SiteScale]:
    """
    Return the network to start from, and the hash and scale of the profile that it has.

    :param profile: a file, a store, whose current profile counts, or '' for none.
    :param base: the network of the weights, with its card.
    :raises mde_ros.estimation.profile_card.ProfileError: for a profile that cannot be used.
    """
    path = resolve_profile(profile, card.sha256) if profile else None
    if path is None:
        return base, '', SiteScale()
    tensors, found = load_profile(path)
    return apply_profile(base, card, (tensors, found)), found.sha256, found.scale


def check_pictures(data: AdaptData, most: int, area: int
                   ) -> tuple[list[CheckPicture], list[CheckPicture]]:
    """
    Return held-out pictures of target and source.

    :param most: pictures of either.
    :param area: pixels of the network's input.
    :raises AdaptError: when none can be read.
    """
    targets = target_pictures([data.target_check], most, area)
    sources = source_pictures(data.source_checks, most, area)
    for what, found in (('the target', targets), ('the source', sources)):
        if not found:
            raise AdaptError(f'no readable held-out frame of {what}')
    return targets, sources
