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

"""TUM RGB-D: pairs by time, three cameras, 1/5000 metres."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.tum import CAMERAS, TumRgbd
from mde_ros.datasets.registry import open_spec, parse_spec

SCENE = render(CAMERAS['fr3'])
COLOURS = ['1305031102.175304', '1305031102.211214', '1305031102.275326']
# 20 ms after the first (too far by the rule < 0.02), 7.7 ms after the second, 17 before the last.
DEPTHS = ['1305031102.195304', '1305031102.218914', '1305031102.258326']


def write_sequence(folder: Path) -> Path:
    """Write three pictures and three depths in the official layout."""
    for part, stamps in (('rgb', COLOURS), ('depth', DEPTHS)):
        (folder / part).mkdir(parents=True)
        lines = ['# color images', "# file: 'rgbd_dataset_freiburg1_xyz.bag'",
                 '# timestamp filename', *(f'{s} {part}/{s}.png' for s in stamps)]
        (folder / f'{part}.txt').write_text('\n'.join(lines) + '\n')
        for stamp in stamps:
            picture = SCENE.image[..., ::-1] if part == 'rgb' else SCENE.stored(5000, hole=9)
            cv2.imwrite(str(folder / part / f'{stamp}.png'), picture)
    (folder / 'groundtruth.txt').write_text('# timestamp tx ty tz qx qy qz qw\n')
    return folder


@pytest.fixture(scope='module')
def sequences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a sequence of fr1 and one of fr3."""
    root = tmp_path_factory.mktemp('tum')
    write_sequence(root / 'rgbd_dataset_freiburg1_xyz')
    write_sequence(root / 'rgbd_dataset_freiburg3_desk')
    return root


def test_frames(sequences: Path) -> None:
    data = TumRgbd(sequences / 'rgbd_dataset_freiburg1_xyz')
    assert data.names == COLOURS[1:] and data.unpaired == 1
    frame = data[0]
    assert frame.stamp_ns == 1_305_031_102_211_214_000
    assert np.array_equal(frame.image, SCENE.image)
    assert frame.depth is not None
    assert np.array_equal(frame.depth, metres(SCENE.stored(5000, hole=9), 5000), equal_nan=True)
    assert data.depth_file(0).name == f'{DEPTHS[1]}.png'
    assert len(TumRgbd(sequences / 'rgbd_dataset_freiburg1_xyz', read_depth=False)) == 3


def test_each_camera_has_its_calibration(sequences: Path) -> None:
    data = TumRgbd(sequences)
    assert data.names[0] == f'rgbd_dataset_freiburg1_xyz/{COLOURS[1]}' and len(data) == 4
    first, last = data[0].intrinsics, data[-1].intrinsics
    assert (first.fx, first.fy, first.cx, first.cy) == (517.3, 516.5, 318.6, 255.3)
    assert first.distortion == (.2624, -.9531, -.0054, .0026, 1.1633)
    assert (last.fx, last.rectified) == (535.4, True)
    other = TumRgbd(sequences / 'rgbd_dataset_freiburg1_xyz', camera='fr2')
    assert other[0].intrinsics.fx == 520.9


def test_what_is_missing_is_named(sequences: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'rgb\.txt is missing'):
        TumRgbd(tmp_path)
    folder = write_sequence(tmp_path / 'desk')
    with pytest.raises(DatasetError, match='does not say which camera'):
        TumRgbd(folder)
    (folder / 'depth.txt').unlink()
    with pytest.raises(DatasetError, match=r"depth\.txt is missing: expected lines 'timestamp"):
        TumRgbd(folder, camera='fr1')
    (folder / 'depth.txt').write_text('1305031102.218914\n')
    with pytest.raises(DatasetError, match=r"depth\.txt: '1305031102.218914': expected"):
        TumRgbd(folder, camera='fr1')
    (folder / 'depth.txt').write_text('1305031999.0 depth/a.png\n')
    with pytest.raises(DatasetError, match=r'no frames found; expected pairs'):
        TumRgbd(folder, camera='fr1', partial='yes')
    (folder / 'depth.txt').write_text(f'{DEPTHS[1]} depth/gone.png\n')
    with pytest.raises(DatasetError, match=r'desk/depth/gone\.png is missing \(1 of 1 expected '
                                           r'there\): half a download\?.*add the key partial=yes'):
        TumRgbd(folder, camera='fr1')
    assert len(TumRgbd(folder, read_depth=False, camera='fr1')) == 3
    data = open_spec(parse_spec(f'tum:{folder}?camera=fr1&partial=yes'))
    assert 'depth/gone.png is missing' in data.meta['partial']
    assert list(data) == [] and data.skipped == {'no depth file': 1}


def test_millimetres_are_noticed_only_where_they_are_impossible(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / 'fr3')
    for path in (folder / 'depth').iterdir():
        cv2.imwrite(str(path), np.full((480, 640), 400, np.uint16))
    with pytest.raises(DatasetError, match=r'would be 0\.08 m.*expected 1/5000 metres'):
        TumRgbd(folder)[0]
