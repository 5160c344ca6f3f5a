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

"""The whole way once: a folder played to the real node in another process, and checked."""

import json
from pathlib import Path

import pytest

pytest.importorskip('rclpy')


@pytest.fixture
def replay_check(load_script):
    """Return benchmark/replay_check.py as a module."""
    return load_script('replay_check')


@pytest.fixture
def weights(tmp_path) -> Path:
    """Return a small network's weight file."""
    torch = pytest.importorskip('torch')
    from mde_ros.estimation.weights import save_weights, WeightCard
    from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
    torch.manual_seed(0)
    config = NetworkConfig(encoder_width=.35, decoder_channels=(8, 8, 8, 8))
    save_weights(tmp_path / 'w', DepthNetwork(config), WeightCard('tiny', config, 64 * 48))
    return tmp_path / 'w.safetensors'


def test_a_folder_through_the_real_node(
        replay_check, rgbd_folder, weights, domain_id, tmp_path, capsys):
    found = tmp_path / 'found.json'
    code = replay_check.main([
        str(rgbd_folder), '--weights', str(weights), '--domain', str(domain_id), '--rate', '10',
        '--reliability', 'best_effort', '--json', str(found)])
    row = json.loads(found.read_text())['rows'][0]
    assert code == 0, row['failures']
    assert row['played'] == row['received'] == 6
    assert row['processed'] + sum(row['dropped'].values()) == 6
    assert row['clouds_compared'] == row['processed'] > 0
    assert 'all checks passed' in capsys.readouterr().out


class Heard:
    """What a listener heard of two frames, one of them processed."""

    worst, compared, valid = 0., 1, [1.]
    headers = {'points': [(1, 'camera_optical_frame')]}
    status = {
        'received': '2', 'processed': '1', 'dropped_busy': '1', 'lost before the node': '0',
        'model': 'm', **{f'age p{rank} (ms)': '1' for rank in (50, 95, 99)},
        **{f'inference p{rank} (ms)': '1' for rank in (50, 95)}}


@pytest.mark.parametrize(('change', 'words'), [
    ({}, None),
    ({'status': {**Heard.status, 'processed': '2'}}, '2 processed'),
    ({'status': {**Heard.status, 'received': '1', 'dropped_busy': '0'}}, '1 lost by transport'),
    ({'headers': {'points': [(5, 'camera_optical_frame')]}}, 'stamps that no image had'),
    ({'headers': {'points': [(1, 'map')]}}, 'another frame_id'),
    ({'headers': {'points': []}}, '0 messages for 1 frames'),
    ({'worst': 2e-4}, 'differ by 0.0002 m'), ({'compared': 0}, 'differ')])
def test_each_failure_is_found(replay_check, change, words):
    heard = Heard()
    for name, value in change.items():
        setattr(heard, name, value)
    failures = replay_check.judge(
        'reliable', {'stamps': [1, 2], 'rate_hz': 30.}, heard, 0)['failures']
    assert bool(failures) == (words is not None)
    assert words is None or any(words in failure for failure in failures)
    assert replay_check.judge(
        'reliable', {'stamps': [1, 2], 'rate_hz': 30.}, Heard(), 1)['failures'] == [
        'the node ended with 1']
