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

"""Opening bags of every storage: folders without metadata, split bags, ROS 1, foreign files."""

from pathlib import Path
import shutil

from bag_messages import image, picture, recording, SECOND, storage_file, STORE, write_bag
import pytest
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

from mde_ros.datasets.bag_file import BagFile, is_bag
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.frame import DatasetError


def stamps(path: Path) -> list[int]:
    with BagFile(path) as bag:
        return [record.log_ns for record in bag.records(['/cam/image_raw'])]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_types_counts_and_messages(tmp_path: Path, storage: str) -> None:
    with BagFile(write_bag(tmp_path / 'bag', recording(2), storage)) as bag:
        assert bag.types == {'/cam/camera_info': 'sensor_msgs/msg/CameraInfo',
                             '/cam/image_raw': 'sensor_msgs/msg/Image',
                             '/cam/depth/image_rect': 'sensor_msgs/msg/Image'}
        assert set(bag.counts.values()) == {2}
        record, _ = bag.records(['/cam/image_raw'])
        assert record.log_ns == SECOND + 1_000_000  # the second message
        assert bag.message(record).encoding == 'rgb8'
        assert bag.first('/cam/camera_info').width == 8
        assert bag.damage == []


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_folder_without_metadata_is_read_file_by_file(tmp_path: Path, storage: str) -> None:
    folder = tmp_path / 'bag'
    folder.mkdir()
    # ros2 bag record splits long recordings: bag_0, bag_1, ... bag_10.
    for number in (0, 1, 10):
        once = recording(1)
        once[1][1].header.stamp.sec = 10 + number
        part = storage_file(write_bag(tmp_path / f'part{number}', once, storage))
        shutil.move(part, folder / f'bag_{number}{part.suffix}')
    with BagFile(folder) as bag:
        assert bag.counts['/cam/image_raw'] == 3
        read = [bag.message(record).header.stamp.sec for record in bag.records(['/cam/image_raw'])]
    assert read == [10, 11, 20]


@pytest.mark.parametrize('mode', [CompressionMode.FILE, CompressionMode.MESSAGE,
                                  CompressionMode.STORAGE])
def test_compressed_bags(tmp_path: Path, mode: CompressionMode) -> None:
    writer = Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    message = image(picture(), 'rgb8')
    with writer:
        connection = writer.add_connection('/cam/image_raw', message.__msgtype__, typestore=STORE)
        writer.write(connection, 5, STORE.serialize_cdr(message, message.__msgtype__))
    with BagFile(tmp_path / 'bag') as bag:
        assert bag.first('/cam/image_raw').data.tobytes() == picture().tobytes()


def test_ros_1_bags_are_read_too(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS1_NOETIC)
    pixels = picture()
    header = store.types['std_msgs/msg/Header'](
        7, store.types['builtin_interfaces/msg/Time'](3, 5), 'camera')
    with Writer1(tmp_path / 'old.bag') as writer:
        for topic, name, fields in (
                ('/cam/image_raw', 'sensor_msgs/msg/Image',
                 {'height': 6, 'width': 8, 'encoding': 'rgb8', 'is_bigendian': 0, 'step': 24,
                  'data': pixels.reshape(-1)}),
                ('/cam/camera_info', 'sensor_msgs/msg/CameraInfo', _info_of_ros_1(store))):
            connection = writer.add_connection(topic, name, typestore=store)
            message = store.types[name](header=header, **fields)
            writer.write(connection, SECOND, store.serialize_ros1(message, name))
    (frame,) = BagFrames(tmp_path / 'old.bag')
    assert frame.stamp_ns == 3 * SECOND + 5
    assert (frame.image == pixels).all()
    assert frame.intrinsics.fx == 50.


def _info_of_ros_1(store) -> dict:  # type: ignore[no-untyped-def, type-arg]
    import numpy as np
    return {'height': 6, 'width': 8, 'distortion_model': 'plumb_bob', 'D': np.zeros(5),
            'K': np.array([50., 0, 4, 0, 50., 3, 0, 0, 1]), 'R': np.eye(3).reshape(-1),
            'P': np.array([50., 0, 4, 0, 0, 50., 3, 0, 0, 0, 1, 0]), 'binning_x': 0,
            'binning_y': 0,
            'roi': store.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)}


def test_a_broken_definition_of_another_type_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / 'bag'
    message = image(picture(), 'rgb8')
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, name, definition in (
                ('/odd', 'odd_msgs/msg/Odd', 'this is : no [definition'),
                ('/cam/image_raw', message.__msgtype__, None)):
            connection = writer.add_connection(
                topic, name, typestore=STORE, msgdef=definition,
                rihs01='RIHS01_' + '0' * 64 if definition else None)
            writer.write(connection, 1, STORE.serialize_cdr(message, message.__msgtype__))
    assert stamps(path) == [1]


def test_bytes_of_another_type_are_named(tmp_path: Path) -> None:
    with BagFile(write_bag(tmp_path / 'bag', recording(1))) as bag:
        (record,) = bag.records(['/cam/image_raw'])
        with pytest.raises(DatasetError, match='a message on /cam/image_raw of 9 bytes is no '
                                               'sensor_msgs/msg/Image'):
            bag.message(record._replace(raw=record.raw[:9]))


@pytest.mark.parametrize(('name', 'data', 'text'), [
    ('absent.mcap', None, 'no such file'),
    ('text.txt', b'x', 'expected a file .mcap, .db3 or .bag'),
    ('empty.mcap', b'', 'seems to be empty'),
    ('foreign.mcap', b'GIF89a' * 50, 'magic'),
    ('foreign.db3', b'GIF89a' * 50, 'not a database'),
    ('empty.db3', b'', 'missing tables'),
    ('foreign.bag', b'GIF89a' * 50, 'magic'),
])
def test_foreign_files_are_named(tmp_path: Path, name: str, data: bytes | None,
                                 text: str) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DatasetError, match=text) as caught:
        BagFile(path)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_folder_that_is_no_bag(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='no bag'):
        BagFile(tmp_path)
    (tmp_path / 'metadata.yaml').write_text('[no: bag')
    with pytest.raises(DatasetError, match='not readable as a bag'):
        BagFile(tmp_path)


def test_bags_are_told_by_name(tmp_path: Path) -> None:
    assert is_bag(Path('x.mcap')) and is_bag(Path('x.db3')) and is_bag(Path('x.bag'))
    assert not is_bag(Path('x.png')) and not is_bag(tmp_path)
    assert is_bag(write_bag(tmp_path / 'bag', recording(1)))
