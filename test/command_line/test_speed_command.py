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

"""``mde benchmark speed``: options reach the measurement; JSON, plot and tables come out."""

import argparse
from dataclasses import asdict
import json
from pathlib import Path
import sys
from typing import Any

import cv2
import pytest

from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.speed import benchmark
from mde_ros.benchmarks.speed.benchmark import FULL, QUICK, SpeedSettings
from mde_ros.command_line import speed
from mde_ros.command_line.main import main

STAGES = ('decode', 'resize', 'network', 'upsample', 'depth message', 'cloud')
MS = {'p50': 2., 'p95': 3., 'p99': 4., 'best': 1.}
LIVE = {'size': '640x480', 'rate_hz': 30., 'cloud': True, 'processed': 9, 'sent': 10,
        'dropped': {'dropped_busy': 1}, 'node_age_ms': MS, 'start_to_first_depth_s': 2.5}


def measured(settings: SpeedSettings, say: Any) -> dict[str, Any]:
    """Return a report of made-up numbers."""
    say('measured')
    return {
        'settings': asdict(settings),
        'networks': [{'input': '320x240', 'threads': 1, 'gmacs': 1.2, 'least_ms': 1.,
                      'roofline': {'gmacs': 100., 'gigabytes': 10.}, 'contenders': {
                          'torch fp32': {'ms': MS, 'times_as_fast_as_torch': 1.},
                          'onnx fp32': {'ms': MS, 'times_as_fast_as_torch': 2.5,
                                        'times_as_fast_as_t2net': 40., 'times_of_roofline': 1.3,
                                        'difference': {'largest': 2e-6, 'mean': 1e-7}}}}],
        'frames': [{'camera': '640x480', 'encoding': 'rgb8', 'share_without_network': .21,
                    'stages_ms': dict.fromkeys(STAGES, MS)}],
        'cameras': [{'cameras': 2, 'ms_a_camera': 1.5, 'times_as_fast_as_in_turn': .95}]}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[SpeedSettings]:
    """Return the settings that were measured with."""
    found: list[SpeedSettings] = []

    def note(settings: SpeedSettings, say: Any) -> dict[str, Any]:
        found.append(settings)
        return measured(settings, say)
    monkeypatch.setattr(benchmark, 'measure_speed', note)
    monkeypatch.setattr(sys, 'argv', ['mde', 'benchmark', 'speed'])
    monkeypatch.setenv('COLUMNS', '120')
    return found


def test_json_plot_and_tables(seen: list[SpeedSettings], tmp_path: Path,
                              capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', 'speed', '--out', str(tmp_path), '--json',
                 str(tmp_path / 'copy.json')]) == 0
    said = capsys.readouterr().out
    for words in ('320x240, 1 threads', '40.00', '2.0e-06', '640x480 rgb8', '21%', '0.95'):
        assert words in said
    report = json.loads((tmp_path / 'speed' / 'speed.json').read_text())
    assert report == json.loads((tmp_path / 'copy.json').read_text())
    assert report['command'] == 'mde benchmark speed'
    assert 'live' not in report
    assert cv2.imread(str(tmp_path / 'speed' / 'speed.png')) is not None
    assert seen == [QUICK]


def test_options_reach_the_measurement(seen: list[SpeedSettings], tmp_path: Path) -> None:
    assert main(['benchmark', 'speed', '--out', str(tmp_path), '--size', 'full', '--threads', '2',
                 '--rounds', '7', '--weights', 'mine', '--device', 'cpu']) == 0
    assert seen[0].inputs == FULL.inputs and seen[0].compiled
    assert (seen[0].threads, seen[0].rounds, seen[0].weights) == (2, 7, 'mine')


def test_live_is_measured_without_and_with_a_cloud(
        seen: list[SpeedSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    live_rate = pytest.importorskip('mde_ros.nodes.live_rate')
    asked: list[Any] = []

    def rate(options: Any) -> dict[str, Any]:
        asked.append(options)
        return {**LIVE, 'cloud': options.cloud}
    monkeypatch.setattr(live_rate, 'measure_rate', rate)
    monkeypatch.setattr(live_rate, 'measure_start', lambda options: 2.5)
    assert main(['benchmark', 'speed', '--live', '10', '--threads', '1', '--out',
                 str(tmp_path)]) == 0
    assert [(options.frames, options.cloud, options.rate) for options in asked] == [
        (10, False, 30), (10, True, 30)]
    assert asked[0].parameters == {'weights': 'shipped', 'device': 'cpu', 'threads': 1}
    said = capsys.readouterr().out
    assert '640x480 30 Hz cloud' in said and '9 of 10' in said
    report = json.loads((tmp_path / 'speed' / 'speed.json').read_text())
    assert [row['start_to_first_depth_s'] for row in report['live']] == [2.5, 2.5]


def test_live_without_ros_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'mde_ros.nodes.live_rate', None)
    with pytest.raises(BenchmarkError, match='--live needs ROS 2'):
        speed.live(argparse.Namespace(live=1))
