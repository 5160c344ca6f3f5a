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

"""A small network that all back ends are tested with."""

import numpy as np
import torch

from mde_ros.estimation.backends.base import Backend, EngineSpec
from mde_ros.estimation.backends.choose import noise
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig, normalise
from mde_ros.network.fold import fold_network

SPEC = EngineSpec(64, 48, threads=1)


def tiny_network() -> DepthNetwork:
    """Return a folded random network whose depth varies over an image."""
    torch.manual_seed(5)
    made = DepthNetwork(NetworkConfig(.25, (8, 8, 8, 8)))
    with torch.no_grad():
        made.decoder.head.weight.mul_(20)
    return fold_network(made.eval())


def depth_of(network: DepthNetwork, images: np.ndarray) -> np.ndarray:
    """Return canonical metres, straight from the network."""
    with torch.no_grad():
        found: np.ndarray = network(normalise(torch.from_numpy(images).permute(
            0, 3, 1, 2))).exp()[:, 0].numpy()
    return found


def check(backend: Backend, network: DepthNetwork, tolerance: float) -> None:
    """Check two images in turn: nothing of the one stays in the other's depth."""
    for images in (noise(backend.images.shape), 255 - noise(backend.images.shape)):
        backend.images[:] = images
        expected = depth_of(network, images)
        depth = backend.run()
        assert depth.shape == backend.spec.output_shape
        assert depth.dtype == np.float32
        assert expected.std() / expected.mean() > .05
        assert np.abs(depth / expected - 1).max() < tolerance
