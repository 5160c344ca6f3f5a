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

"""Networks that take turns: every back end and name has its times, what is missing its reason."""

import importlib.util
import json
import subprocess
import sys

import pytest

from mde_ros.benchmarks.speed import network_latency as module
from mde_ros.benchmarks.speed.network_latency import measure_networks, with_ratio
from mde_ros.network.depth_network import NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))
PROGRAM = """
import json
import os
import signal

from mde_ros.benchmarks.speed.network_latency import measure_apart
from mde_ros.network.depth_network import NetworkConfig

if __name__ == '__main__':
    tiny = NetworkConfig(.125, (8, 8, 8, 8))
    found = measure_apart({'small': (tiny, (32, 32)), 'large': (tiny, (256, 192))}, 3, threads=1)
    signal.signal(signal.SIGUSR1, lambda number, frame: print(json.dumps(found)))
    os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_every_network_has_its_times_and_signals_do_no_harm() -> None:
    # In a process of its own: with OpenVINO in this one the signal would be a segmentation fault.
    done = subprocess.run([sys.executable, '-c', PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    times, missing = json.loads(done.stdout)
    there = ['torch fp32'] if importlib.util.find_spec('openvino') is None else [
        'openvino fp32', 'torch fp32']
    assert list(times) == there and len(times) + len(missing) == 2
    for found in times.values():
        assert 0 < found['small']['best'] < found['large']['best']


def test_what_cannot_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'CPU_BACKENDS', ('cuda', 'torch'))
    times, missing = measure_networks({'a': (TINY, (32, 32))}, 1)
    assert list(times) == ['torch fp32']
    assert list(missing) == ['cuda fp32'] and "'cuda'" in missing['cuda fp32']


def test_ratios_by_hand() -> None:
    times = {'torch fp32': {'a': {'p50': 3., 'p95': 9.}, 'base': {'p50': 4., 'p95': 5.}}}
    assert with_ratio(times, 'a', 'base') == {'torch fp32': {'p50': 3., 'p95': 9., 'ratio': .75}}
