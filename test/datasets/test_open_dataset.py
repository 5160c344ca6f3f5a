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

"""Opening a data set by its path."""

from pathlib import Path

from bag_messages import recording, storage_file, write_bag
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.datasets.rgbd_folder import RgbdFolder


def test_folders(rgbd_folder: Path) -> None:
    whole = open_dataset(rgbd_folder)
    assert isinstance(whole, RgbdFolder) and len(whole) == 6
    score = open_dataset(str(rgbd_folder), split='score', read_depth=False, slop_ns=5,
                         image_topic=None)
    assert [frame.depth for frame in score] == [None, None]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_bags(tmp_path: Path, storage: str) -> None:
    folder = write_bag(tmp_path / 'bag', recording(2), storage)
    for path in (folder, str(storage_file(folder))):
        source = open_dataset(path)
        assert isinstance(source, BagFrames) and len(source) == 2
        assert [frame.depth is not None for frame in source] == [True, True]
    assert [frame.depth for frame in open_dataset(folder, read_depth=False)] == [None, None]


def test_options_reach_the_bag(tmp_path: Path) -> None:
    folder = write_bag(tmp_path / 'bag', recording(2, depth_after_ms=9))
    given = Intrinsics(8, 6, 5., 5., 4., 3.)
    source = open_dataset(folder, intrinsics=given, slop_ns=8_000_000, rectified=True,
                          image_topic='/cam/image_raw', depth_topic=None)
    assert [(frame.intrinsics, frame.depth) for frame in source] == [(given, None)] * 2
    assert isinstance(source, BagFrames) and source.rectified


def test_given_intrinsics_reach_the_folder(rgbd_folder: Path) -> None:
    given = Intrinsics(64, 48, 5., 5., 4., 3.)
    assert next(iter(open_dataset(rgbd_folder, intrinsics=given))).intrinsics == given


def test_a_bag_has_no_split(tmp_path: Path) -> None:
    folder = write_bag(tmp_path / 'bag', recording(1))
    with pytest.raises(DatasetError, match='mde convert FOLDER BAG --split score'):
        open_dataset(folder, split='score')


def test_topics_are_not_for_folders(rgbd_folder: Path) -> None:
    with pytest.raises(DatasetError, match='image_topic are for bags'):
        open_dataset(rgbd_folder, image_topic='/x')


def test_what_is_no_data_set_is_told_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='no such file'):
        open_dataset(tmp_path / 'absent')
    with pytest.raises(DatasetError, match=r'expected an RGB-D folder with meta\.json.*folder'):
        open_dataset(tmp_path)
    (tmp_path / 'photo.jpg').write_bytes(b'x')
    with pytest.raises(DatasetError, match=r'\.mcap, \.db3, \.bag; this file is neither'):
        open_dataset(tmp_path / 'photo.jpg')
