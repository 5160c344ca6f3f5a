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

"""DIODE: depth and mask as .npy."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import render

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.diode import CAMERA, Diode
from mde_ros.datasets.registry import open_spec, parse_spec

SCENE = render(CAMERA)
NAMES = ('indoors/scene_00019/scan_00183/00019_00183_indoors_000_010',
         'outdoor/scene_00022/scan_00193/00022_00193_outdoor_000_010')


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with val/, a frame of each place."""
    root = tmp_path_factory.mktemp('diode')
    depth = SCENE.depth.astype(np.float32)
    depth[:10] = 0
    mask = np.ones(depth.shape, np.float32)
    mask[:, :20] = 0
    for name in NAMES:
        path = root / 'val' / name
        path.parent.mkdir(parents=True)
        cv2.imwrite(f'{path}.png', SCENE.image[..., ::-1])
        np.save(f'{path}_depth.npy', depth[..., None])
        np.save(f'{path}_depth_mask.npy', mask)
    return root


def test_frames(root: Path) -> None:
    data = Diode(root, partial='yes')
    assert data.names == [f'val/{name}' for name in NAMES]
    expected = SCENE.depth.astype(np.float32)
    expected[:10] = np.nan
    expected[:, :20] = np.nan
    for frame in data:
        assert frame.depth is not None and frame.depth.dtype == np.float32
        assert np.array_equal(frame.depth, expected, equal_nan=True)
        assert np.array_equal(frame.image, SCENE.image)
        k = frame.intrinsics
        assert (k.fx, k.fy, k.cx, k.cy, k.width, k.height) == (886.81, 927.06, 512, 384, 1024, 768)


def test_half_a_download(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'val/indoors: 1 frames where the whole download has '
                                           r'325 .*add the key partial=yes'):
        Diode(root / 'val', place='indoors')
    data = open_spec(parse_spec(f'diode:{root}?partial=yes'))
    assert 'val/indoors: 1 frames' in data.meta['partial'] and len(data) == 2
    # A folder that is none of the download's has no count; halves are missing all the same.
    stem = tmp_path / 'outdoor' / 'scene_1' / 'scan_1' / 'a'
    stem.parent.mkdir(parents=True)
    cv2.imwrite(f'{stem}.png', SCENE.image)
    np.save(f'{stem}_depth.npy', SCENE.depth.astype(np.float32))
    with pytest.raises(DatasetError, match=r'scan_1/a_depth_mask\.npy is missing \(1 of 2 exp'):
        Diode(tmp_path)
    assert len(Diode(tmp_path, read_depth=False)) == 1
    np.save(f'{stem}_depth_mask.npy', np.ones(SCENE.depth.shape, np.float32))
    assert 'partial' not in Diode(tmp_path).meta


def test_parts(root: Path) -> None:
    assert Diode(root / 'val', place='indoors', partial='yes').names == [NAMES[0]]
    assert len(Diode(root, 'val', partial='yes')) == 2
    with pytest.raises(DatasetError, match='train is missing: expected train/indoors'):
        Diode(root, 'train', partial='yes')
    with pytest.raises(DatasetError, match='train is missing'):
        Diode(root / 'val', 'train', partial='yes')
    with pytest.raises(DatasetError, match='is missing: expected val/indoors'):
        Diode(root / 'val' / 'indoors', partial='yes')


def test_bad_files(tmp_path: Path) -> None:
    stem = tmp_path / 'indoors' / 'scene_1' / 'scan_1' / 'a'
    stem.parent.mkdir(parents=True)
    cv2.imwrite(f'{stem}.png', SCENE.image)
    data = Diode(tmp_path, partial='yes')
    assert list(data) == [] and data.skipped == {'no depth file': 1}
    Path(f'{stem}_depth.npy').write_bytes(b'\x93NUMPY')
    data = Diode(tmp_path, partial='yes')
    assert list(data) == [] and data.skipped == {'corrupt depth': 1}
    np.save(f'{stem}_depth.npy', np.ones((768, 1024), np.float32))
    data = Diode(tmp_path, partial='yes')
    assert list(data) == [] and data.skipped == {'no depth mask file': 1}
    np.save(f'{stem}_depth.npy', np.full((768, 1024), 3000., np.float32))
    np.save(f'{stem}_depth_mask.npy', np.ones((768, 1024), np.float32))
    with pytest.raises(DatasetError, match=r'a_depth\.npy: the median depth would be 3000 m'):
        list(Diode(tmp_path, partial='yes'))
