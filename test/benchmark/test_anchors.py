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

"""What anchors bring, on a tiny folder and a network that is wrong by a known factor."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.evaluation.scoring import ScoringOptions
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)


@pytest.fixture
def anchors(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/anchors.py as a module."""
    return load_script('anchors')


@pytest.fixture
def constant(tmp_path: Path) -> Path:
    """Return weights that say the same depth everywhere."""
    network = DepthNetwork(TINY)
    with torch.no_grad():
        network.decoder.head.weight.zero_()
        network.decoder.head.bias.fill_(0.)  # sqrt(10) m at the canonical focal length
    save_weights(tmp_path / 'tiny', network, WeightCard('tiny', TINY, 64 * 48))
    return tmp_path / 'tiny.safetensors'


def test_one_row_a_folder_with_both_splits(
        anchors: ModuleType, rgbd_folder: Path, constant: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    page, result = tmp_path / 'page.md', tmp_path / 'result.json'
    page.write_text(f'before\n{anchors.BEGIN}\nold\n{anchors.END}\nafter\n')
    monkeypatch.setattr(sys, 'argv', [
        'anchors.py', str(rgbd_folder.parent), '--weights', str(constant), '--threads', '1',
        '--json', str(result), '--markdown', str(page)])
    assert anchors.main() == 0
    found = json.loads(result.read_text())
    assert found['command'].startswith('.venv/bin/python benchmark/anchors.py ')
    (name, row), = found['sets'].items()
    assert name == rgbd_folder.name and row['frames'] == 2
    lines = page.read_text().splitlines()
    assert lines[0] == 'before' and lines[-1] == 'after' and 'old' not in lines
    cells = [cell.strip() for cell in lines[-3].strip('|').split('|')]
    assert cells[:2] == [name, f'{row["raw"]:.3f}'] and len(cells) == len(anchors.COLUMNS)
    assert cells[6] == '-'  # no floor is known in it
    # The tape says how far the centre is; the network says the same of every frame.
    frames = list(RgbdFolder(rgbd_folder, split='adapt'))
    said = row['tape'][0]
    frame = next(frame for frame in frames if frame.name == said['frame'])
    assert frame.depth is not None
    fx = frame.intrinsics.fx
    centre = np.median(frame.depth[23:26, 31:34])
    assert said['factor'] == pytest.approx(centre / (10 ** .5 * fx / 50), rel=.02)
    assert row['ranges'][0]['source'] == 'ranges'


def test_readings_are_what_a_sensor_would_say(anchors: ModuleType, rgbd_folder: Path) -> None:
    frames = list(RgbdFolder(rgbd_folder))
    made = anchors.readings(frames, ScoringOptions())
    assert len(made) == anchors.RANGES
    for reading in made:
        frame = next(f for f in frames if f.name == reading.frame)
        k = frame.intrinsics
        along = np.hypot(1, np.hypot((reading.u - k.cx) / k.fx, (reading.v - k.cy) / k.fy))
        assert frame.depth is not None
        assert reading.metres == pytest.approx(
            frame.depth[int(reading.v), int(reading.u)] * along, rel=.05)
