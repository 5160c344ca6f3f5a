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

"""The network search as a command, on tiny networks, frames and steps."""

from collections.abc import Callable
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.benchmarks import network_search as library
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.simulation import generator

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
NARROW = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)
CAMERA = Intrinsics(64, 48, 48., 48., 31.5, 23.5)


@pytest.fixture
def module(load_script: Callable[[str], ModuleType],
           monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return benchmark/network_search.py as a module, with networks of seconds."""
    found = load_script('network_search')
    for name, config in (('base', TINY), ('small', NARROW)):
        monkeypatch.setitem(library.CANDIDATES, name, config)
    return found


def rendered(path: Path, frames: int, settings: Any, workers: int) -> None:
    """Take the place of the renderer: ramps with noise, three views a room."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((48, 64))
    with RgbdFolderWriter(path, CAMERA, camera='c', licence='none', source='test') as writer:
        for number in range(frames):
            image = np.stack([columns * 2, rows * 3, rows + columns], -1) + rng.integers(
                0, 60, (48, 64, 3))
            writer.write(Frame(
                f'{number // 3:06d}_{number % 3:02d}', number + 1, image.astype(np.uint8), CAMERA,
                np.asarray(1 + .05 * rows + .05 * number, np.float32)))


def test_search_goes_on_and_writes(module: ModuleType, rgbd_folder: Path, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    save_weights(tmp_path / 'net', DepthNetwork(TINY), WeightCard('net', TINY, 64 * 48))
    monkeypatch.setattr(generator, 'generate', rendered)
    page, result, plot = tmp_path / 'page.md', tmp_path / 'result.json', tmp_path / 'plot.png'
    page.write_text(f'a\n{module.BEGIN}\nold\n{module.END}\nb\n')
    words = ['--data', str(tmp_path / 'data'), '--out', str(tmp_path / 'out'), '--candidates',
             'base', '--seeds', '0', '--steps', '2', '--batch', '2', '--size', '64x48',
             '--frames', '12', '--frame-size', '64x48', '--input', '64x48', '--score',
             str(rgbd_folder), '--weights', str(tmp_path / 'net.safetensors'), '--areas', '32x24',
             '64x48', '--rounds', '1', '--workers', '0', '--json', str(result), '--plot',
             str(plot), '--markdown', str(page)]
    assert module.main(words) == 0
    report = json.loads(result.read_text())
    assert report['command'].startswith('.venv/bin/python benchmark/network_search.py --data ')
    assert report['settings']['train_frames'] == 9 and report['settings']['scored_frames'] == 3
    assert 'no ImageNet start' in report['settings']['start']
    assert report['machine']['cores'] and report['versions']['torch'] and report['seeds'] == [0]
    # Both shipped sizes, whatever is asked for.
    assert set(report['candidates']) == {'base', 'small'}
    base = report['candidates']['base']
    assert base['shipped'] and base['raw']['abs_rel']['count'] == 1 and base['gmacs'] > 0
    assert base['latency']['torch fp32']['ratio'] == 1
    assert set(report['front']['torch fp32']['raw']) <= {'base', 'small'}
    assert [row['input'] for row in report['input_sizes']] == ['32x32', '64x48']
    assert report['input_sizes'][1]['latency']['torch fp32']['ratio'] == 1
    lines = page.read_text().splitlines()
    assert lines[0] == 'a' and lines[-1] == 'b' and 'old' not in lines
    assert any(line.startswith('| **small** |') for line in lines)
    assert '![Abs Rel against latency](plot.png)' in lines
    assert cv2.imread(str(plot)) is not None
    capsys.readouterr()

    # Started again it renders, trains and scores nothing.
    monkeypatch.setattr(generator, 'generate', None)
    monkeypatch.setattr(library, 'score', None)
    assert module.main(words) == 0
    assert ' steps\n' not in capsys.readouterr().err
    assert json.loads(result.read_text())['rows'] == report['rows']


def test_a_page_without_its_place_is_refused_first(module: ModuleType, tmp_path: Path) -> None:
    (tmp_path / 'page.md').write_text('nothing')
    with pytest.raises(ValueError, match='substring'):
        module.main(['--markdown', str(tmp_path / 'page.md'), '--data', str(tmp_path / 'data')])
    assert not (tmp_path / 'data').exists()
