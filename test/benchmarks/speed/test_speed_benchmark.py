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

"""The speed benchmark on small inputs: what is in the report and how ratios are made."""

import json
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.benchmarks.speed import benchmark, contenders as contenders_module
from mde_ros.benchmarks.speed.benchmark import at, measure_speed, QUICK, SpeedSettings
from mde_ros.benchmarks.speed.figure import speed_figure
from mde_ros.benchmarks.speed.roofline import roofline_runs
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the report of a tiny network and a tiny T2Net."""
    torch.manual_seed(0)
    config = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
    tiny = DepthNetwork(config)
    monkeypatch.setattr(benchmark, 'DepthEstimator', lambda weights, **options: DepthEstimator(
        (tiny, WeightCard('tiny', config, 96 * 96)), **options))
    plain = contenders_module.T2NetConfig
    monkeypatch.setattr(contenders_module, 'T2NetConfig', lambda: plain(channels=2))
    monkeypatch.setattr(benchmark, 'roofline_runs',
                        lambda threads: roofline_runs(threads, 64, 1 << 16))
    said: list[str] = []
    found = measure_speed(SpeedSettings(inputs=((96, 96), (112, 96)), cameras=((96, 96), (64, 48)),
                                        batches=(1, 2), rounds=2), said.append)
    assert len(said) == 3
    return found


def test_the_report_holds_every_part_and_its_ratios(report: dict[str, Any]) -> None:
    first, second = report['networks']
    assert (first['input'], second['input']) == ('96x96', '112x96')
    assert not first['missing'] or all('not' in why or 'has' in why
                                       for why in first['missing'].values())
    assert {'torch fp32', 'onnx fp32', 'onnx int8', 't2net torch fp32'} <= set(
        first['contenders'])
    assert 't2net torch fp32' not in second['contenders']
    torch_row, onnx_row = first['contenders']['torch fp32'], first['contenders']['onnx fp32']
    assert torch_row['times_as_fast_as_torch'] == 1
    assert onnx_row['times_as_fast_as_torch'] == pytest.approx(
        torch_row['ms']['p50'] / onnx_row['ms']['p50'], rel=.02)
    assert onnx_row['times_of_roofline'] == pytest.approx(
        onnx_row['ms']['p50'] / first['least_ms'], rel=.5)
    assert onnx_row['difference']['largest'] < 1e-4
    assert second['gmacs'] > first['gmacs'] > 0
    assert [(frame['camera'], frame['encoding']) for frame in report['frames']] == [
        ('96x96', 'rgb8'), ('96x96', 'jpeg'), ('64x48', 'rgb8'), ('64x48', 'jpeg')]
    frame = report['frames'][0]
    assert list(frame['stages_ms']) == [
        'decode', 'resize', 'network', 'upsample', 'depth message', 'cloud']
    assert frame['share_without_network'] == pytest.approx(
        1 - frame['stages_ms']['network']['p50'] / sum(
            stage['p50'] for stage in frame['stages_ms'].values()), abs=1e-3)
    assert [row['cameras'] for row in report['cameras']] == [1, 2]
    assert json.loads(json.dumps(report))['model'] == report['model']


def test_the_plot_is_a_picture(report: dict[str, Any]) -> None:
    picture = cv2.imdecode(np.frombuffer(speed_figure(report), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] > 500 and picture.std() > 5


def test_settings_change_only_where_something_is_given() -> None:
    assert at(QUICK, rounds=None, threads=None) == QUICK
    assert at(QUICK, rounds=3).rounds == 3
