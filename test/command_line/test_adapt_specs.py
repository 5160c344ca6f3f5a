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

"""``mde adapt`` learns from data sets by their spec strings, without the target's depth."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mde_ros.command_line.main import main
from mde_ros.datasets.indoor.sun import SunRgbd
from mde_ros.estimation.profile import load_profile
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)


def write_sun(root: Path, sensor: str, place: str, count: int, millimetres: int) -> None:
    """Write frames of one sensor of SUN RGB-D: blobs at one distance."""
    rng = np.random.default_rng(count)
    for number in range(count):
        folder = root / 'SUNRGBD' / sensor / place / f'{number:06d}'
        for part in ('image', 'depth'):
            (folder / part).mkdir(parents=True)
        small = rng.integers(30, 225, (12, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / 'image' / 'a.png'),
                    cv2.resize(small, (64, 48), interpolation=cv2.INTER_NEAREST))
        cv2.imwrite(str(folder / 'depth' / 'a.png'),
                    np.full((48, 64), millimetres << 3, np.uint16))
        (folder / 'intrinsics.txt').write_text('60 0 31.5 0 60 23.5 0 0 1')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return SUN RGB-D with 25 frames of kv2, 20 of xtion and one of NYU, and tiny weights."""
    write_sun(tmp_path, 'kv2', 'kinect2data', 25, 3000)
    write_sun(tmp_path, 'xtion', 'sun3ddata', 20, 2000)
    write_sun(tmp_path, 'kv1', 'NYUdata', 1, 2000)
    torch.manual_seed(4)
    save_weights(tmp_path / 'start', DepthNetwork(TINY), WeightCard('start', TINY, 48 * 64))
    return tmp_path


def words(root: Path, target: str) -> list[str]:
    """Return the words of a tiny adaptation."""
    return ['adapt', '--weights', str(root / 'start.safetensors'), '--target',
            f'sun:{root}?{target}', '--source', f'sun:{root}?sensor=xtion&partial=yes', '--out',
            str(root / 'out'), '--steps', '4', '--batch', '2', '--sizes', '32x32:0.5,64x48:0.5',
            '--precision', '32-true', '--check-frames', '4', '--source-rise', '1', '--threads',
            '1', '--force']


def test_one_sensor_is_learnt_from(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, bool]] = []
    original = SunRgbd.read

    def note(source: SunRgbd, index: int) -> object:
        opened.append((source.names[index].partition('/')[0], source.read_depth))
        return original(source, index)

    monkeypatch.setattr(SunRgbd, 'read', note)
    assert main(words(root, 'sensor=kv2&partial=yes')) == 0
    # Frames of the target alone, and its depth stays unread; the source has labels.
    assert {*opened} == {('kv2', False), ('xtion', True)}
    report = json.loads((root / 'out' / 'report.json').read_text())
    assert report['why'] and isinstance(report['accepted'], bool)
    tensors, card = load_profile(root / 'out' / 'profile')
    assert tensors and card.base_name == 'start'
    assert card.intrinsics is not None and card.intrinsics['width'] == 64


def test_half_a_download_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(root, 'sensor=kv2')) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert 'SUNRGBD/kv2: 25 frames where the whole download has 3784' in error
    assert 'add the key partial=yes' in error
    assert not (root / 'out' / 'profile.safetensors').exists()
