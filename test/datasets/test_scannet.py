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

"""ScanNet: exported scenes and .sens, colour brought onto depth's pixels."""

from pathlib import Path
import shutil
import struct
import zlib

import cv2
import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor import scannet
from mde_ros.datasets.indoor.scannet import onto, ScanNet
from mde_ros.datasets.indoor.scannet_sens import SensFile
from mde_ros.datasets.registry import open_spec, parse_spec

# The true cameras at a tenth: colour is twice as large, with another principal point.
DEPTH = Intrinsics(64, 48, 57.8, 57.9, 31.9, 23.8)
COLOUR = Intrinsics(130, 97, 117., 117.2, 64.8, 48.4)
SCENE = render(DEPTH)
PICTURE = render(COLOUR).image


def matrix(camera: Intrinsics) -> np.ndarray:
    """Return the 4 x 4 matrix that ScanNet writes."""
    k = np.eye(4)
    k[:3, :3] = camera.matrix
    return k


def write_scene(folder: Path, frames: int = 3) -> Path:
    """Write an exported scene."""
    for part in ('color', 'depth', 'intrinsic', 'pose'):
        (folder / part).mkdir(parents=True)
    for number in (0, 2, 10, 9)[:frames]:
        cv2.imwrite(str(folder / 'color' / f'{number}.jpg'), PICTURE[..., ::-1])
        cv2.imwrite(str(folder / 'depth' / f'{number}.png'), SCENE.stored(1000, hole=12))
    for name, values in (('intrinsic_color', matrix(COLOUR)), ('intrinsic_depth', matrix(DEPTH)),
                         ('extrinsic_color', np.eye(4)), ('extrinsic_depth', np.eye(4))):
        np.savetxt(folder / 'intrinsic' / f'{name}.txt', values, fmt='%f')
    return folder


def write_sens(path: Path, frames: int = 2, raw: bool = False) -> Path:
    """Write a .sens file of version 4."""
    depth = SCENE.stored(1000, hole=12).tobytes()
    jpeg = cv2.imencode('.jpg', PICTURE[..., ::-1])[1].tobytes()
    if not raw:
        depth = zlib.compress(depth)
    out = struct.pack('<IQ', 4, 15) + b'StructureSensor'
    for values in (matrix(COLOUR), np.eye(4), matrix(DEPTH), np.eye(4)):
        out += values.astype('<f4').tobytes()
    out += struct.pack('<iiIIIIfQ', 2, 0 if raw else 1, 130, 97, 64, 48, 1000., frames)
    for number in range(frames):
        out += np.eye(4, dtype='<f4').tobytes() + struct.pack(
            '<QQQQ', 33_000 * number, 33_000 * number, len(jpeg), len(depth)) + jpeg + depth
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out)
    return path


def test_depth_is_untouched_and_colour_moves(tmp_path: Path) -> None:
    data = ScanNet(write_scene(tmp_path / 'scene0000_00'), rim='0')
    assert data.names == [f'scene0000_00/{number}' for number in (0, 2, 10)]
    frame = data[0]
    assert frame.depth is not None
    assert np.array_equal(frame.depth, metres(SCENE.stored(1000, hole=12), 1000), equal_nan=True)
    for name in ('fx', 'fy', 'cx', 'cy'):
        assert getattr(frame.intrinsics, name) == pytest.approx(getattr(DEPTH, name), abs=1e-6)
    assert frame.image.shape == (48, 64, 3)
    # The box is where depth has it: its edge in colour differs by less than a pixel.
    blue = frame.image[..., 2] > 120
    inner = cv2.morphologyEx(SCENE.box.astype(np.uint8), cv2.MORPH_GRADIENT,
                             np.ones((3, 3), np.uint8)) == 0
    assert np.array_equal(blue[inner], SCENE.box[inner])


def test_colour_moves_exactly() -> None:
    # A ramp over the rays: the same value on the same ray, whatever the camera.
    columns = np.meshgrid(np.arange(130), np.arange(97))[0]
    ramp = np.rint(128 + 100 * (columns - COLOUR.cx) / COLOUR.fx)
    picture = np.repeat(ramp[..., None], 3, -1).astype(np.uint8)
    moved = onto(picture, COLOUR, DEPTH)
    expected = 128 + 100 * (np.arange(64) - DEPTH.cx) / DEPTH.fx
    inside = slice(2, -2)
    assert np.abs(moved[10, inside, 0] - expected[inside]).max() < 1.5


def test_the_rim_is_cut_off(tmp_path: Path) -> None:
    frame = ScanNet(write_scene(tmp_path / 'scene0000_00'))[0]
    assert frame.depth is not None and frame.depth.shape == (32, 48)
    assert frame.image.shape == (32, 48, 3)
    assert frame.intrinsics.cx == pytest.approx(DEPTH.cx - 8, abs=1e-6)
    # The hole of 12 rows and columns has 4 left.
    assert np.isnan(frame.depth[:4, :4]).all() and np.isfinite(frame.depth).sum() == 32 * 48 - 16


def test_unlabelled_frames_have_the_same_size(tmp_path: Path) -> None:
    folder = write_scene(tmp_path / 'scene0000_00')
    labelled, other = ScanNet(folder)[0], ScanNet(folder, read_depth=False)[0]
    assert other.depth is None and other.intrinsics == labelled.intrinsics
    assert np.array_equal(other.image, labelled.image)


@pytest.mark.parametrize('raw', [False, True])
def test_sens(tmp_path: Path, raw: bool) -> None:
    path = write_sens(tmp_path / 'scans' / 'scene0001_00' / 'scene0001_00.sens', raw=raw)
    exported = ScanNet(write_scene(tmp_path / 'scene0000_00'))[0]
    for where in (path, tmp_path):
        data = ScanNet(where)
        assert data.names == ['scene0001_00/0', 'scene0001_00/1']
        frame = data[1]
        assert frame.stamp_ns == 33_000_000
        assert frame.depth is not None and exported.depth is not None
        assert np.array_equal(frame.depth, exported.depth, equal_nan=True)
        assert np.array_equal(frame.image, exported.image)


def test_half_a_sens(tmp_path: Path) -> None:
    path = write_sens(tmp_path / 'scene0001_00.sens', frames=3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert len(SensFile(path)) == 2
    with pytest.raises(DatasetError, match=r'scene0001_00\.sens: 2 frames where the whole '
                                           r'download has 3 .*add the key partial=yes'):
        ScanNet(path)
    data = open_spec(parse_spec(f'scannet:{path}?partial=yes'))
    assert len(data) == 2 and '2 frames where' in data.meta['partial']
    path.write_bytes(whole[:50])
    with pytest.raises(DatasetError, match=r'scene0001_00\.sens: not a readable \.sens'):
        ScanNet(path)
    path.write_bytes(b'\x03' + whole[1:])
    with pytest.raises(DatasetError, match=r'no \.sens file of version 4'):
        ScanNet(path)


def test_splits_by_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write_scene(tmp_path / f'scene000{number}_00', frames=1)
    (tmp_path / 'scannetv2_train.txt').write_text('scene0000_00\nscene0002_00\n')
    with pytest.raises(DatasetError, match=r'scannetv2_train\.txt: 2 scenes, expected 1201'):
        ScanNet(tmp_path, 'train')
    with pytest.raises(DatasetError, match=r'scannetv2_val\.txt is missing'):
        ScanNet(tmp_path, 'val')
    monkeypatch.setitem(scannet.LISTS, 'train', ('scannetv2_train.txt', 2))
    assert ScanNet(tmp_path, 'train').names == ['scene0000_00/0', 'scene0002_00/0']
    shutil.rmtree(tmp_path / 'scene0000_00')
    with pytest.raises(DatasetError, match=r'/scene0000_00 is missing \(1 of the 2 scenes in '
                                           r'scannetv2_train\.txt are\): half a download'):
        ScanNet(tmp_path, 'train')
    assert ScanNet(tmp_path, 'train', partial='yes').names == ['scene0002_00/0']


def test_depth_that_was_not_exported(tmp_path: Path) -> None:
    folder = write_scene(tmp_path / 'scene0000_00')
    (folder / 'depth' / '2.png').unlink()
    with pytest.raises(DatasetError, match=r'scene0000_00/depth/2\.png is missing \(1 of 3'):
        ScanNet(tmp_path)
    assert len(ScanNet(tmp_path, read_depth=False)) == 3
    data = ScanNet(tmp_path, partial='yes')
    assert len(data) == 3 and len(list(data)) == 2 and data.skipped == {'no depth file': 1}


def test_what_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='no scenes; expected SCENE/color'):
        ScanNet(tmp_path)
    folder = write_scene(tmp_path / 'scene0000_00')
    cv2.imwrite(str(folder / 'color' / '0.jpg'), PICTURE[::2, ::2])
    data = ScanNet(tmp_path)
    assert len(list(data)) == 2
    assert data.skipped == {'intrinsics are of another image size': 1}
    moved = np.eye(4)
    moved[0, 3] = .05
    np.savetxt(folder / 'intrinsic' / 'extrinsic_color.txt', moved)
    with pytest.raises(DatasetError, match=r'extrinsic_color\.txt: colour and depth have diff'):
        ScanNet(tmp_path)
    (folder / 'intrinsic' / 'intrinsic_depth.txt').unlink()
    with pytest.raises(DatasetError, match=r'intrinsic_depth\.txt is missing'):
        ScanNet(tmp_path)
