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

"""Adapting to real sets and scoring them, on tiny folders and a tiny network."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))
CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)


@pytest.fixture
def adapted_sets(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/adapted_sets.py as a module."""
    return load_script('adapted_sets')


def write_set(path: Path, splits: dict[str, Any]) -> None:
    """Write 30 labelled frames of blobs."""
    rng = np.random.default_rng(0)
    with RgbdFolderWriter(path, CAMERA, camera='c', licence='none', source='test',
                          splits=splits) as writer:
        for number in range(30):
            small = rng.integers(30, 225, (12, 16, 3), dtype=np.uint8)
            image = cv2.resize(small, (64, 48), interpolation=cv2.INTER_NEAREST)
            writer.write(Frame(f'{number:02d}', number + 1, image, CAMERA,
                               np.full((48, 64), 1 + number / 30, np.float32)))


def test_before_after_and_oracle(adapted_sets: ModuleType, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f'{number:02d}' for number in range(30)]
    write_set(tmp_path / 'data' / 'cam', {'adapt': names[:26], 'score': names[26:]})
    write_set(tmp_path / 'rooms', {})
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny', DepthNetwork(TINY), WeightCard('tiny', TINY, 64 * 48))
    page, result = tmp_path / 'page.md', tmp_path / 'result.json'
    page.write_text(f'a\n{adapted_sets.BEGIN}\nold\n{adapted_sets.END}\nb\n')
    calls: list[tuple[str, ...]] = []
    inner = adapted_sets.mde
    monkeypatch.setattr(adapted_sets, 'mde', lambda *words: (calls.append(words), inner(*words)))
    monkeypatch.setattr(adapted_sets, 'ORACLE_STEPS', 2)
    words = ['adapted_sets.py', str(tmp_path / 'data'), '--sets', 'cam', '--mount',
             'cam=0.6,9', '--weights', str(tmp_path / 'tiny.safetensors'), '--out',
             str(tmp_path / 'out'), '--oracle', '--unmeasured', '--json', str(result),
             '--markdown', str(page),
             '--seed', '3', '--threads', '1', '--options',
             (f"--source {tmp_path / 'rooms'} --steps 2 --batch 2 --sizes 64x48:1 "
              '--precision 32-true --check-frames 4')]
    monkeypatch.setattr(sys, 'argv', words)
    assert adapted_sets.main() == 0
    sets = json.loads(result.read_text())['sets']
    row, unmeasured = sets['cam'], sets['cam, height unknown']
    assert unmeasured['options'] == [] and unmeasured['oracle'] == row['oracle']
    assert unmeasured['scale']['source'] == 'none'
    assert row['options'] == ['--camera-height', '0.6', '--camera-pitch', '9.0']
    assert [word for call in calls for word in call[:1]] == ['adapt', 'train', 'adapt']
    assert calls[0][calls[0].index('--seed') + 1] == '3' and '--camera-pitch' in calls[0]
    assert isinstance(row['accepted'], bool) and row['before'] != row['after'] != row['oracle']
    lines = page.read_text().splitlines()
    assert lines[0] == 'a' and lines[-1] == 'b' and 'old' not in lines
    cells = [cell.strip() for cell in lines[-4].strip('|').split('|')]
    assert len(cells) == len(adapted_sets.HEADINGS) and cells[0] == 'cam'
    # Scored at another input, what is there is not made again.
    monkeypatch.setattr(sys, 'argv', [*words, '--input-area', '768'])
    assert adapted_sets.main() == 0 and len(calls) == 3
    other = json.loads(result.read_text())['sets']['cam']
    assert all(other[key]['raw'] != row[key]['raw'] for key in ('before', 'after', 'oracle'))
    assert cells[3] == f"{row['before']['raw']['abs_rel']:.3f}"
    assert adapted_sets.main() == 0 and len(calls) == 3  # what is finished is not run again


def test_a_mount_is_height_pitch_and_roll(adapted_sets: ModuleType) -> None:
    assert adapted_sets.mount_options('cam=0.5') == ('cam', ['--camera-height', '0.5'])
    assert adapted_sets.mount_options('cam=0.5,9,-2')[1][-2:] == ['--camera-roll', '-2.0']
    for wrong in ('cam', '=1', 'cam=1,2,3,4', 'cam=high'):
        with pytest.raises(ValueError):
            adapted_sets.mount_options(wrong)


def test_a_command_that_fails_says_why(adapted_sets: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(adapted_sets.CommandFailed, match='no such'):
        adapted_sets.mde('evaluate', str(tmp_path / 'nothing'))
