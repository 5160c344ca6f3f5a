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

"""The adaptation demonstration: its parts, and all of it on tiny rooms with a stub trainer."""

import json
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder

DEMO = Path(__file__).resolve().parents[1] / 'demo'


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the modules of demo/ be imported."""
    monkeypatch.syspath_prepend(str(DEMO))


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a drive through two rooms, six small pictures each."""
    out = tmp_path_factory.mktemp('drive') / 'drive'
    done = subprocess.run(
        [sys.executable, str(DEMO / 'adapt_drive.py'), str(out), '--seed', '5', '--rooms', '2',
         '--views', '6', '--size', '64x48', '--workers', '1'], capture_output=True, text=True,
        timeout=100)
    if 'no OpenGL' in done.stderr:
        pytest.skip('no OpenGL without a screen')
    assert done.returncode == 0, done.stderr
    return out


def test_a_drive_keeps_its_camera_and_goes_on_where_it_was_killed(drive: Path) -> None:
    folder = RgbdFolder(drive)
    frames = list(folder)
    assert len(frames) == 12
    assert folder.intrinsics.fx == pytest.approx(.55 * 64, abs=.1)
    # Two rooms, 5 Hz: the seventh picture is 1.2 s after the first.
    assert frames[6].stamp_ns - frames[0].stamp_ns == 1_200_000_000
    gone = drive / 'rgb' / '000001_05.jpg'
    before = gone.read_bytes()
    gone.unlink()
    done = subprocess.run(
        [sys.executable, str(DEMO / 'adapt_drive.py'), str(drive), '--seed', '5', '--rooms', '2',
         '--views', '6', '--size', '64x48', '--workers', '1'], capture_output=True, text=True,
        timeout=100)
    assert ': 1 pictures rendered' in done.stdout
    assert gone.read_bytes() == before
    done = subprocess.run(
        [sys.executable, str(DEMO / 'adapt_drive.py'), str(drive), '--seed', '-1'],
        capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert '--seed -1' in done.stderr


def test_the_floor_is_where_the_height_says(drive: Path, demo: None) -> None:
    """The lowest row of a level camera sees the floor at h / tan(angle), all along the drive."""
    from adapt_drive import HEIGHT, TILT
    folder = RgbdFolder(drive)
    k = folder.intrinsics
    angle = np.arctan((k.height - 1 - k.cy) / k.fy) - TILT
    # Along the optical axis: the distance on the ray times the cosine to the axis.
    expected = HEIGHT / np.sin(angle) * np.cos(angle + TILT)
    found = [float(np.nanmedian(frame.depth[-1])) for frame in folder]
    # Something may stand on the floor in some pictures, so the farthest counts.
    assert max(found) == pytest.approx(expected, rel=.03)


def test_rates_and_gaps(demo: None) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
    from adapt_listener import Heard
    heard = Heard(arrivals=[0., .1, .2, .7, .8], phases=[
        (0., 'idle'), (1., 'training'), (3., 'swapping'), (4., 'idle')])
    assert heard.rate(0., 1.) == 5.
    assert heard.rate(.1, .3) == pytest.approx(10.)
    assert heard.longest_gap(0., 1.) == pytest.approx(.5)
    assert heard.longest_gap(5., 6.) != heard.longest_gap(5., 6.)
    assert (heard.last('idle', 1.), heard.last('swapping', 1.)) == (4., 3.)
    assert heard.last('idle', 5.) is heard.last('check', 0.) is None
    assert (heard.next_after(1.), heard.next_after(4.)) == (3., None)


def test_a_picture_compares_before_and_after(drive: Path, demo: None) -> None:
    from adapt_scores import compare
    frame = RgbdFolder(drive).read(0)
    picture = compare(frame, frame.depth * 1.5, frame.depth)
    assert picture.shape[0] == 48 + 22
    assert picture.shape[1] > 4 * 64
    # After is the truth here, in the same colours.
    np.testing.assert_array_equal(picture[22:, 128:192], picture[22:, 192:256])
    assert (picture[22:, 64:128] != picture[22:, 192:256]).any()


def test_the_table_tells_how_much_lower_the_error_is(demo: None) -> None:
    from adapt_scores import Row, score_table
    from rich.console import Console
    results = [{column: {'abs_rel': value} for column in ('raw', 'site_scaled', 'median_scaled')}
               for value in (.2, .15)]
    console = Console(width=120, record=True)
    console.print(score_table('here', [Row('before', ''), Row('after', 'p')], results))
    text = console.export_text()
    assert '0.200' in text
    assert '0.150 (-25 %)' in text


@pytest.mark.timeout(300)
def test_the_demonstration_runs(drive: Path, tmp_path: Path) -> None:
    """Real nodes over real DDS and the real trainer for a few steps; the rest is as small."""
    pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
    from mde_ros.estimation.weights import save_weights, WeightCard
    from mde_ros.network.depth_network import DepthNetwork, SIZES
    network = DepthNetwork(SIZES['small'])
    save_weights(tmp_path / 'tiny', network, WeightCard('tiny', network.config, 64 * 48))
    out = tmp_path / 'out'
    done = subprocess.run(
        [sys.executable, str(DEMO / 'adapt_run.py'), '--out', str(out), '--steps', '2',
         '--weights', str(tmp_path / 'tiny.safetensors'), '--priority', 'normal', '--rooms', '2',
         '--views', '20', '--size', '64x48', '--alone', '1', '--pictures', '1', '--rate', '20',
         '--parameter', 'min_interval:=0.0', '--parameter', f"source:=['{drive}']"],
        capture_output=True, text=True, timeout=280)
    logs = ''.join(path.read_text()[-3000:] for path in out.glob('*.log'))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    result = json.loads((out / 'result.json').read_text())
    assert result['rate_alone'] > 0
    # A busy machine loses images in transport; most of them must come through all the same.
    assert 0 <= result['frames_lost'] < .1 * int(result['depth_node_after']['received'])
    assert result['report']['settings']['steps'] == 2
    assert len(result['scores']) == 2 and all(
        len(rows) >= 2 for rows in result['scores'].values())
    assert cv2.imread(str(out / 'same_rooms_0.png')).shape[0] == 48 + 22
    for word in ('the same rooms, another drive', 'rooms where it never was', 'while it trains',
                 'other_rooms_0.png'):
        assert word in done.stdout
