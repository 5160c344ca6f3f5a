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

"""NYU Depth v2's raw recordings: swapped bytes, readings, pairs by time, registration."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import render

from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.indoor.nyu import CAMERA
from mde_ros.datasets.indoor.nyu_raw import (
    DEPTH_CAMERA, NyuRaw, read_swapped_pgm, readings_to_metres, ROTATION, TRANSLATION)
from mde_ros.datasets.registry import open_spec, parse_spec

PINHOLE = DEPTH_CAMERA.without_distortion()


def write_pgm(path: Path, readings: np.ndarray) -> None:
    """Write readings as the recorder did: low byte first, which PGM does not allow."""
    path.write_bytes(b'P5\n640 480\n65535\n' + readings.astype('<u2').tobytes())


def readings_of(metres: np.ndarray) -> np.ndarray:
    """Return the reading nearest to each depth."""
    return np.rint(1092.5 - 351.3 / metres)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Return a folder of one scene with two pairs and a picture without depth."""
    folder = tmp_path / 'raw' / 'bedroom_0001'
    folder.mkdir(parents=True)
    image = cv2.cvtColor(render(CAMERA).image, cv2.COLOR_RGB2BGR)
    for stamp in ('1294886360.208451', '1294886361.300000', '1294886369.000000'):
        cv2.imwrite(str(folder / f'r-{stamp}-2996770081.ppm'), image)
    readings = np.full((480, 640), readings_of(np.array(2.)))
    for stamp in ('1294886360.186556', '1294886361.310000', '1294886361.345000'):
        write_pgm(folder / f'd-{stamp}-2995096231.pgm', readings)
    (folder / 'a-1294886360.000000-1.dump').write_bytes(b'')
    return folder


def test_readings_by_hand() -> None:
    readings = np.array([[0, 599, 600, 1000, 1057, 1058, 1092, 1093, 2047, 65535]], np.uint16)
    metres = readings_to_metres(readings)[0]
    # 351.3 / (1092.5 - 600) = 0.7133, / 92.5 = 3.7978, / 35.5 = 9.8958, / 34.5 = 10.18.
    assert np.allclose(metres[2:5], [.713299, 3.797838, 9.895775], atol=1e-6)
    assert np.isnan(metres[[0, 1, 5, 6, 7, 8, 9]]).all()


def test_swapped_bytes(tmp_path: Path) -> None:
    readings = np.arange(480 * 640).reshape(480, 640) % 2048
    write_pgm(tmp_path / 'd.pgm', readings)
    assert np.array_equal(read_swapped_pgm(tmp_path / 'd.pgm'), readings)
    (tmp_path / 'd.pgm').write_bytes((tmp_path / 'd.pgm').read_bytes()[:1000])
    with pytest.raises(FrameError):
        read_swapped_pgm(tmp_path / 'd.pgm')


def test_pairs_by_time(scene: Path) -> None:
    for path in (scene, scene.parent):
        data = NyuRaw(path)
        assert [Path(name).name for name in data.names] == [
            'r-1294886360.208451-2996770081', 'r-1294886361.300000-2996770081']
        assert [data.depth_file(k).name[2:19] for k in (0, 1)] == [
            '1294886360.186556', '1294886361.310000']
    assert data[0].stamp_ns == 1_294_886_360_208_451_000
    unlabelled = NyuRaw(scene, read_depth=False)
    assert len(unlabelled) == 3 and unlabelled[2].depth is None


def test_the_index_names_what_must_be_there(scene: Path) -> None:
    names = sorted(path.name for path in scene.iterdir())
    (scene / 'INDEX.txt').write_text('\n'.join(names) + '\n')
    (scene / names[1]).unlink()  # the first depth file, as in half a download
    with pytest.raises(DatasetError, match=r'bedroom_0001/d-1294886360\.186556-2995096231\.pgm is '
                                           r'missing \(1 of 6 .*add the key partial=yes'):
        NyuRaw(scene)
    assert 'partial' not in NyuRaw(scene, read_depth=False).meta
    data = open_spec(parse_spec(f'nyu_raw:{scene}?partial=yes'))
    assert data.meta['partial'].startswith(str(scene))
    assert len(data) == 2 and len(list(data)) == 1
    assert data.skipped == {'no depth file': 1}


def test_registration_of_a_known_scene(scene: Path) -> None:
    # The depth camera is at -TRANSLATION (rotation of a third of a degree left out below).
    seen = render(PINHOLE)
    # What each bent pixel of the depth camera sees: the straight picture looked up there.
    columns, rows = np.meshgrid(np.arange(640.), np.arange(480.))
    straight = cv2.undistortPoints(
        np.stack([columns, rows], -1).reshape(-1, 1, 2), DEPTH_CAMERA.matrix,
        np.array(DEPTH_CAMERA.distortion), P=DEPTH_CAMERA.matrix).reshape(480, 640, 2)
    bent = cv2.remap(seen.depth.astype(np.float32), straight.astype(np.float32), None,
                     cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    for path in scene.glob('d-*.pgm'):
        write_pgm(path, readings_of(bent))
    frame = NyuRaw(scene)[0]
    assert frame.depth is not None and frame.intrinsics == CAMERA
    # A point of the box's front, 1.5 m, in the colour camera by the toolbox's formulas.
    for point in ((0., 0., 1.5), (.3, .2, 1.5), (-.4, -.2, 1.5)):
        x, y, z = ROTATION @ np.array(point) + TRANSLATION
        column, row = round(x / z * CAMERA.fx + CAMERA.cx), round(y / z * CAMERA.fy + CAMERA.cy)
        there = frame.depth[row - 1:row + 2, column - 1:column + 2]
        # A step of the readings is 351.3 / 858.3**2 = 0.5 mm... / 234.2**2 = 6 mm here.
        assert np.nanmax(np.abs(there - z)) < .008
    # What the toolbox computes: R = inv((-M)') and T on the same point, mirrored.
    mirrored = -ROTATION @ np.array((0., 0., 1.5)) - TRANSLATION
    x, y, z = ROTATION @ np.array((0., 0., 1.5)) + TRANSLATION
    assert np.allclose(mirrored[:2] / mirrored[2], (x / z, y / z))
    assert np.isfinite(frame.depth).mean() > .7


def test_the_extrinsics_are_a_small_rotation() -> None:
    assert np.allclose(ROTATION @ ROTATION.T, np.eye(3), atol=1e-7)
    assert np.linalg.det(ROTATION) == pytest.approx(1)
    # Colour is 2.5 cm to one side of the infrared camera.
    assert TRANSLATION[0] == pytest.approx(-.025, abs=1e-3)


def test_colour_is_undistorted(scene: Path) -> None:
    frame = NyuRaw(scene, register='no')[0]
    raw = render(CAMERA).image
    assert frame.image.shape == raw.shape
    # The middle stays, the corners do not.
    assert np.abs(frame.image[254, 326].astype(int) - raw[254, 326]).max() <= 1
    assert not np.array_equal(frame.image[:20, :20], raw[:20, :20])
    assert frame.depth is not None and np.allclose(frame.depth, 2, atol=6e-3)


def test_wrong_folders(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='no frames found; expected SCENE/r-TIME'):
        NyuRaw(tmp_path)
    with pytest.raises(DatasetError, match='no such folder'):
        NyuRaw(tmp_path / 'none')
    with pytest.raises(DatasetError, match="no split 'train'"):
        NyuRaw(tmp_path, 'train')


def test_files_whose_bytes_were_swapped_back(scene: Path) -> None:
    for path in scene.glob('d-*.pgm'):
        path.write_bytes(b'P5\n640 480\n65535\n'
                         + np.full((480, 640), 917, '>u2').tobytes())
    frame = NyuRaw(scene)[0]  # 917 = 0x0395 becomes 0x9503: no reading anywhere
    assert frame.depth is not None and np.isnan(frame.depth).all()
