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

"""The live evaluation against the real node in another process."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

import torch

from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.scoring import ScoringOptions
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.nodes import live_evaluation
from mde_ros.nodes.live_evaluation import evaluate_live, LiveError, LiveOptions
from mde_ros.nodes.transport import VARIABLES


@pytest.fixture
def in_own_domain(domain_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this process and its child in a domain of their own."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain_id))
    for name in VARIABLES:
        # Unset for the test; what it exports is taken back after it.
        monkeypatch.setenv(name, '')


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return an untrained small network: its depth is wrong, and the same everywhere."""
    torch.manual_seed(0)
    network = DepthNetwork(SIZES['small']).eval()
    save_weights(tmp_path / 'untrained', network, WeightCard('untrained', SIZES['small'], 64 * 48))
    return tmp_path / 'untrained.safetensors'


@pytest.mark.usefixtures('in_own_domain')
def test_live_values_equal_the_offline_ones(rgbd_folder: Path, weights: Path) -> None:
    """Six frames at 10 Hz through a node in another process; none lost, none differs."""
    source = open_dataset(rgbd_folder)
    options = ScoringOptions(.3, 10)
    live = evaluate_live(source, options, LiveOptions(
        None, {'weights': str(weights), 'threads': 1}, rate=4.))
    offline = evaluate(source, DepthEstimator(weights, threads=1), options)
    assert live.model['id'] == offline.model['id']
    assert live.read == 6 == live.scored + sum(live.skipped.values())
    assert live.live is not None
    assert live.live['lost_before_node'] == live.live['lost_after_node'] == 0
    assert live.live['sent'] == 6
    assert live.live['node_processed'] == live.live['depth_received'] >= 3
    assert live.live['age_ms']['p50'] > 0
    assert 50 < live.live['node_peak_memory_mb'] < 5000
    assert live.scores is not None
    assert offline.scores is not None
    expected = {frame.name: frame for frame in offline.scores.frames}
    for frame in live.scores.frames:
        wanted: Any = expected[frame.name].columns['raw'].to_dict()
        assert frame.columns['raw'].to_dict() == pytest.approx(wanted, rel=1e-4)
        assert frame.predicted == 1


@pytest.mark.usefixtures('in_own_domain')
def test_no_node_in_that_namespace(rgbd_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to check."""
    monkeypatch.setattr(live_evaluation, 'START_LIMIT', .5)
    with pytest.raises(LiveError, match='namespace'):
        evaluate_live(open_dataset(rgbd_folder), ScoringOptions(), LiveOptions('/nobody'))
