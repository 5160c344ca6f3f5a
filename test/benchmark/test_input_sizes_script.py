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

"""Scoring at several input sizes and as smaller cameras, on a tiny folder and a tiny network."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.estimator import Estimate
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))
CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)


@pytest.fixture
def input_sizes(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/input_sizes.py as a module."""
    return load_script('input_sizes')


def frame(depth: float) -> Frame:
    """Return a grey frame before a wall, one corner of which is too far to be scored."""
    wall = np.full((48, 64), depth, np.float32)
    wall[:4, :4] = 30
    return Frame('a', 1, np.full((48, 64, 3), 90, np.uint8), CAMERA, wall)


class Twice:
    """Says 2 m of every pixel; keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[Intrinsics] = []

    def estimate(self, image: np.ndarray, intrinsics: Intrinsics) -> Estimate:
        """Return 2 m."""
        self.seen.append(intrinsics)
        depth = np.full(image.shape[:2], 2, np.float32)
        return Estimate(depth, intrinsics, image, {})


def test_hand_computed_errors_and_what_a_smaller_camera_sees(input_sizes: ModuleType) -> None:
    twice = Twice()
    # 2 m of 1 m and of 4 m: errors 1 and 0.5, logarithms 0.69 and -0.69.
    found = input_sizes.score([frame(1), frame(4)], twice, (32, 24))
    assert found == pytest.approx((.75, 0, 0), abs=1e-6)
    assert twice.seen == [CAMERA.resized(32, 24)] * 2
    assert input_sizes.score([frame(1)], twice, None)[2] == pytest.approx(np.log(2))


def test_table_and_files(input_sizes: ModuleType, tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch,
                         capsys: pytest.CaptureFixture[str]) -> None:
    with RgbdFolderWriter(tmp_path / 'cam', CAMERA, camera='c', licence='none', source='test',
                          splits={'score': ['b']}) as writer:
        for name in 'ab':
            writer.write(Frame(name, 1, frame(1).image, CAMERA, frame(2).depth))
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny', DepthNetwork(TINY), WeightCard(
        'tiny', TINY, input_area=64 * 48))
    page = tmp_path / 'page.md'
    page.write_text('before\n<!-- input sizes -->\nold\n<!-- end of input sizes -->\nafter\n')
    monkeypatch.setattr(sys, 'argv', [
        'input_sizes.py', str(tmp_path / 'cam'), '--cameras', '32x24', '--inputs', '16x16',
        '64x48', '--weights', str(tmp_path / 'tiny'), '--threads', '1', '--json',
        str(tmp_path / 'r.json'), '--markdown', str(page)])
    assert input_sizes.main() == 0
    assert 'median-scaled' in capsys.readouterr().out
    found = json.loads((tmp_path / 'r.json').read_text())
    # An input below that of the small camera is left out.
    assert [(row['camera'], row['input'], row['usual']) for row in found['rows']] == [
        ('own', '16x16', False), ('own', '64x48', True), ('32x24', '64x48', True)]
    assert '--cameras 32x24' in found['command']
    text = page.read_text()
    assert text.startswith('before') and text.endswith('after\n') and 'old' not in text
    assert '| 32x24 | **64x48** |' in text
