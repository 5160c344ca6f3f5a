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

"""KITTI raw, written by the test as its downloads lay it out."""

from pathlib import Path

from kitti_fixture import (
    CAMERA, DATE, DRIVE, laser_points, write_calibration, write_image, write_improved,
    write_points)
import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.registry import open_spec, parse_spec
from mde_ros.datasets.roads import kitti_splits
from mde_ros.datasets.roads.kitti import Kitti

SCENE = render(CAMERA, 10)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a data set of two frames of one drive."""
    write_calibration(tmp_path)
    for number in (5, 11):
        write_image(tmp_path, SCENE.image, number)
        write_points(tmp_path, laser_points(SCENE.depth), number)
    return tmp_path


def test_the_scene_comes_back(root: Path) -> None:
    source = Kitti(root)
    assert source.names == [f'{DRIVE}_image_02_0000000005', f'{DRIVE}_image_02_0000000011']
    frame = source[1]
    assert frame.intrinsics == CAMERA
    np.testing.assert_array_equal(frame.image, SCENE.image)
    assert frame.depth is not None and frame.depth.dtype == np.float32
    np.testing.assert_allclose(frame.depth, SCENE.depth, rtol=2e-6)
    assert source.meta['truth'] == 'velodyne'
    assert frame.stamp_ns == 0


def test_forward_x_of_the_laser(root: Path) -> None:
    source = open_spec(parse_spec(f'kitti:{root}?depth=velo_x'))
    depth = source[0].depth
    forward = laser_points(SCENE.depth)[:, 0].reshape(SCENE.depth.shape)
    assert depth is not None
    np.testing.assert_allclose(depth, forward, rtol=1e-6)
    # The laser stands .27 m behind the camera, and is tilted a little.
    assert (depth > SCENE.depth).all() and .2 < np.median(depth - SCENE.depth) < .4
    assert source.meta['truth'] == 'velodyne_x'


def test_improved_truth(root: Path) -> None:
    stored = SCENE.stored(256, hole=4)
    write_improved(root / 'data_depth_annotated' / 'val', stored, 5)
    source = Kitti(root, truth='improved')
    np.testing.assert_array_equal(source[0].depth, metres(stored, 256))
    assert source.meta['truth'] == 'improved'
    with pytest.raises(FrameError, match=r'val/.*groundtruth/image_02/0000000011.png: no depth'):
        source[1]
    assert [frame.name for frame in source] == [source.names[0]]
    assert source.skipped == {'no depth file': 1}


def test_improved_truth_elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(DatasetError, match=r'data_depth_annotated.* give improved=FOLDER'):
        Kitti(root, truth='improved')
    other = tmp_path_factory.mktemp('annotated')
    stored = SCENE.stored(256)
    write_improved(other / 'train', stored, 5)
    source = open_spec(parse_spec(f'kitti:{root}?truth=improved&improved={other}'))
    np.testing.assert_array_equal(source[0].depth, metres(stored, 256))
    write_improved(root / DATE, stored, 11)  # as monodepth2 lays it out
    np.testing.assert_array_equal(Kitti(root, truth='improved')[1].depth, metres(stored, 256))


def test_sizes_and_intrinsics_of_each_day(root: Path) -> None:
    wide = Intrinsics(62, 25, 41., 41., 30., 12.)
    projection = np.array([[41., 0, 30, 4.], [0, 41, 12, .2], [0, 0, 1, .003]])
    write_calibration(root, '2011_10_03', projection, (62, 25))
    drive = '2011_10_03_drive_0027_sync'
    scene = render(wide, 10)
    write_image(root, scene.image, 0, drive)
    write_points(root, laser_points(scene.depth, projection), 0, drive)
    first, _, last = Kitti(root)
    assert (first.intrinsics, last.intrinsics) == (CAMERA, wide)
    assert last.depth is not None
    np.testing.assert_allclose(last.depth, scene.depth, rtol=2e-6)


def test_split_file_and_right_camera(root: Path) -> None:
    write_image(root, 255 - SCENE.image, 11, camera=3)
    split = root / 'mine.txt'
    split.write_text(f'{DATE}/{DRIVE} 11 r\n{DATE}/{DRIVE} 5 l\n')
    source = Kitti(root, str(split))
    assert source.names == [f'{DRIVE}_image_03_0000000011', f'{DRIVE}_image_02_0000000005']
    np.testing.assert_array_equal(source[0].image, 255 - SCENE.image)
    assert Kitti(root, camera='3').names == source.names[:1]


def test_projected_points_are_kept(root: Path) -> None:
    cache = root / 'cache'
    spec = parse_spec(f'kitti:{root}?cache={cache}')
    first = open_spec(spec)[0].depth
    for path in root.rglob('*.bin'):
        path.unlink()
    # The second frame was not read before.
    with pytest.raises(DatasetError, match=r'data/0000000011\.bin is missing \(1 of 2 expected'):
        open_spec(spec)
    again = open_spec(parse_spec(f'{spec}&partial=yes'))
    np.testing.assert_array_equal(again[0].depth, first)
    assert again.get(1) is None
    # Another way of projecting is another file.
    with pytest.raises(DatasetError, match=r'data/0000000005\.bin is missing \(2 of 2 expected'):
        Kitti(root, cache=str(cache), depth='velo_x')
    file, = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert open_spec(parse_spec(f'{spec}&partial=yes')).get(0) is None


def test_stamps(root: Path) -> None:
    times = root / DATE / DRIVE / 'image_02' / 'timestamps.txt'
    times.write_text('\n'.join(f'2011-09-26 13:02:{second:02d}.964389445' for second in range(8)))
    source = Kitti(root, partial='yes')
    # 2011-09-26 13:02:05 UTC is 1317042125 s.
    assert source[0].stamp_ns == 1317042125964389445
    assert source[1].stamp_ns == 0  # beyond the end of the list


def test_unlabelled(root: Path) -> None:
    for path in root.rglob('*.bin'):
        path.unlink()
    (root / DATE / 'calib_velo_to_cam.txt').unlink()
    assert [frame.depth for frame in Kitti(root, read_depth=False)] == [None, None]
    with pytest.raises(DatasetError, match=r'calib_velo_to_cam.txt is missing: .*_calib.zip'):
        Kitti(root)


def test_missing_files_are_counted(root: Path) -> None:
    points = next(iter(sorted(root.rglob('*.bin'))))
    points.unlink()
    with pytest.raises(DatasetError, match=r'velodyne_points/data/0000000005\.bin is missing \(1 '
                                           r'of 2 expected there\).*add the key partial=yes'):
        Kitti(root)
    source = Kitti(root, partial='yes')
    assert len(list(source)) == 1 and source.skipped == {'no velodyne file': 1}
    (root / DATE / DRIVE / 'image_02' / 'data' / '0000000011.png').write_bytes(b'cut')
    source = Kitti(root, partial='yes')
    assert not list(source) and source.skipped == {'no velodyne file': 1, 'corrupt image': 1}
    write_image(root, SCENE.image[:-1], 11)
    with pytest.raises(FrameError, match=r'is 60x23: size is not 60x24'):
        Kitti(root, partial='yes')[1]


def test_wrong_folders(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'gone: no such folder'):
        Kitti(tmp_path / 'gone')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DatasetError, match=r'empty: no frames found; expected DATE/'):
        Kitti(tmp_path / 'empty')
    split = tmp_path / 'other.txt'
    split.write_text('2011_09_28/2011_09_28_drive_0001_sync 11 l\n')
    with pytest.raises(DatasetError, match=r'2011_09_28_drive_0001_sync: no such folder, nor any'):
        Kitti(root, str(split))
    (root / DATE / 'calib_cam_to_cam.txt').unlink()
    with pytest.raises(DatasetError, match=r'calib_cam_to_cam.txt is missing: .*_calib.zip'):
        Kitti(root)


def test_half_a_download(root: Path) -> None:
    split = root / 'mine.txt'
    split.write_text(f'{DATE}/{DRIVE} 11 l\n2011_09_28/2011_09_28_drive_0001_sync 11 l\n'
                     f'{DATE}/{DRIVE} 6 l\n')
    with pytest.raises(DatasetError, match=r'2011_09_28_drive_0001_sync is missing \(1 of the 2 '
                                           r'drives of the split are\).*add the key partial=yes'):
        Kitti(root, str(split))
    data = open_spec(parse_spec(f'kitti:{root}?split={split}&partial=yes'))
    assert '2011_09_28_drive_0001_sync is missing' in data.meta['partial']
    assert len(data) == 3 and data.get(1) is None and data.get(2) is None
    assert data.skipped == {'no image file': 2}
    split.write_text(f'{DATE}/{DRIVE} 11 l\n{DATE}/{DRIVE} 6 l\n')
    with pytest.raises(DatasetError, match=r'image_02/data/0000000006\.png is missing \(1 of 2 '):
        Kitti(root, str(split), truth='improved')


def test_images_fewer_than_stamps(root: Path) -> None:
    times = root / DATE / DRIVE / 'image_02' / 'timestamps.txt'
    times.write_text('2011-09-26 13:02:25.964389445\n' * 2 + '\n')
    assert 'partial' not in Kitti(root).meta
    times.write_text('2011-09-26 13:02:25.964389445\n' * 3)
    with pytest.raises(DatasetError, match=r'image_02/data: 2 frames where the whole download has '
                                           r'3 \(one for each line of timestamps\.txt\)'):
        Kitti(root)
    # A drive whose images are not there at all.
    empty = root / DATE / f'{DATE}_drive_0009_sync' / 'image_02'
    empty.mkdir(parents=True)
    assert len(Kitti(root, partial='yes')) == 2
    times.unlink()
    (empty / 'timestamps.txt').write_text('2011-09-26 13:02:25.964389445\n')
    with pytest.raises(DatasetError, match=r'0009_sync/image_02/data: 0 frames where the whole'):
        Kitti(root)
    # Of a split only its own frames must be there.
    (root / 'mine.txt').write_text(f'{DATE}/{DRIVE} 5 l\n')
    assert 'partial' not in Kitti(root, str(root / 'mine.txt')).meta


def test_laser_points_that_were_never_published(root: Path) -> None:
    drive = f'{DATE}_drive_0009_sync'
    for number in (176, 177, 180):
        write_image(root, SCENE.image, number, drive)
    write_points(root, laser_points(SCENE.depth), 176, drive)
    data = Kitti(root)
    assert 'partial' not in data.meta
    assert len(list(data)) == 3 and data.skipped == {'no velodyne file': 2}
    write_image(root, SCENE.image, 181, drive)
    with pytest.raises(DatasetError, match=r'data/0000000181\.bin is missing \(1 of 4 expected'):
        Kitti(root)


def test_improved_depth_of_the_split_that_has_it(root: Path, monkeypatch: pytest.MonkeyPatch
                                                 ) -> None:
    write_improved(root / 'data_depth_annotated' / 'val', SCENE.stored(256), 5)
    path = root / 'eigen_test_files_with_gt.txt'
    path.write_text(f'{DATE}/{DRIVE} 5 l\n{DATE}/{DRIVE} 11 l\n')
    # Not all frames of other splits have improved depth.
    assert len(Kitti(root, str(path), truth='improved')) == 2
    monkeypatch.setitem(kitti_splits.KNOWN_SPLITS, 'eigen_improved', (
        2, kitti_splits.checksum(kitti_splits.read_split(path))))
    with pytest.raises(DatasetError, match=r'val/.*/image_02/0000000011\.png is missing \(1 of 2'):
        Kitti(root, 'eigen_improved', truth='improved')
    assert len(Kitti(root, 'eigen_improved', truth='improved', partial='yes')) == 2
    assert len(Kitti(root, 'eigen_improved', False, truth='improved')) == 2


def test_wrong_unit(root: Path) -> None:
    write_points(root, laser_points(SCENE.depth) * 1000, 5)
    with pytest.raises(DatasetError, match=r'0000000005.bin: the median depth would be .* m, '
                                           'outside 0.1 to 200 m: expected metres'):
        Kitti(root)[0]


def test_unknown_keys_and_values(root: Path) -> None:
    with pytest.raises(DatasetError, match="depth = 'x'; expected one of: z, velo_x"):
        open_spec(parse_spec(f'kitti:{root}?depth=x'))
    with pytest.raises(DatasetError, match="unknown key 'crop'"):
        open_spec(parse_spec(f'kitti:{root}?crop=garg'))
