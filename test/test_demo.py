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

"""The demonstration, on a tiny data set and an untrained network: node, player, evaluation."""

import json
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest

from mde_ros.camera.geometry import depth_to_points
from mde_ros.camera.intrinsics import Intrinsics

DEMO = Path(__file__).resolve().parents[1] / 'demo'


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return the module demo/pictures.py."""
    monkeypatch.syspath_prepend(str(DEMO))
    import pictures
    return pictures


def test_a_far_point_is_drawn_behind_a_near_one(pictures: object) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    place = np.array([3., 3.])
    pictures.splat(picture, place, place, np.array([1., 2.]),
                   np.array([[255, 0, 0], [0, 255, 0]], np.uint8), np.array([1., 3.]))
    assert picture[3, 3].tolist() == [255, 0, 0]
    assert picture[5, 5].tolist() == [0, 255, 0]
    assert (picture.sum(-1) > 0).sum() == 9


def test_the_map_has_the_cloud_where_it_is(pictures: object) -> None:
    # A post 4 m ahead and 1 m to the right; (400 - 16) px for 4 m make 96 px a metre.
    points = np.tile(np.array([[1., 0., 4.]], np.float32), (50, 1))
    colours = np.full((50, 3), (255, 255, 0), np.uint8)
    picture = pictures.cloud_from_above(points, colours, (500, 400))
    rows, columns = np.nonzero((picture == (255, 255, 0)).all(-1))
    assert set(rows) == {8, 9}
    assert set(columns) == {346, 347}


def test_an_overview_shows_image_depth_and_cloud(pictures: object,
                                                 small_camera: Intrinsics) -> None:
    depth = np.full((48, 64), 2., np.float32)
    depth[:, 40:] = np.nan
    image = np.full((48, 64, 3), 200, np.uint8)
    picture = pictures.overview(image, depth, depth_to_points(depth, small_camera), image, depth)
    # Three pictures and the 64 pixels of the legend wide, two rows with titles of 22 pixels high.
    assert picture.shape == (2 * (48 + 22), 4 * 64, 3)
    assert (picture[22:70, :64] == 200).all()
    # No reading is black, in the right part of the depth picture.
    assert (picture[22:70, 64 + 40:128] == 0).all()


def test_the_demonstration_runs(rgbd_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
    from mde_ros.estimation.weights import save_weights, WeightCard
    from mde_ros.network.depth_network import DepthNetwork, SIZES
    network = DepthNetwork(SIZES['small'])
    save_weights(
        tmp_path / 'untrained', network, WeightCard('untrained', network.config, 64 * 48))
    out = tmp_path / 'out'
    done = subprocess.run(
        [sys.executable, str(DEMO / 'run.py'), '--bag', str(rgbd_folder), '--pictures', '2',
         '--weights', str(tmp_path / 'untrained.safetensors'), '--out', str(out), '--rate', '5'],
        capture_output=True, text=True, timeout=100)
    log = (out / 'node.log').read_text() if (out / 'node.log').exists() else ''
    assert done.returncode == 0, done.stdout + done.stderr + log
    assert json.loads((out / 'played.json').read_text())['images'] == 6
    assert json.loads((out / 'result.json').read_text())['frames']['scored'] == 6
    assert (out / 'report.html').stat().st_size > 1000
    # Two pictures, of later frames where those that were meant got dropped.
    pictures = sorted(out.glob('frame_*.png'))
    assert pictures
    assert cv2.imread(str(pictures[0])).shape == (140, 256, 3)
    for word in ('report.html', 'untrained-', 'Try next'):
        assert word in done.stdout
