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

"""RGB-D folders read back, and everything that may be wrong with one."""

import json
import logging
from pathlib import Path
import pickle
import re
from typing import Any

import cv2
from hypothesis import given, HealthCheck, settings, strategies as st
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.indexed import WARNINGS_PER_REASON
from mde_ros.datasets.rgbd_folder import RgbdFolder


def edit_meta(folder: Path, **fields: Any) -> None:
    """Set fields of meta.json, remove those that are None."""
    meta = {**json.loads((folder / 'meta.json').read_text()), **fields}
    (folder / 'meta.json').write_text(
        json.dumps({key: value for key, value in meta.items() if value is not None}))


def test_frames_come_back_as_written(rgbd_folder: Path, small_camera: Intrinsics) -> None:
    data = RgbdFolder(rgbd_folder)
    assert (data.name, len(data), data.labelled) == ('tiny', 6, True)
    assert data.names == [f'{index:06d}' for index in range(6)]
    assert data.meta['camera'] == 'test'
    frames = list(data)
    assert [frame.name for frame in frames] == data.names
    assert data.skipped == {}
    frame = frames[2]
    assert frame.stamp_ns == 1_066_666_666
    assert frame.intrinsics == small_camera
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    # The fixture gives OpenCV blue = 3 column, green = 5 row, red = 40 index: red comes first.
    np.testing.assert_array_equal(frame.image[10, 7], [80, 50, 21])
    assert frame.depth is not None
    assert frame.depth.dtype == np.float32
    assert np.isnan(frame.depth[:8, :8]).all()
    assert frame.depth[10, 9] == pytest.approx(1.7, abs=1e-6)  # 1000 + 50 * 10 + 100 * 2 mm
    assert np.isnan(frame.depth).sum() == 64


def test_random_access(rgbd_folder: Path) -> None:
    data = RgbdFolder(rgbd_folder, read_depth=False)
    assert data[4].name == '000004'
    assert data[-1].name == '000005'
    assert data[4].depth is None
    with pytest.raises(IndexError):
        data[6]


def test_splits(rgbd_folder: Path) -> None:
    assert RgbdFolder(rgbd_folder, 'score').names == ['000004', '000005']
    edit_meta(rgbd_folder, splits={'score': ['000005', '000001']})
    assert [frame.name for frame in RgbdFolder(rgbd_folder, 'score')] == ['000005', '000001']
    with pytest.raises(DatasetError, match="no split 'scores'; there are: score"):
        RgbdFolder(rgbd_folder, 'scores')
    edit_meta(rgbd_folder, splits=None)
    with pytest.raises(DatasetError, match='there are: none'):
        RgbdFolder(rgbd_folder, 'score')
    for wrong in ({'score': []}, {'score': 'all'}, ['score']):
        edit_meta(rgbd_folder, splits=wrong)
        with pytest.raises(DatasetError, match=r'meta\.json.*split'):
            RgbdFolder(rgbd_folder, 'score')


def test_order_is_by_stamp_then_by_number(rgbd_folder: Path) -> None:
    for kind in ('rgb', 'depth'):
        for index, name in enumerate(['a_10', 'a_9', 'a_1', 'b', '10', '9']):
            (rgbd_folder / kind / f'00000{index}.png').rename(rgbd_folder / kind / f'{name}.png')
    edit_meta(rgbd_folder, stamps=None, splits=None)
    assert RgbdFolder(rgbd_folder).names == ['9', '10', 'a_1', 'a_9', 'a_10', 'b']
    edit_meta(rgbd_folder, stamps={'b': 1, 'a_9': 2, '10': 3, '9': 4, 'a_1': 5, 'a_10': 6})
    assert RgbdFolder(rgbd_folder).names == ['b', 'a_9', '10', '9', 'a_1', 'a_10']


def test_intrinsics_of_single_frames(rgbd_folder: Path, small_camera: Intrinsics) -> None:
    edit_meta(rgbd_folder, frame_intrinsics={
        '000001': {'fx': 50, 'fy': 51, 'cx': 30, 'cy': 20}, '000003': {'fx': 50}})
    data = RgbdFolder(rgbd_folder)
    assert data[0].intrinsics == small_camera
    assert data[1].intrinsics == Intrinsics(64, 48, 50., 51., 30., 20.)
    with pytest.raises(FrameError, match=r'meta\.json, frame 000003'):
        data[3]
    assert len(list(data)) == 5
    # Intrinsics given by hand hold for every frame.
    mine = Intrinsics(64, 48, 40., 40., 30., 20.)
    assert {frame.intrinsics for frame in RgbdFolder(rgbd_folder, intrinsics=mine)} == {mine}


def test_intrinsics_missing_and_given(rgbd_folder: Path, small_camera: Intrinsics) -> None:
    edit_meta(rgbd_folder, intrinsics=None)
    with pytest.raises(DatasetError, match=r'meta\.json.*--camera FILE\.yaml'):
        RgbdFolder(rgbd_folder)
    assert len(list(RgbdFolder(rgbd_folder, intrinsics=small_camera))) == 6
    with pytest.raises(DatasetError, match=r'64x48.*32x24'):
        RgbdFolder(rgbd_folder, intrinsics=small_camera.resized(32, 24))
    edit_meta(rgbd_folder, width=None, height=None)
    assert RgbdFolder(rgbd_folder, intrinsics=small_camera)[0].intrinsics == small_camera


@pytest.mark.parametrize(('fields', 'named'), [
    ({'width': None}, 'width'), ({'height': 'tall'}, 'tall'),
    ({'intrinsics': {'fx': 1, 'fy': 1, 'cx': 1}}, 'cy'),
    ({'intrinsics': {'fx': 0, 'fy': 1, 'cx': 1, 'cy': 1}}, 'fx'),
    ({'stamps': [1, 2]}, 'stamps'), ({'frame_intrinsics': 'no'}, 'frame_intrinsics'),
])
def test_wrong_fields_are_named_with_the_file(
        rgbd_folder: Path, fields: dict[str, Any], named: str) -> None:
    edit_meta(rgbd_folder, **fields)
    with pytest.raises(DatasetError, match=rf'meta\.json.*{named}') as caught:
        RgbdFolder(rgbd_folder)
    assert '\n' not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.sampled_from(['', '1', 'a']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(['fx', 'fy', 'cx', 'cy', 'model', 'coefficients', 'score', '000000']),
        inner, max_size=4), max_leaves=6)


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(['width', 'height', 'intrinsics', 'distortion', 'splits', 'stamps',
                              'frame_intrinsics']), value=JSON, split=st.booleans())
def test_any_value_of_any_field_is_read_or_refused(
        rgbd_folder: Path, field: str, value: object, split: bool) -> None:
    meta = json.loads((rgbd_folder / 'meta.json').read_text())
    (rgbd_folder / 'other').mkdir(exist_ok=True)
    (rgbd_folder / 'other' / 'meta.json').write_text(json.dumps({**meta, field: value}))
    if not (rgbd_folder / 'other' / 'rgb').exists():
        (rgbd_folder / 'other' / 'rgb').symlink_to(rgbd_folder / 'rgb')
    try:
        data = RgbdFolder(rgbd_folder / 'other', 'score' if split else None)
    except DatasetError as error:
        assert 'meta.json' in str(error)
        assert '\n' not in str(error)
    else:
        assert len(list(data)) + sum(data.skipped.values()) == len(data)


def test_missing_folders_and_files(rgbd_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='nowhere: no such folder'):
        RgbdFolder(tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DatasetError, match=r'empty/meta\.json is missing'):
        RgbdFolder(tmp_path / 'empty')
    for content in ('{"width": 64', '[]', b'\xff\xfe'):
        path = rgbd_folder / 'meta.json'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(DatasetError, match=re.escape(str(path))):
            RgbdFolder(rgbd_folder)


def test_folder_without_images(rgbd_folder: Path) -> None:
    for path in (rgbd_folder / 'rgb').iterdir():
        path.unlink()
    (rgbd_folder / 'rgb' / 'notes.txt').write_text('none')
    with pytest.raises(DatasetError, match='rgb: no images'):
        RgbdFolder(rgbd_folder)
    (rgbd_folder / 'rgb' / 'notes.txt').unlink()
    (rgbd_folder / 'rgb').rmdir()
    with pytest.raises(DatasetError, match='rgb: no such folder'):
        RgbdFolder(rgbd_folder)


def test_unlabelled_folder(rgbd_folder: Path) -> None:
    for path in (rgbd_folder / 'depth').iterdir():
        path.unlink()
    (rgbd_folder / 'depth').rmdir()
    data = RgbdFolder(rgbd_folder)
    assert not data.labelled
    assert [frame.depth for frame in data] == [None] * 6
    assert data.skipped == {}


def damage(folder: Path) -> dict[str, int]:
    """Damage frames 0 to 4 in five ways and return the reasons expected."""
    good = (folder / 'rgb' / '000000.png').read_bytes()
    (folder / 'rgb' / '000000.png').write_bytes(good[:len(good) // 2])
    cv2.imwrite(str(folder / 'rgb' / '000001.png'), np.zeros((24, 32, 3), np.uint8))
    (folder / 'depth' / '000002.png').unlink()
    cv2.imwrite(str(folder / 'depth' / '000003.png'), np.ones((48, 64), np.uint8))
    cv2.imwrite(str(folder / 'depth' / '000004.png'), np.ones((24, 64), np.uint16))
    return {'corrupt image': 1, 'image size is not the 64x48 of meta.json': 1, 'no depth file': 1,
            'depth is not one channel of 16 bit millimetres': 1,
            'depth and image differ in size': 1}


def test_bad_frames_are_skipped_counted_and_named(
        rgbd_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = damage(rgbd_folder)
    data = RgbdFolder(rgbd_folder)
    with caplog.at_level(logging.WARNING):
        assert [frame.name for frame in data] == ['000005']
    assert data.skipped == expected
    assert len(data) == 6
    warned = [record.getMessage() for record in caplog.records]
    for index in range(5):
        assert sum(f'00000{index}.png' in line for line in warned) == 1
    # A second pass counts no frame twice.
    assert len(list(data)) == 1
    assert data.skipped == expected
    # Without depth only the images matter.
    images = RgbdFolder(rgbd_folder, read_depth=False)
    assert len(list(images)) == 4


def test_get_counts_and_getitem_raises(rgbd_folder: Path) -> None:
    damage(rgbd_folder)
    data = RgbdFolder(rgbd_folder)
    with pytest.raises(FrameError, match=r'000003\.png: depth is not') as caught:
        data[3]
    assert caught.value.reason == 'depth is not one channel of 16 bit millimetres'
    assert data.skipped == {}
    assert data.get(3) is None
    assert data.get(5) is not None
    assert data.skipped == {caught.value.reason: 1}


def test_a_split_that_names_frames_that_are_gone(rgbd_folder: Path) -> None:
    (rgbd_folder / 'rgb' / '000004.png').unlink()
    data = RgbdFolder(rgbd_folder, 'score')
    assert (len(data), [frame.name for frame in data]) == (2, ['000005'])
    assert data.skipped == {'no image file': 1}


def test_many_bad_frames_do_not_flood_the_log(
        rgbd_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for path in (rgbd_folder / 'depth').iterdir():
        path.write_bytes(b'')
    data = RgbdFolder(rgbd_folder)
    with caplog.at_level(logging.WARNING):
        assert list(data) == []
    assert data.skipped == {'corrupt depth': 6}
    assert len(caplog.records) == WARNINGS_PER_REASON + 1
    assert 'only counted' in caplog.records[-1].getMessage()


def test_workers_can_take_it_along(rgbd_folder: Path) -> None:
    copy = pickle.loads(pickle.dumps(RgbdFolder(rgbd_folder, 'adapt')))
    assert [frame.name for frame in copy] == copy.names


FOLDERS = {
    'd435_lab_floor': (120, 66, 48), 'kinect1_7scenes_redkitchen': (120, 66, 48),
    'kinect1_nyu_cafe': (80, 44, 32), 'kinect1_osd_tabletop': (40, 22, 16),
    'kinect1_tum_fr1': (140, 77, 56), 'xtion_ist_a': (106, 79, 27), 'xtion_ist_b': (122, 82, 40),
    'kitti_odom_04': (51, 28, 21), 'kitti_raw_0926': (51, 28, 21),
}


@pytest.mark.parametrize('name', FOLDERS)
def test_real_cameras(shared_data: Path, name: str) -> None:
    data = RgbdFolder(shared_data / name)
    splits = [len(RgbdFolder(shared_data / name, split)) for split in ('adapt', 'score')]
    assert (len(data), *splits) == FOLDERS[name]
    for index in (0, len(data) // 2, len(data) - 1):
        frame = data[index]
        assert frame.depth is not None
        median = float(np.nanmedian(frame.depth))
        assert .4 < median < 20
        # meta.json states the median of all frames: one frame is within a factor of three.
        assert 1 / 3 < median / data.meta['depth_stats']['median_m'] < 3


@pytest.mark.parametrize(('name', 'count'), [('plain_nyu', 32), ('plain_scannet', 30)])
def test_real_images_without_depth_or_intrinsics(
        shared_data: Path, name: str, count: int) -> None:
    with pytest.raises(DatasetError, match='--camera'):
        RgbdFolder(shared_data / name)
    height = 478 if name == 'plain_scannet' else 480
    data = RgbdFolder(shared_data / name,
                      intrinsics=Intrinsics(640, height, 520., 520., 320., 240.))
    assert len(data) == count
    assert data[0].depth is None
