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

"""The stages of a frame that are timed: they do what the node does."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mde_ros.benchmarks.speed.stages import image_message, pinhole, way
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig


@pytest.mark.parametrize(('encoding', 'tolerance'), [('rgb8', 0), ('bgr8', 0), ('jpeg', 12)])
def test_messages_are_what_the_decoder_reads(encoding: str, tolerance: int) -> None:
    image = noise((1, 48, 64, 3))[0]
    found = image_to_rgb(image_message(image, encoding)).astype(int)
    assert np.abs(found - image).mean() <= tolerance
    assert isinstance(image_message(image, encoding), SimpleNamespace)


def estimator() -> DepthEstimator:
    """Return an estimator whose network sees 64 x 48."""
    torch.manual_seed(0)
    config = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
    return DepthEstimator((DepthNetwork(config), WeightCard('t', config, 64 * 48)))


def test_only_jpeg_is_decoded_smaller() -> None:
    shapes = [way(estimator(), pinhole(256, 192), encoding).small().shape
              for encoding in ('rgb8', 'jpeg')]
    assert shapes == [(192, 256, 3), (48, 64, 3)]


def test_both_clouds_are_the_same() -> None:
    found = way(estimator(), pinhole(64, 48))
    points = found.cloud
    found.stages['cloud']()
    first = points.copy()
    points[:] = 0
    found.plain['cloud']()
    assert np.array_equal(points[..., :3], first[..., :3])
    assert np.array_equal(points.view(np.uint32)[..., 4], first.view(np.uint32)[..., 4])
    assert first[..., 2].min() > 0
