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

"""``mde convert`` in both directions, without loss where the formats allow it."""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.command_line.main import main
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.bag_writer import BagWriter
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.datasets.rgbd_folder import RgbdFolder


def convert(*words: Any) -> int:
    return main(['convert', *map(str, words)])


def report_of(*words: Any) -> dict[str, Any]:
    path = Path(words[1]).parent / 'report.json'
    assert convert(*words, '--json', path) == 0
    report: dict[str, Any] = json.loads(path.read_text())
    return report


@pytest.fixture
def jpeg_folder(rgbd_folder: Path) -> Path:
    """Return the tiny folder with JPEG instead of PNG."""
    for path in sorted((rgbd_folder / 'rgb').iterdir()):
        cv2.imwrite(str(path.with_suffix('.jpg')), cv2.imread(str(path)))
        path.unlink()
    return rgbd_folder


def assert_equal(first: RgbdFolder, second: Path) -> None:
    """Check that a converted folder has the same depth, stamps and image files."""
    other = RgbdFolder(second)
    assert len(first) == len(other)
    for index, name in enumerate(other.names):
        one, two = first[index], other[index]
        assert one.depth is not None
        np.testing.assert_array_equal(one.depth, two.depth)
        np.testing.assert_array_equal(one.image, two.image)
        assert one.intrinsics == two.intrinsics
        assert (first.meta['camera'], first.meta['licence'], first.meta['source']) == (
            other.meta['camera'], other.meta['licence'], other.meta['source'])
        assert not one.stamp_ns or one.stamp_ns == two.stamp_ns
        here = first.image_path(first.names[index])
        if here.suffix == '.jpg':
            assert here.read_bytes() == other.image_path(name).read_bytes()


@pytest.mark.parametrize('bag', ['a.mcap', 'a.db3', 'folder'])
@pytest.mark.parametrize('depth', ['32FC1', '16UC1', 'compressedDepth', 'rvl'])
def test_there_and_back_is_lossless(jpeg_folder: Path, tmp_path: Path, bag: str,
                                    depth: str) -> None:
    assert convert(jpeg_folder, tmp_path / bag, '--depth', depth) == 0
    assert convert(tmp_path / bag, tmp_path / 'back') == 0
    assert_equal(RgbdFolder(jpeg_folder), tmp_path / 'back')
    assert sorted(os.listdir(tmp_path)) == sorted(['back', bag, 'tiny'])


def test_png_stays_png(rgbd_folder: Path, tmp_path: Path) -> None:
    assert convert(rgbd_folder, tmp_path / 'a.mcap') == 0
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back') == 0
    assert_equal(RgbdFolder(rgbd_folder), tmp_path / 'back')
    assert (tmp_path / 'back' / 'rgb' / '000000.png').exists()


def test_raw_images_become_png_when_asked(rgbd_folder: Path, tmp_path: Path) -> None:
    assert convert(rgbd_folder, tmp_path / 'a.mcap', '--image', 'raw') == 0
    assert BagFrames(tmp_path / 'a.mcap').topics.image == '/camera/image_raw'
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back', '--image', 'raw') == 0
    assert_equal(RgbdFolder(rgbd_folder), tmp_path / 'back')
    assert convert(tmp_path / 'a.mcap', tmp_path / 'jpeg') == 0
    assert (tmp_path / 'jpeg' / 'rgb' / '000000.jpg').exists()


def test_the_report(jpeg_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (jpeg_folder / 'rgb' / '000001.jpg').write_bytes(b'\xff\xd8 corrupt')
    report = report_of(jpeg_folder, tmp_path / 'a.mcap')
    assert report['frames']['skipped'] == {'corrupt image': 1}
    assert (report['frames']['read'], report['frames']['written']) == (6, 5)
    assert set(report['frames']['messages'].values()) == {5}
    printed = capsys.readouterr().out
    assert '5 of 6 frames, 5 with depth' in printed
    assert 'skipped: 1 corrupt image' in printed
    report = report_of(tmp_path / 'a.mcap', tmp_path / 'back')
    assert report['bag']['pairing'] == {'exact': 5, 'near': 0, 'unpaired': 0, 'unreadable': 0,
                                        'unused_depths': 0}
    assert report['bag']['topics'] == {
        'image': '/camera/image_raw/compressed', 'depth': '/camera/depth/image_rect',
        'info': '/camera/camera_info'}
    assert '5 paired by equal stamps' in capsys.readouterr().out


def test_a_split(rgbd_folder: Path, tmp_path: Path) -> None:
    assert report_of(rgbd_folder, tmp_path / 'a.mcap', '--split', 'score')['frames'][
        'written'] == 2
    (first, _) = BagFrames(tmp_path / 'a.mcap')
    assert first.stamp_ns == 1_000_000_000 + 4 * 33_333_333


def test_the_rate_is_for_folders_without_stamps(rgbd_folder: Path, tmp_path: Path) -> None:
    meta = json.loads((rgbd_folder / 'meta.json').read_text())
    del meta['stamps']
    (rgbd_folder / 'meta.json').write_text(json.dumps(meta))
    assert convert(rgbd_folder, tmp_path / 'a.mcap', '--rate', 10) == 0
    assert [frame.stamp_ns for frame in BagFrames(tmp_path / 'a.mcap')] == [
        1_000_000_000 + index * 100_000_000 for index in range(6)]


def test_no_depth(rgbd_folder: Path, tmp_path: Path) -> None:
    assert convert(rgbd_folder, tmp_path / 'a.mcap', '--no-depth') == 0
    assert not BagFrames(tmp_path / 'a.mcap').labelled
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back') == 0
    assert not (tmp_path / 'back' / 'depth').exists()


def test_bag_to_bag(rgbd_folder: Path, tmp_path: Path) -> None:
    assert convert(rgbd_folder, tmp_path / 'a.mcap') == 0
    assert convert(tmp_path / 'a.mcap', tmp_path / 'b', '--storage', 'sqlite3', '--frame-id',
                   'eye') == 0
    assert (tmp_path / 'b' / 'b.db3').exists()
    assert convert(tmp_path / 'b', tmp_path / 'back') == 0
    assert_equal(RgbdFolder(rgbd_folder), tmp_path / 'back')


def test_a_calibration_file_replaces_camera_info(rgbd_folder: Path, tmp_path: Path) -> None:
    assert convert(rgbd_folder, tmp_path / 'a.mcap') == 0
    (tmp_path / 'camera.yaml').write_text(
        'width: 64\nheight: 48\nintrinsics: {fx: 99, fy: 98, cx: 31, cy: 23}\n')
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back', '--camera',
                   tmp_path / 'camera.yaml') == 0
    assert RgbdFolder(tmp_path / 'back').intrinsics == Intrinsics(64, 48, 99., 98., 31., 23.)


def test_camera_and_licence_can_be_told(rgbd_folder: Path, tmp_path: Path) -> None:
    assert convert(rgbd_folder, tmp_path / 'a.mcap', '--licence', 'CC BY 4.0') == 0
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back', '--camera-name', 'mine') == 0
    meta = RgbdFolder(tmp_path / 'back').meta
    assert (meta['camera'], meta['licence']) == ('mine', 'CC BY 4.0')


def test_a_foreign_bag_has_no_known_licence(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'a.mcap') as writer:
        writer.write(Frame('', 0, np.zeros((6, 8, 3), np.uint8),
                           Intrinsics(8, 6, 10., 10., 4., 3.)))
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back') == 0
    meta = RgbdFolder(tmp_path / 'back').meta
    assert (meta['camera'], meta['licence'], meta['source']) == ('', 'unknown', 'bag a.mcap')


def test_a_camera_that_changes_keeps_to_the_first_size(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with BagWriter(tmp_path / 'a.mcap') as writer:
        for width in (8, 8, 10):
            camera = Intrinsics(width, 6, 10., 10., 4., 3.)
            writer.write(Frame('', 0, np.zeros((6, width, 3), np.uint8), camera))
    assert convert(tmp_path / 'a.mcap', tmp_path / 'back') == 0
    assert '2 of 3 frames' in capsys.readouterr().out
    assert len(open_dataset(tmp_path / 'back')) == 2


@pytest.mark.parametrize(('words', 'text'), [
    (['{tmp}/absent', '{tmp}/a.mcap'], 'absent: no such file'),
    (['{folder}', '{folder}'], 'exists already'),
    (['{folder}', '{tmp}/a.mcap', '--split', 'no'], "no split 'no'"),
    (['{folder}', '{tmp}/a.mcap', '--storage', 'sqlite3'], 'not sqlite3'),
    (['{folder}', '{tmp}/a.mcap', '--rate', '0'], 'rate'),
    (['{folder}', '{tmp}/a.mcap', '--json', '{tmp}/absent/r.json'], '--json'),
    (['{folder}', '{tmp}/a.mcap', '--image-topic', '/x'], 'for bags'),
    (['{folder}', '{folder}/meta.json/a.mcap'], 'cannot write there'),
])
def test_errors_are_one_line(rgbd_folder: Path, tmp_path: Path, words: list[str], text: str,
                             capsys: pytest.CaptureFixture[str]) -> None:
    filled = [word.format(tmp=tmp_path, folder=rgbd_folder) for word in words]
    assert convert(*filled) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if 'error:' in line]
    assert text in line


def test_nothing_to_convert_is_an_error(rgbd_folder: Path, tmp_path: Path,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    for path in (rgbd_folder / 'rgb').iterdir():
        path.write_bytes(b'')
    assert convert(rgbd_folder, tmp_path / 'a.mcap') == 2
    assert 'no frame could be converted; skipped: 6 corrupt image' in capsys.readouterr().err
    assert os.listdir(tmp_path) == ['tiny']


def test_a_real_recording(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / 'kinect1_osd_tabletop'
    assert convert(source, tmp_path / 'real.mcap', '--split', 'score') == 0
    assert convert(tmp_path / 'real.mcap', tmp_path / 'back') == 0
    assert_equal(RgbdFolder(source, 'score'), tmp_path / 'back')


def test_a_data_set_of_the_field(tmp_path: Path) -> None:
    frame = tmp_path / 'SUNRGBD' / 'kv2' / 'kinect2data' / '000002-resize'
    for part in ('image', 'depth'):
        (frame / part).mkdir(parents=True)
    cv2.imwrite(str(frame / 'image' / 'a.png'), np.full((6, 8, 3), (10, 20, 30), np.uint8))
    cv2.imwrite(str(frame / 'depth' / 'a.png'), np.full((6, 8), 2000 << 3, np.uint16))
    (frame / 'intrinsics.txt').write_text('9 0 4 0 9 3 0 0 1')
    spec = f'sun:{tmp_path}?sensor=kv2&partial=yes'
    assert convert(spec, tmp_path / 'folder', '--image', 'raw') == 0
    folder = RgbdFolder(tmp_path / 'folder')
    # The folders in the name become a part of it.
    assert folder.names == ['kv2_kinect2data_000002-resize']
    assert (folder.meta['camera'], folder.meta['source']) == ('kv2', 'SUN RGB-D')
    assert (folder[0].image == [30, 20, 10]).all() and (folder[0].depth == 2).all()
    assert folder.intrinsics == Intrinsics(8, 6, 9., 9., 4., 3.)
    assert convert(spec, tmp_path / 'a.mcap', '--image', 'raw', '--rate', '10') == 0
    bag = next(iter(BagFrames(tmp_path / 'a.mcap')))
    assert (bag.image == folder[0].image).all() and (bag.depth == 2).all()
