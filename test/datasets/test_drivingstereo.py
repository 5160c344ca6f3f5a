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

"""DrivingStereo's weather sets, written by the test as its archives lay them out."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.registry import open_spec, parse_spec
from mde_ros.datasets.roads import drivingstereo
from mde_ros.datasets.roads.drivingstereo import DrivingStereo

CAMERA = Intrinsics(88, 40, 100.3556, 100.6938, 44.05, 20.0)
SCENE = render(CAMERA, 10)
STORED = SCENE.stored(256, hole=5)
STEM = '2018-10-25-07-37-26_2018-10-25-07-41-21-123'


def write_set(root: Path, weather: str = 'foggy', size: str = 'half') -> None:
    """Write one frame of a weather."""
    images, depths = (
        root / weather / f'{what}-{size}-size' for what in ('left-image', 'depth-map'))
    images.mkdir(parents=True)
    depths.mkdir()
    cv2.imwrite(str(images / f'{STEM}.jpg'), SCENE.image[:, :, ::-1])
    cv2.imwrite(str(depths / f'{STEM}.png'), STORED)


def write_calib(folder: Path, k: Intrinsics = CAMERA) -> None:
    """Write the calibration of the session."""
    folder.mkdir(parents=True, exist_ok=True)
    right = f'P_rect_103: {k.fx} 0 {k.cx} -54.2 0 {k.fy} {k.cy} 0 0 0 1 0'
    (folder / '2018-10-25-07-37-26.txt').write_text(
        f'S_101: {k.width} {k.height}\nS_rect_101: {k.width} {k.height}\n'
        f'P_rect_101: {k.fx} 0 {k.cx} 0 0 {k.fy} {k.cy} 0 0 0 1 0\n{right}\nT_103: -0.54 0 0\n')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a data set of one foggy and one sunny frame at half size."""
    for weather in ('foggy', 'sunny'):
        write_set(tmp_path, weather)
    write_calib(tmp_path / 'half-image-calib')
    return tmp_path


def test_the_scene_comes_back(root: Path) -> None:
    source = open_spec(parse_spec(f'drivingstereo:{root}?weather=foggy&partial=yes'))
    assert source.names == [f'foggy_{STEM}']
    frame = source[0]
    assert frame.intrinsics == CAMERA
    assert np.abs(frame.image.astype(int) - SCENE.image).mean() < 4
    np.testing.assert_array_equal(frame.depth, metres(STORED, 256))
    # 2018-10-25 07:41:21.123 UTC
    assert frame.stamp_ns == 1540453281123000000


def test_weathers_and_splits(root: Path) -> None:
    assert len(DrivingStereo(root, partial='yes')) == 2
    assert DrivingStereo(root, 'sunny', partial='yes').names == [f'sunny_{STEM}']
    with pytest.raises(DatasetError, match=r'rainy/left-image-half-size is missing'):
        DrivingStereo(root, 'rainy', partial='yes')
    with pytest.raises(DatasetError, match=r"no split 'night'; there are: sunny, cloudy"):
        DrivingStereo(root, 'night', partial='yes')
    with pytest.raises(DatasetError, match=r"weather 'night': there are"):
        DrivingStereo(root, weather='foggy,night', partial='yes')


def test_full_size_and_doubled_folders(tmp_path: Path) -> None:
    """Each archive unpacked into a folder of its own name."""
    write_set(tmp_path, 'foggy', 'full')
    for what in ('left-image', 'depth-map'):
        folder = tmp_path / 'foggy' / f'{what}-full-size'
        folder.rename(tmp_path / 'moved')
        folder.mkdir()
        (tmp_path / 'moved').rename(folder / folder.name)
    write_calib(tmp_path / 'full-image-calib' / 'full-image-calib')
    frame = DrivingStereo(tmp_path, size='full', partial='yes')[0]
    np.testing.assert_array_equal(frame.depth, metres(STORED, 256))
    with pytest.raises(DatasetError, match=r'no frames found; expected WEATHER/left-image-half'):
        DrivingStereo(tmp_path, partial='yes')


def test_a_calibration_of_the_other_size_is_named(root: Path) -> None:
    double = Intrinsics(176, 80, 200., 200., 88.1, 40.)
    write_calib(root / 'other', double)
    source = DrivingStereo(root, calib=str(root / 'other'), partial='yes')
    with pytest.raises(FrameError, match=r'is 88x40, .*2018-10-25-07-37-26.txt has its centre at '
                                         r'88.1, 40: the calibration is for another size'):
        source[0]


def test_half_a_download(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match=r'foggy/left-image-half-size: 1 frames where the whole '
                                           r'download has 500 .*add the key partial=yes'):
        DrivingStereo(root, 'foggy')
    data = open_spec(parse_spec(f'drivingstereo:{root}?weather=sunny,foggy&partial=yes'))
    assert len(data) == 2 and data.meta['partial'].endswith('; and 1 more')
    monkeypatch.setattr(drivingstereo, 'FRAMES', 1)
    assert 'partial' not in DrivingStereo(root).meta
    (root / 'foggy' / 'depth-map-half-size' / f'{STEM}.png').unlink()
    with pytest.raises(DatasetError, match=f'foggy/depth-map-half-size/{STEM}.png is missing'):
        DrivingStereo(root)
    assert len(DrivingStereo(root, read_depth=False)) == 2


def test_what_is_missing_is_named(root: Path) -> None:
    source = DrivingStereo(root, partial='yes')
    (root / 'half-image-calib' / '2018-10-25-07-37-26.txt').unlink()
    assert source.get(0) is None and source.skipped == {'no calibration of its session': 1}
    (root / 'half-image-calib').rmdir()
    with pytest.raises(DatasetError, match=r'half-image-calib is missing: .*calib=FOLDER'):
        DrivingStereo(root, partial='yes')
    (root / 'foggy' / 'depth-map-half-size').rename(root / 'gone')
    with pytest.raises(DatasetError, match=r'foggy/depth-map-half-size is missing'):
        DrivingStereo(root, partial='yes')
    with pytest.raises(DatasetError, match=r'nowhere: no such folder'):
        DrivingStereo(root / 'nowhere', partial='yes')


def test_unlabelled_and_wrong_unit(root: Path) -> None:
    (root / 'sunny' / 'depth-map-half-size' / f'{STEM}.png').unlink()
    assert DrivingStereo(root, 'sunny', False, partial='yes')[0].depth is None
    # Millimetres where metres times 256 are expected.
    cv2.imwrite(str(root / 'foggy' / 'depth-map-half-size' / f'{STEM}.png'),
                np.full((40, 88), 60000, np.uint16))
    with pytest.raises(DatasetError, match=r'the median depth would be 234.4 m, .*metres times'):
        DrivingStereo(root, 'foggy', partial='yes')[0]
