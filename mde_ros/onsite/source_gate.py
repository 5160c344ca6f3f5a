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

"""Stops a training early that makes the network forget its source."""

from collections.abc import Sequence
import math

import numpy as np

from mde_ros.network.batch_norm import SOURCE
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_measures import log_depths
from mde_ros.onsite.check_pictures import CheckPicture

# The final check allows less; while the learning rate is high the error wanders.
EARLY_FACTOR, EARLY_LEAST = 5., .1


class SourceForgotten(Exception):
    """The training was stopped; the message says at which error."""


def source_error(network: DepthNetwork, pictures: Sequence[CheckPicture]) -> float:
    """Return the mean absolute difference in log depth on the source's path."""
    errors = []
    for picture in pictures:
        assert picture.log_depth is not None
        difference = log_depths(network, picture.tensor(), picture.focal, SOURCE)[0] \
            - picture.log_depth
        if np.isfinite(difference).any():
            errors.append(float(np.nanmean(np.abs(difference))))
    return float(np.mean(errors)) if errors else math.nan


class SourceGate:
    """
    Watches the error on held-out source while training: the trainer's ``validate``.

    :param network: before training.
    :param rise: share by which the error may have risen at the end.
    """

    def __init__(self, network: DepthNetwork, pictures: Sequence[CheckPicture],
                 rise: float) -> None:
        self.pictures = pictures
        self.before = source_error(network, pictures)
        self.most = max(EARLY_FACTOR * rise, EARLY_LEAST)

    def __call__(self, network: DepthNetwork) -> dict[str, float]:
        """
        Return the present error.

        :raises SourceForgotten: when it has risen too far for the rest to mend.
        """
        error = source_error(network, self.pictures)
        if not error <= self.before * (1 + self.most):
            raise SourceForgotten(
                f'training stopped: the error on held-out source rose from {self.before:.3f} to '
                f'{error:.3f}, more than {self.most:.0%}: lower --learning-rate')
        return {'source': error}
