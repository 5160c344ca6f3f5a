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

"""SUN RGB-D: rotated bits, four sensors, NYU's part, splits."""

from pathlib import Path
import shutil
import struct

import cv2
import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor import sun
from mde_ros.datasets.indoor.split_lists import list_checksum
from mde_ros.datasets.indoor.sun import SunRgbd, unrotate
from mde_ros.datasets.registry import open_spec, parse_spec

CAMERAS = {
    'kv1/NYUdata/NYU0001': Intrinsics(64, 48, 51.9, 52., 28.4, 20.9),
    'kv1/b3dodata/img_0063': Intrinsics(64, 48, 52., 52., 31., 23.),
    'kv2/kinect2data/000002_2014-05-26_14-23-37_260595134347_rgbf000103-resize':
        Intrinsics(73, 53, 52.95, 52.95, 36.5, 26.5),
    'xtion/sun3ddata/brown_bm_1/brown_bm_1/0000103-000003465292':
        Intrinsics(59, 44, 57., 57., 29., 22.),
    'realsense/lg/2014_10_21-18_15_34-1311000073': Intrinsics(68, 53, 69.1, 69.3, 33., 26.)}
NAMES = list(CAMERAS)


def rotate(millimetres: np.ndarray) -> np.ndarray:
    """Return what is stored: the numbers rotated left by three bits."""
    v = millimetres.astype(np.uint32)
    return ((v << 3 | v >> 13) & 0xffff).astype(np.uint16)


def cell_of(paths: list[str]) -> bytes:
    """Return the body of a row of cells that hold strings (MATLAB 5)."""
    def element(kind: int, data: bytes) -> bytes:
        return struct.pack('<II', kind, len(data)) + data + b'\0' * (-len(data) % 8)

    def matrix(kind: int, shape: tuple[int, int], name: str, content: bytes) -> bytes:
        return element(14, element(6, struct.pack('<II', kind, 0)) + element(
            5, struct.pack('<ii', *shape)) + element(1, name.encode()) + content)

    return b''.join(matrix(4, (1, len(p)), '', element(16, p.encode())) for p in paths)


def write_split(path: Path, **lists: list[str]) -> None:
    """Write allsplit.mat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    out = b'MATLAB 5.0 MAT-file'.ljust(124) + b'\x00\x01IM'
    for name, paths in lists.items():
        body = (struct.pack('<IIII', 6, 8, 1, 0) + struct.pack('<IIii', 5, 8, 1, len(paths))
                + struct.pack('<II', 1, len(name)) + name.encode().ljust(8, b'\0')
                + cell_of(paths))
        out += struct.pack('<II', 14, len(body)) + body
    path.write_bytes(out)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with SUNRGBD, one frame of each part."""
    for name, camera in CAMERAS.items():
        folder = tmp_path / 'SUNRGBD' / name
        scene = render(camera)
        for part in ('image', 'depth', 'depth_bfx', 'annotation2Dfinal'):
            (folder / part).mkdir(parents=True)
        stored = scene.stored(1000, hole=3)
        stored[4, 4] = 8191 + 1  # a bit beyond the thirteenth goes round the corner
        cv2.imwrite(str(folder / 'image' / '0000103.jpg'), scene.image[..., ::-1])
        cv2.imwrite(str(folder / 'depth' / '0000103_abs.png'), rotate(stored))
        cv2.imwrite(str(folder / 'depth_bfx' / '0000103.png'), rotate(scene.stored(1000)))
        (folder / 'intrinsics.txt').write_text(
            f'{camera.fx} 0 {camera.cx}\n0 {camera.fy} {camera.cy}\n0 0 1 \n')
    return tmp_path


def test_bits_by_hand() -> None:
    # 2000 mm = 0x07d0, rotated left by three 0x3e80; 0x2001 wraps to 0x0009.
    stored = np.array([0x3e80, 0x0009, 0, 0xffff], np.uint16)
    assert unrotate(stored).tolist() == [2000, 0x2001, 0, 0xffff]
    everything = np.arange(65536, dtype=np.uint32).astype(np.uint16)
    assert np.array_equal(unrotate(rotate(everything)), everything)
    # Dividing by 8 is the same only while no bit has gone round.
    assert unrotate(np.array([16000], np.uint16))[0] == 16000 // 8


def test_each_frame_has_its_own_camera(root: Path) -> None:
    for path in (root, root / 'SUNRGBD'):
        data = SunRgbd(path, partial='yes')
        assert sorted(data.names) == sorted(NAMES)
        for frame in data:
            assert frame.intrinsics == CAMERAS[frame.name]
            expected = render(frame.intrinsics)
            stored = expected.stored(1000, hole=3)
            stored[4, 4] = 8192
            assert frame.depth is not None
            assert np.array_equal(frame.depth, metres(stored, 1000), equal_nan=True)
            assert np.abs(frame.image.astype(int) - expected.image).mean() < 4


def test_filled_depth(root: Path) -> None:
    data = SunRgbd(root, depth='filled', partial='yes')
    for frame in data:
        expected = metres(render(frame.intrinsics).stored(1000), 1000)
        assert frame.depth is not None and np.array_equal(frame.depth, expected)


def test_sensors_and_the_nyu_part(root: Path) -> None:
    data = SunRgbd(root, sensor='kv2', partial='yes')
    assert [name.split('/')[0] for name in data.names] == ['kv2']
    assert SunRgbd(root, sensor='kv1', partial='yes').names == NAMES[:2]
    assert SunRgbd(root, sensor='kv1', nyu='no', partial='yes').names == [NAMES[1]]
    assert SunRgbd(root, nyu='only', partial='yes').names == [NAMES[0]]
    assert len(SunRgbd(root, nyu='no', partial='yes')) == 4
    assert SunRgbd(root, partial='yes').meta['nyu_frames'] == 1


def test_splits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / 'SUNRGBDtoolbox' / 'traintestSUNRGBD' / 'allsplit.mat'
    with pytest.raises(DatasetError, match=r'allsplit\.mat is missing'):
        SunRgbd(root, 'train', partial='yes')
    lists = {'alltrain': [f'/n/fs/sun3d/data/SUNRGBD/{name}/' for name in NAMES[:2]],
             'alltest': [f'/n/fs/sun3d/data/SUNRGBD/{name}' for name in NAMES[2:]]}
    write_split(path, **lists)
    with pytest.raises(DatasetError, match=r'allsplit\.mat: 2 frames.*expected 5285'):
        SunRgbd(root, 'train', partial='yes')
    monkeypatch.setattr(sun, 'OFFICIAL', {'train': 2, 'test': 3})
    assert SunRgbd(root, 'train', partial='yes').names == sorted(NAMES[:2])
    assert SunRgbd(root, 'train', partial='yes').meta['split'] == 'train, not as published'
    # The authors' own path and slashes at the end do not matter.
    monkeypatch.setattr(sun, 'CHECKSUMS', {key: list_checksum(names) for key, names in (
        ('train', NAMES[:2]), ('test', NAMES[2:]))})
    assert SunRgbd(root, 'train', partial='yes').meta['split'] == 'train, as published'
    assert SunRgbd(root / 'SUNRGBD', 'test', sensor='xtion', partial='yes').names == [NAMES[3]]


def test_the_sensors_are_the_whole_set() -> None:
    assert sum(sun.SENSOR_FRAMES.values()) == sum(sun.OFFICIAL.values()) == 10335


def test_half_a_download(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, where, count, official in (
            ({}, 'kv1', 2, 2003), ({'sensor': 'kv2'}, 'kv2', 1, 3784),
            ({'sensor': 'kv1', 'nyu': 'no'}, 'kv1', 1, 554), ({'nyu': 'only'}, 'kv1', 1, 1449)):
        with pytest.raises(DatasetError, match=f'SUNRGBD/{where}: {count} frames where the whole '
                                               f'download has {official} .*the key partial=yes'):
            SunRgbd(root, **options)
    data = open_spec(parse_spec(f'sun:{root}?partial=yes'))
    assert data.meta['partial'].startswith(str(root / 'SUNRGBD' / 'kv1'))
    assert data.meta['partial'].endswith('; and 3 more') and len(data) == 5
    monkeypatch.setattr(sun, 'SENSOR_FRAMES', {'kv1': 2, 'kv2': 1, 'realsense': 1, 'xtion': 1})
    assert 'partial' not in SunRgbd(root).meta
    (root / 'SUNRGBD' / 'xtion').rename(root / 'xtion')
    with pytest.raises(DatasetError, match='SUNRGBD/xtion: 0 frames where the whole download has'):
        SunRgbd(root)


def test_frames_of_a_split_that_are_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sun, 'OFFICIAL', {'train': 3, 'test': 2})
    gone = 'kv2/kinect2data/000009-resize'
    write_split(root / 'SUNRGBDtoolbox' / 'traintestSUNRGBD' / 'allsplit.mat', alltrain=[
        f'/n/SUNRGBD/{name}' for name in (*NAMES[:2], gone)], alltest=[
        f'/n/SUNRGBD/{name}' for name in NAMES[2:4]])
    with pytest.raises(DatasetError, match=f'SUNRGBD/{gone} is missing .1 of the 3 frames of the '
                                           'split train are.*add the key partial=yes'):
        SunRgbd(root, 'train')
    assert len(SunRgbd(root, 'train', partial='yes')) == 2
    # What the list has of one sensor or without NYU's part is all there.
    for options in ({'sensor': 'kv1'}, {'nyu': 'only'}):
        assert 'partial' not in SunRgbd(root, 'train', **options).meta
    # Frames that are not of the split do not matter.
    shutil.rmtree(root / 'SUNRGBD' / NAMES[4] / 'depth')
    assert len(SunRgbd(root, 'test')) == 2


def test_missing_halves(root: Path) -> None:
    frame = root / 'SUNRGBD' / NAMES[0]
    shutil.rmtree(frame / 'depth')
    with pytest.raises(DatasetError, match=r'NYU0001/depth is missing \(1 of 3 expected there\)'):
        SunRgbd(root, nyu='only')
    for options in ({'depth': 'filled'}, {'read_depth': False}):
        with pytest.raises(DatasetError, match='1 frames where the whole download has 1449'):
            SunRgbd(root, nyu='only', **options)  # type: ignore[arg-type]
    (frame / 'intrinsics.txt').unlink()
    (root / 'SUNRGBD' / NAMES[1] / 'depth' / '0000103_abs.png').unlink()
    data = SunRgbd(root, partial='yes')
    assert len(list(data)) == 3
    assert data.skipped == {'no readable intrinsics.txt': 1, 'no depth file': 1}
    with pytest.raises(DatasetError, match='kv2 is missing: expected the folders kv1, kv2'):
        SunRgbd(root / 'SUNRGBD' / 'kv1', sensor='kv2', partial='yes')


def test_depth_that_was_unrotated_already(root: Path) -> None:
    for name in NAMES:
        for path in (root / 'SUNRGBD' / name / 'depth').iterdir():
            cv2.imwrite(str(path), np.full(
                (CAMERAS[name].height, CAMERAS[name].width), 400, np.uint16))
    with pytest.raises(DatasetError, match=r'png: the median depth would be 0\.05 m'):
        next(iter(SunRgbd(root, partial='yes')))
