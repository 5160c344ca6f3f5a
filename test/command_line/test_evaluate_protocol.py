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

"""``mde evaluate --protocol``: what it prints, writes and refuses."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.command_line.main import main
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation import estimator as estimator_module
from mde_ros.estimation.estimator import Estimate

CAMERA = Intrinsics(1242, 375, 721.5377, 721.5377, 609.5593, 172.854)
DRIVE = '2011_09_26_drive_0002_sync'


class LeftRight:
    """Sees 20 m on the left half of whatever it is given and 10 m on the right."""

    model_id = 'left-right'
    seen: list[tuple[int, ...]] = []

    def __init__(self, weights: str, **options: Any) -> None:
        """Take what the network takes."""

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        self.seen.append(image.shape)
        depth = np.full(image.shape[:2], 20, np.float32)
        depth[:, image.shape[1] // 2:] = 10
        return Estimate(depth, intrinsics, image, {'network': .02})

    def warm_up(self, intrinsics: Intrinsics) -> None:
        pass


@pytest.fixture
def road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of one KITTI-size frame, 20 m everywhere."""
    monkeypatch.setattr(estimator_module, 'DepthEstimator', LeftRight)
    LeftRight.seen = []
    path = tmp_path / 'road'
    with RgbdFolderWriter(path, CAMERA, camera='test', licence='CC0', source='test') as writer:
        writer.write(Frame('000000', 0, np.zeros((375, 1242, 3), np.uint8), CAMERA,
                           np.full((375, 1242), 20, np.float32)))
    return path


def test_the_table_row_stands_beside_the_numbers(
        road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'out'
    assert main(['evaluate', str(road), '--protocol', 'eigen-80m', '--out', str(out)]) == 0
    fields = json.loads((out / 'result.json').read_text())
    # Garg's crop has columns 44 to 1196; those from 621 on are half as deep.
    assert fields['raw']['abs_rel'] == pytest.approx(.5 * 576 / 1153, rel=1e-5)
    assert fields['protocol'] == {
        'name': 'eigen-80m', 'code': 'sshan-zhao/GASDA, 3D-PL, SemiSupMDE, SharinGAN',
        'minimum': .001, 'maximum': 80, 'crop': 'garg', 'input_crop': 'none',
        'crop_of': 'input', 'scaling': 'none', 'flip': False, 'truth': 'velodyne',
        'upsampling': 'bilinear', 'column': 'raw'}
    assert (fields['settings']['min_depth'], fields['settings']['border']) == (.001, 0)
    printed = ' '.join(capsys.readouterr().out.split())
    assert ('protocol eigen-80m: crop garg, 0.001 to 80 m, scaling none (*), flip averaging no, '
            'upsampling bilinear, reference velodyne, as in sshan-zhao/GASDA') in printed
    assert '* raw' in printed and '* median-scaled' not in printed
    report = (out / 'report.html').read_text()
    assert 'protocol eigen-80m: crop garg' in report and 'raw *</td>' in report


def test_the_median_column_is_marked(road: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['evaluate', str(road), '--protocol', 'eigen-80m-median']) == 0
    printed = capsys.readouterr().out
    assert '* median-scaled' in printed and '* raw' not in printed


def test_input_crop_and_flips(road: Path, tmp_path: Path) -> None:
    json_file = tmp_path / 'r.json'
    words = ['evaluate', str(road), '--protocol', 'kb-garg-80m', '--json', str(json_file)]
    assert main(words) == 0
    fields = json.loads(json_file.read_text())
    assert set(LeftRight.seen) == {(352, 1216, 3)} and len(LeftRight.seen) == 2
    assert fields['raw']['abs_rel'] == pytest.approx(.25)  # 15 m everywhere
    assert fields['protocol']['flip'] is True


def test_flips_without_a_protocol(road: Path, tmp_path: Path,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    json_file = tmp_path / 'r.json'
    words = ['evaluate', str(road), '--max-depth', '80', '--flip', '--json', str(json_file)]
    assert main(words) == 0
    fields = json.loads(json_file.read_text())
    assert fields['raw']['abs_rel'] == pytest.approx(.25)
    assert fields['settings']['flip'] is True and 'protocol' not in fields
    assert 'protocol ' not in capsys.readouterr().out


@pytest.mark.parametrize(('words', 'names'), [
    (['--protocol', 'eigen-80m', '--min-depth', '1'], ('eigen-80m', '--min-depth')),
    (['--protocol', 'eigen-80m', '--max-depth', '80'], ('eigen-80m', '--max-depth')),
    (['--protocol', 'eigen-80m', '--border', '0'], ('eigen-80m', '--border')),
    (['--protocol', 'eigen-80m', '--latency-only'], ('eigen-80m', '--latency-only')),
    (['--protocol', 'kb-garg-80m', '--live'], ('kb-garg-80m', '--live', 'flips')),
    (['--protocol', 't2net-indoor-8m', '--node', '/x'], ('t2net-indoor-8m', '--live', 'crops')),
    (['--flip', '--live'], ('--flip', '--live')),
    (['--protocol', 'eigen'], ("'eigen'", 'eigen-80m')),
    (['--protocol', 'nyu-eigen-10m'], ('nyu_eigen', '640x480', '1242x375')),
])
def test_what_does_not_go_together_is_named(
        road: Path, words: list[str], names: tuple[str, ...],
        capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['evaluate', str(road), *words]) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    for name in names:
        assert name in error


def test_kitti_with_the_wrong_reference(
        road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A spec string, and laser points of the convention that the protocol scores."""
    root = tmp_path / 'kitti'
    image = root / DRIVE[:10] / DRIVE / 'image_02' / 'data' / '0000000003.png'
    points = root / DRIVE[:10] / DRIVE / 'velodyne_points' / 'data' / '0000000003.bin'
    for path in (image, points):
        path.parent.mkdir(parents=True)
    cv2.imwrite(str(image), np.zeros((375, 1242, 3), np.uint8))
    # Axes turned only: a wall 20 m ahead.
    side, up = np.meshgrid(np.linspace(-12, 12, 90), np.linspace(-3, 0, 20))
    np.column_stack([np.full(side.size, 20), side.ravel(), up.ravel(), np.ones(side.size)]
                    ).astype('<f4').tofile(points)
    projection = '721.5377 0 609.5593 0 0 721.5377 172.854 0 0 0 1 0'
    (root / DRIVE[:10] / 'calib_cam_to_cam.txt').write_text(
        f'R_rect_00: 1 0 0 0 1 0 0 0 1\nS_rect_02: 1242 375\nP_rect_02: {projection}\n')
    (root / DRIVE[:10] / 'calib_velo_to_cam.txt').write_text('R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 0\n')
    words = ['evaluate', f'kitti:{root}', '--protocol']
    assert main([*words, 'eigen-80m']) == 0
    capsys.readouterr()
    assert main([*words, 't2net-50m']) == 2
    assert 'write kitti:PATH?truth=velodyne&depth=velo_x' in capsys.readouterr().err
    json_file = tmp_path / 'r.json'
    assert main(['evaluate', f'kitti:{root}?depth=velo_x', '--protocol', 't2net-50m', '--json',
                 str(json_file)]) == 0
    fields = json.loads(json_file.read_text())
    assert fields['raw']['abs_rel'] == pytest.approx(.25, abs=.02)  # half of the wall is at 10 m
    assert fields['ranges'][-1]['to'] == 50
