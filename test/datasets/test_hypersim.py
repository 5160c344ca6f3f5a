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

"""Hypersim: distances to depths, cameras and splits from the lists, tone mapping."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor import hypersim
from mde_ros.datasets.indoor.hypersim import camera_of, Hypersim, tone_map
from mde_ros.datasets.registry import open_spec, parse_spec

h5py = pytest.importorskip('h5py')
WIDTH, HEIGHT = 64, 48
CAMERA = Intrinsics(WIDTH, HEIGHT, 55.4, 55.4, 33.1, 22.6)
SCENE = render(CAMERA)


def uv_matrix(camera: Intrinsics) -> np.ndarray:
    """Return M_cam_from_uv of a pinhole, worked out from the ends of the image."""
    # At u = -1 is the left edge, column -0.5; at v = 1 the upper edge, row -0.5; z backwards.
    left, right = ((edge - camera.cx) / camera.fx for edge in (-.5, camera.width - .5))
    up, down = (-(edge - camera.cy) / camera.fy for edge in (-.5, camera.height - .5))
    return np.array([[(right - left) / 2, 0, (right + left) / 2],
                     [0, (up - down) / 2, (up + down) / 2], [0, 0, -1.]])


def row_of(name: str, matrix: np.ndarray) -> dict[str, str]:
    """Return a row of metadata_camera_parameters.csv."""
    return {'scene_name': name, 'settings_output_img_width': str(WIDTH),
            'settings_output_img_height': str(float(HEIGHT)),
            **{f'M_cam_from_uv_{i}{j}': repr(float(matrix[i, j]))
               for i in range(3) for j in range(3)}}


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a list with a header."""
    path.write_text('\n'.join([','.join(rows[0]), *(','.join(row.values()) for row in rows)]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return two scenes of a frame each, the second with a tilted image plane."""
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    x, y = (columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy
    distance = (SCENE.depth * np.sqrt(1 + x * x + y * y)).astype(np.float32)
    distance[5, 5] = np.nan
    for name in ('ai_001_001', 'ai_002_003'):
        images = tmp_path / name / 'images'
        for part in ('final_preview', 'final_hdf5', 'geometry_hdf5'):
            (images / f'scene_cam_00_{part}').mkdir(parents=True)
        cv2.imwrite(str(images / 'scene_cam_00_final_preview' / 'frame.0007.tonemap.jpg'),
                    SCENE.image[..., ::-1])
        for part, kind, values in (
                ('geometry', 'depth_meters', distance),
                ('geometry', 'render_entity_id', np.ones((HEIGHT, WIDTH), np.int32)),
                ('final', 'color', (SCENE.image / 255.).astype(np.float16))):
            with h5py.File(images / f'scene_cam_00_{part}_hdf5' / f'frame.0007.{kind}.hdf5',
                           'w') as file:
                file['dataset'] = values
    tilted = uv_matrix(CAMERA)
    tilted[2, 1] = .1
    write_csv(tmp_path / 'metadata_camera_parameters.csv', [
        row_of('ai_001_001', uv_matrix(CAMERA)), row_of('ai_002_003', tilted)])
    return tmp_path


def test_the_camera_of_a_scene() -> None:
    # 60 degrees across, as almost all scenes: tan 30 = 0.57735, f = 512 / tan 30 = 886.81.
    plain = np.diag([np.tan(np.pi / 6), .75 * np.tan(np.pi / 6), -1])
    found = camera_of({**row_of('a', plain), 'settings_output_img_width': '1024',
                       'settings_output_img_height': '768'})
    assert found is not None
    assert (found.fx, found.fy) == (pytest.approx(886.81, abs=.01),) * 2
    assert (found.cx, found.cy) == (511.5, 383.5)
    shifted = camera_of(row_of('a', 2 * uv_matrix(CAMERA)))  # the length of rays is free
    assert shifted is not None
    for name in ('fx', 'fy', 'cx', 'cy'):
        assert getattr(shifted, name) == pytest.approx(getattr(CAMERA, name))


def test_distances_become_depths(root: Path) -> None:
    data = Hypersim(root, partial='yes')
    assert data.names == ['ai_001_001/cam_00/0007', 'ai_002_003/cam_00/0007']
    frame = data[0]
    assert frame.depth is not None and np.isnan(frame.depth[5, 5])
    known = np.isfinite(frame.depth)
    assert known.sum() == WIDTH * HEIGHT - 1
    assert np.allclose(frame.depth[known], SCENE.depth[known], rtol=1e-6)
    assert np.abs(frame.image.astype(int) - SCENE.image).mean() < 4


def test_tilted_scenes_are_counted(root: Path) -> None:
    data = Hypersim(root, partial='yes')
    assert len(list(data)) == 1
    assert data.skipped == {'the image plane is tilted: no pinhole': 1}


def test_splits_come_from_the_list(root: Path) -> None:
    with pytest.raises(DatasetError, match=r'split_scene_v1\.csv is missing'):
        Hypersim(root, 'train', partial='yes')
    rows = [('ai_001_001', '7', 'True', 'train'), ('ai_001_001', '8', 'False', 'train'),
            ('ai_002_003', '7', 'True', 'val'), ('ai_009_009', '7', 'True', 'train')]
    write_csv(root / 'metadata_images_split_scene_v1.csv', [
        {'scene_name': scene, 'camera_name': 'cam_00', 'frame_id': number,
         'included_in_public_release': included, 'exclude_reason': '',
         'split_partition_name': part} for scene, number, included, part in rows])
    with pytest.raises(DatasetError, match=r'/ai_009_009 is missing \(1 of the scenes of the '
                                           r'split train in .*csv are\).*add the key partial=yes'):
        Hypersim(root, 'train')
    data = Hypersim(root, 'train', partial='yes')
    assert data.names == ['ai_001_001/cam_00/0007'] and 'ai_009_009' in data.meta['partial']
    assert 'partial' not in Hypersim(root, 'val').meta
    assert Hypersim(root, 'val', partial='yes').names == ['ai_002_003/cam_00/0007']


def test_half_a_download(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match='2 frames where the whole download has 74619'):
        Hypersim(root)
    data = open_spec(parse_spec(f'hypersim:{root}?partial=yes'))
    assert len(data) == 2 and '2 frames where' in data.meta['partial']
    monkeypatch.setattr(hypersim, 'OFFICIAL', 2)
    assert 'partial' not in Hypersim(root).meta
    images = root / 'ai_001_001' / 'images'
    (images / 'scene_cam_00_final_preview' / 'frame.0007.tonemap.jpg').unlink()
    assert 'partial' not in Hypersim(root).meta  # colour is there as HDF5
    with pytest.raises(DatasetError, match=r'final_preview/frame\.0007\.tonemap\.jpg is missing'):
        Hypersim(root, colour='preview')
    # A list of a split names frames whose depth is not there.
    write_csv(root / 'metadata_images_split_scene_v1.csv', [
        {'scene_name': 'ai_001_001', 'camera_name': 'cam_00', 'frame_id': number,
         'included_in_public_release': 'True', 'split_partition_name': 'test'}
        for number in ('7', '9')])
    with pytest.raises(DatasetError, match=r'hdf5/frame\.0009\.depth_meters\.hdf5 is missing'):
        Hypersim(root, 'test')
    assert len(Hypersim(root, 'test', partial='yes')) == 2


def test_tone_mapping_by_hand(root: Path) -> None:
    # All pixels alike: the 90th percentile is 0.5, which becomes 0.8 after gamma: 204.
    grey = np.full((4, 4, 3), .5, np.float32)
    assert (tone_map(grey) == 204).all()
    # Twice as bright is 0.8 * 2 ** (1 / 2.2) > 1; half is 0.8 / 2 ** (1 / 2.2) = 0.5838.
    grey[0, 0], grey[0, 1] = 1., .25
    assert tone_map(grey)[0, :2, 0].tolist() == [255, 149]
    # Only what is seen sets the exposure.
    seen = np.zeros((4, 4), bool)
    seen[0, 0] = True
    assert tone_map(grey, seen)[0, 0, 0] == 204
    assert (tone_map(np.zeros((4, 4, 3), np.float32)) == 0).all()
    frame = Hypersim(root, colour='hdf5', partial='yes')[0]
    assert np.array_equal(frame.image, tone_map((SCENE.image / 255.).astype(np.float16).astype(
        np.float32)))


def test_missing_and_damaged_files(root: Path, tmp_path: Path) -> None:
    images = root / 'ai_001_001' / 'images'
    (images / 'scene_cam_00_final_preview' / 'frame.0007.tonemap.jpg').unlink()
    assert len(list(Hypersim(root, partial='yes'))) == 1  # colour comes from HDF5
    data = Hypersim(root, colour='preview', partial='yes')
    assert list(data) == [] and data.skipped['no image file'] == 1
    path = images / 'scene_cam_00_geometry_hdf5' / 'frame.0007.depth_meters.hdf5'
    path.write_bytes(path.read_bytes()[:100])
    data = Hypersim(root, partial='yes')
    assert list(data) == [] and data.skipped['corrupt HDF5 file'] == 1
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DatasetError, match='no frames found; expected ai_VVV_NNN'):
        Hypersim(tmp_path / 'empty', partial='yes')
    (root / 'metadata_camera_parameters.csv').write_text('scene_name,other\nai_001_001,1\n')
    with pytest.raises(DatasetError, match=r'parameters\.csv: expected the columns'):
        Hypersim(root, partial='yes')
