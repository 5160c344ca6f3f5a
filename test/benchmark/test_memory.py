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

"""Memory of a node over many frames: how growth is judged, and the way to it."""

from collections.abc import Callable
import json
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip('rclpy')


@pytest.fixture
def memory(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/memory.py as a module."""
    return load_script('memory')


def test_growth_by_hand(memory: Any) -> None:
    # The first tenth does not count: libraries load. Then 100 on, 104 at last.
    rising = memory.judge({'memory_mb': [50.] + [100.] * 5 + [104.] * 4})
    assert (rising['growth_mb'], rising['flat']) == (4., True)
    leaking = memory.judge({'memory_mb': [100. + n for n in range(20)]})
    assert leaking['growth_mb'] == pytest.approx(16)  # means of 102, 103 and of 118, 119
    assert not leaking['flat']
    assert memory.judge({'memory_mb': [70.]})['flat']


def test_options_reach_the_measurement(memory: Any, monkeypatch: pytest.MonkeyPatch,
                                       tmp_path: Any) -> None:
    asked: list[Any] = []

    def measure(options: Any) -> dict[str, Any]:
        asked.append(options)
        return {'memory_mb': [1., 1., 9.], 'processed': 3, 'sent': 4, 'device': 'x',
                'dropped': {'dropped_busy': 1}}
    monkeypatch.setattr('mde_ros.nodes.live_rate.measure_rate', measure)
    assert memory.main(['--frames', '4', '--rate', '9', '--size', '32', '24', '--weights', 'w',
                        '--parameter', 'backend:=onnx', '--json', str(tmp_path / 'm')]) == 1
    options = asked[0]
    assert (options.width, options.height, options.rate, options.frames) == (32, 24, 9, 4)
    assert options.parameters == {'weights': 'w', 'backend': 'onnx'}
    assert json.loads((tmp_path / 'm').read_text())['growth_mb'] == 8
