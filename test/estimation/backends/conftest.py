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

"""The network and its graph that all back ends are tested with."""

from backend_checks import SPEC, tiny_network
import pytest

from mde_ros.estimation.onnx_graph import depth_graph
from mde_ros.network.depth_network import DepthNetwork


@pytest.fixture
def network() -> DepthNetwork:
    """Return a small folded network."""
    return tiny_network()


@pytest.fixture
def graph(network: DepthNetwork) -> bytes:
    """Return the network as ONNX for SPEC."""
    data: bytes = depth_graph(network, SPEC.width, SPEC.height).SerializeToString()
    return data
