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

"""Pictures of real frames and the flatness of floors, on a made floor."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))
CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)
HEIGHT, WALL = .8, 4.


@pytest.fixture
def real_pictures(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/real_pictures.py as a module."""
    return load_script('real_pictures')


def floor_and_wall() -> NDArray[np.float32]:
    """Return the depth of a level camera HEIGHT over a floor, WALL from a wall."""
    rows = np.arange(48, dtype=np.float64)[:, None] - CAMERA.cy
    with np.errstate(divide='ignore'):
        floor = np.where(rows > 0, HEIGHT * CAMERA.fy / rows, np.inf)
    return np.broadcast_to(np.minimum(floor, WALL), (48, 64)).astype(np.float32)


def test_a_plane_is_flat_and_a_scaled_one_too(real_pictures: ModuleType) -> None:
    depth = floor_and_wall()
    real_pictures.FEWEST = 100
    floor, on = real_pictures.floor_pixels(depth, CAMERA)
    assert floor.height == pytest.approx(HEIGHT, rel=.02)
    # Rows below 23.5 + 60 * 0.8 / 4 = 35.5 see the floor.
    assert on[37:].all() and not on[:34].any()
    for estimate in (depth, 1.7 * depth):
        found = real_pictures.flatness(estimate, CAMERA, floor, on)
        assert found.residual < .01 and found.tilt < 1


def test_waves_and_tilt_are_measured(real_pictures: ModuleType) -> None:
    depth = floor_and_wall()
    real_pictures.FEWEST = 100
    floor, on = real_pictures.floor_pixels(depth, CAMERA)
    # Along each ray 10 % too near and too far by turns: so is the distance to the plane.
    waves = depth * np.where(np.arange(64) % 2, 1.1, .9).astype(np.float32)
    assert real_pictures.flatness(waves, CAMERA, floor, on).residual == pytest.approx(.1, abs=.01)
    # The floor of a camera that is pitched by 9 degrees, seen as if it were level.
    angle = np.arctan((np.arange(48)[:, None] - CAMERA.cy) / CAMERA.fy) + np.zeros((1, 64))
    z = HEIGHT / np.sin(angle + np.radians(9)) * np.cos(angle)
    found = real_pictures.flatness(z.astype(np.float32), CAMERA, floor, on)
    assert found.tilt == pytest.approx(9, abs=1) and found.residual < .01


def test_no_floor_is_none(real_pictures: ModuleType) -> None:
    assert real_pictures.floor_pixels(np.full((48, 64), 2, np.float32), CAMERA) is None


def test_sheets_and_json(real_pictures: ModuleType, tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    names = [f'{number}' for number in range(6)]
    with RgbdFolderWriter(tmp_path / 'data' / 'cam', CAMERA, camera='c', licence='none',
                          source='test', splits={'adapt': names[:2], 'score': names[2:]}
                          ) as writer:
        for number, name in enumerate(names):
            writer.write(Frame(name, number + 1, rng.integers(0, 255, (48, 64, 3), np.uint8),
                               CAMERA, floor_and_wall()))
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny', DepthNetwork(TINY), WeightCard('tiny', TINY, 64 * 48))
    monkeypatch.setattr(real_pictures, 'FEWEST', 100)
    monkeypatch.setattr(sys, 'argv', [
        'real_pictures.py', str(tmp_path / 'data'), '--sets', 'cam', '--weights',
        str(tmp_path / 'tiny.safetensors'), '--count', '3', '--threads', '1', '--out',
        str(tmp_path / 'out'), '--json', str(tmp_path / 'floors.json')])
    assert real_pictures.main() == 0
    sheet = cv2.imread(str(tmp_path / 'out' / 'cam.png'))
    assert sheet.shape == (3 * real_pictures.TILE, 3 * 320, 3)
    found = json.loads((tmp_path / 'floors.json').read_text())['sets']['cam']
    assert len(found['floors']) == 4
    assert all(floor['reference_residual'] < .02 for floor in found['floors'])
