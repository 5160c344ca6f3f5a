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

"""A live measurement end to end, small, and what it makes of counts and stamps."""

from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header
import torch

from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.nodes import live_rate
from mde_ros.nodes.live_rate import (
    measure_rate, measure_start, RateError, RateOptions, stamp_of)


def test_the_stamp_is_read_without_unpacking_the_message() -> None:
    message = Image(header=Header(stamp=Time(sec=1700000000, nanosec=250_000_000)))
    assert stamp_of(bytes(serialize_message(message))) == pytest.approx(1700000000.25, abs=1e-6)
    # Big endian, as another machine may send.
    data = b'\x00\x00\x00\x00' + (7).to_bytes(4, 'big') + (500_000_000).to_bytes(4, 'big')
    assert stamp_of(data) == 7.5


@pytest.fixture
def tiny_weights(tmp_path: Path) -> Path:
    """Return a small weight file."""
    torch.manual_seed(0)
    config = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
    save_weights(tmp_path / 'tiny', DepthNetwork(config), WeightCard('tiny', config, 64 * 48))
    return tmp_path / 'tiny.safetensors'


@pytest.mark.parametrize('cloud', [False, True])
def test_every_frame_is_accounted_for(tiny_weights: Path, ros_environment: dict[str, str],
                                      monkeypatch: pytest.MonkeyPatch, cloud: bool) -> None:
    for name, value in ros_environment.items():
        monkeypatch.setenv(name, value)
    found = measure_rate(RateOptions(64, 48, 20., 20, cloud, {
        'weights': tiny_weights, 'backend': 'onnx'}))
    assert found['sent'] == 20
    assert found['received'] == 20
    assert found['processed'] + sum(found['dropped'].values()) == 20
    assert set(found['arrived']) == {'depth/image_rect', *(['points'] if cloud else [])}
    assert found['device'] == 'onnx fp32 on cpu'
    assert 0 < found['node_age_ms']['p50'] < 10_000
    assert {'decode', 'network', 'publish'} <= set(found['stages_ms_p50'])
    assert found['memory_mb'] and found['node_cpu_share'] > 0


def test_a_node_that_does_not_start_is_an_error(ros_environment: dict[str, str], tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ros_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(live_rate, 'START_LIMIT', 6.)
    # The node itself goes on, unconfigured, as a lifecycle node does.
    with pytest.raises(RateError, match='no depth after 6 s'):
        measure_start(RateOptions(64, 48, 20., 5, False, {'weights': tmp_path / 'none'}))


def test_the_time_to_the_first_depth(tiny_weights: Path, ros_environment: dict[str, str],
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ros_environment.items():
        monkeypatch.setenv(name, value)
    assert 0 < measure_start(RateOptions(64, 48, 20., parameters={
        'weights': tiny_weights, 'backend': 'torch'})) < live_rate.START_LIMIT
