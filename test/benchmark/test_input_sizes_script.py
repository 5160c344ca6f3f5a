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
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))
CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)


@pytest.fixture
def input_sizes(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/input_sizes.py as a module."""
    return load_script('input_sizes')


def write_set(path: Path) -> None:
    """Write two grey frames of a wall at 2 m, the second of which is scored."""
    with RgbdFolderWriter(path, CAMERA, camera='c', licence='none', source='test',
                          splits={'score': ['b']}) as writer:
        for name in 'ab':
            writer.write(Frame(name, 1, np.full((48, 64, 3), 90, np.uint8), CAMERA,
                               np.full((48, 64), 2, np.float32)))


def test_a_smaller_camera_has_the_same_view(input_sizes: ModuleType, tmp_path: Path) -> None:
    write_set(tmp_path / 'cam')
    own, = input_sizes.SmallerCamera(tmp_path / 'cam', None)
    small, = input_sizes.SmallerCamera(tmp_path / 'cam', (32, 24))
    assert (own.name, own.intrinsics, own.image.shape) == ('b', CAMERA, (48, 64, 3))
    assert small.intrinsics == CAMERA.resized(32, 24) and small.image.shape == (24, 32, 3)
    np.testing.assert_array_equal(small.depth, np.full((24, 32), 2, np.float32))


def test_what_is_estimated_too_near_is_below_0(input_sizes: ModuleType, tmp_path: Path) -> None:
    write_set(tmp_path / 'cam')
    network = DepthNetwork(TINY)
    with torch.no_grad():
        network.decoder.head.weight.zero_()
        network.decoder.head.bias.zero_()  # sqrt(10) canonical metres
    says = np.sqrt(10) * CAMERA.fx / TINY.canonical_focal
    raw, median, log_scale = input_sizes.score(tmp_path / 'cam', DepthEstimator(
        (network.eval(), WeightCard('tiny', TINY, 64 * 48))), None)
    assert (raw, median, log_scale) == pytest.approx(
        (abs(says / 2 - 1), 0, np.log(says / 2)), abs=1e-3)


def test_table_and_files(input_sizes: ModuleType, tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch,
                         capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / 'cam')
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
