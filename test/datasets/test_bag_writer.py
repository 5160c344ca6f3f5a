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

"""Written bags: what is in them, storages, single files, atomic, deterministic."""

import os
from pathlib import Path
import sqlite3
from typing import Any

from bag_messages import file_of, picture
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Writer
import yaml

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.bag_writer import BagWriter
from mde_ros.datasets.frame import DatasetError, Frame

CAMERA = Intrinsics(8, 6, 10., 11., 3.5, 2.5)
LENS = Intrinsics(8, 6, 10., 11., 3.5, 2.5, 'equidistant', (.1, .2, .3, .4))
DEPTH = np.array([[.5, 1.234, 60., float('nan')] * 2] * 6, np.float32)


def frame(number: int = 0, stamp: int = 0, camera: Intrinsics = CAMERA,
          depth: np.ndarray | None = DEPTH) -> Frame:
    return Frame(f'{number}', stamp, picture(seed=number), camera, depth)


def messages(path: Path) -> dict[str, list[Any]]:
    """Read a bag with the library alone, by the definitions in it."""
    with AnyReader([path]) as reader:
        read: dict[str, list[Any]] = {}
        for connection, log_ns, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            stamp = message.header.stamp  # type: ignore[attr-defined]
            assert stamp.sec * 10**9 + stamp.nanosec == log_ns
            read.setdefault(connection.topic, []).append(message)
        return read


@pytest.mark.parametrize('name', ['a.mcap', 'a.db3', 'folder'])
def test_raw_messages(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with BagWriter(path) as writer:
        writer.write(frame(stamp=1_700_000_000_123_456_789))
        assert not path.exists()
    assert os.listdir(tmp_path) == [name]
    assert path.is_dir() == (name == 'folder')
    read = messages(path)
    assert writer.counts == dict.fromkeys(read, 1)
    assert sorted(read) == ['/camera/camera_info', '/camera/depth/camera_info',
                            '/camera/depth/image_rect', '/camera/image_raw']
    image, = read['/camera/image_raw']
    assert (image.height, image.width, image.encoding, image.step, image.is_bigendian) == (
        6, 8, 'rgb8', 24, 0)
    assert image.data.tobytes() == picture().tobytes()
    stamp = image.header.stamp
    assert (stamp.sec, stamp.nanosec) == (1_700_000_000, 123_456_789)
    depth, = read['/camera/depth/image_rect']
    assert (depth.encoding, depth.step) == ('32FC1', 32)
    np.testing.assert_array_equal(depth.data.view(np.float32).reshape(6, 8), DEPTH)
    for topic in read:
        assert read[topic][0].header.frame_id == 'camera_optical_frame'
        assert read[topic][0].header.stamp == stamp


def test_camera_info(tmp_path: Path) -> None:
    for name, camera in (('none', CAMERA), ('lens', LENS)):
        with BagWriter(tmp_path / name) as writer:
            writer.write(frame(camera=camera))
        info, = messages(tmp_path / name)['/camera/camera_info']
        assert (info.width, info.height) == (8, 6)
        assert info.k.tolist() == [10, 0, 3.5, 0, 11, 2.5, 0, 0, 1]
        assert info.p.tolist() == [10, 0, 3.5, 0, 0, 11, 2.5, 0, 0, 0, 1, 0]
        assert info.r.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (info.distortion_model, info.d.tolist()) == ('equidistant', [.1, .2, .3, .4])
    (read,) = BagFrames(tmp_path / 'lens')
    assert read.intrinsics == LENS
    (read,) = BagFrames(tmp_path / 'none')
    assert read.intrinsics == CAMERA


@pytest.mark.parametrize('depth', ['16UC1', 'compressedDepth', 'rvl'])
def test_millimetres(tmp_path: Path, depth: str) -> None:
    with BagWriter(tmp_path / 'bag', image='compressed', depth=depth) as writer:
        writer.write(frame())
    read = messages(tmp_path / 'bag')
    if depth == '16UC1':
        message, = read['/camera/depth/image_rect']
        assert message.data.view(np.uint16)[:4].tolist() == [500, 1234, 60000, 0]
    else:
        message, = read['/camera/depth/image_rect/compressedDepth']
        assert message.format == '16UC1; compressedDepth ' + ('rvl' if depth == 'rvl' else 'png')
    (back,) = BagFrames(tmp_path / 'bag')
    np.testing.assert_allclose(back.depth, DEPTH, rtol=1e-6)


def test_files_are_taken_as_they_are(tmp_path: Path) -> None:
    jpeg, png = file_of(picture()), file_of(picture(), '.png')
    with BagWriter(tmp_path / 'bag', image='compressed') as writer:
        writer.write(frame(0), jpeg)
        writer.write(frame(1), png)
        writer.write(frame(2))
    read = messages(tmp_path / 'bag')['/camera/image_raw/compressed']
    assert [message.format for message in read] == [
        'rgb8; jpeg compressed bgr8', 'rgb8; png compressed bgr8', 'rgb8; jpeg compressed bgr8']
    assert read[0].data.tobytes() == jpeg and read[1].data.tobytes() == png
    encoded = [file for _, file in BagFrames(tmp_path / 'bag').encoded()]
    assert encoded[:2] == [jpeg, png]
    assert encoded[2] is not None and encoded[2].startswith(b'\xff\xd8')


def test_topics_and_frame_id(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', image_topic='front/image', depth_topic='/front/d/image',
                   frame_id='front') as writer:
        writer.write(frame())
    read = messages(tmp_path / 'bag')
    assert sorted(read) == ['/front/camera_info', '/front/d/camera_info', '/front/d/image',
                            '/front/image']
    assert read['/front/image'][0].header.frame_id == 'front'


def test_frames_without_stamps_follow_the_rate(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', rate=30.) as writer:
        for number, stamp in enumerate((0, 0, 0, 5_000_000_000, 0, 0)):
            writer.write(frame(number, stamp))
    assert [read.stamp_ns for read in BagFrames(tmp_path / 'bag')] == [
        1_000_000_000, 1_033_333_333, 1_066_666_667, 5_000_000_000, 5_033_333_333, 5_066_666_667]


def test_unlabelled_frames_have_no_depth_topics(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as writer:
        writer.write(frame(depth=None))
    assert sorted(messages(tmp_path / 'bag')) == ['/camera/camera_info', '/camera/image_raw']


def test_metadata_names_the_file(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'walk') as writer:
        writer.write(frame())
    assert sorted(os.listdir(tmp_path / 'walk')) == ['metadata.yaml', 'walk.mcap']
    metadata = yaml.safe_load((tmp_path / 'walk' / 'metadata.yaml').read_text())
    information = metadata['rosbag2_bagfile_information']
    assert information['relative_file_paths'] == ['walk.mcap']
    assert information['message_count'] == 4
    # ros2 bag info of a single file reads the same from within it.
    with BagWriter(tmp_path / 'one.mcap') as writer:
        writer.write(frame())
    data = (tmp_path / 'one.mcap').read_bytes()
    assert data.startswith(b'\x89MCAP0\r\n') and data.endswith(b'\x89MCAP0\r\n')
    assert b'serialized_metadata' in data and b'- one.mcap' in data


@pytest.mark.parametrize('name', ['a.mcap', 'a.db3'])
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    written = []
    for folder in ('one', 'two'):
        with BagWriter(tmp_path / folder / name, image='compressed') as writer:
            for number in range(3):
                writer.write(frame(number))
        written.append((tmp_path / folder / name).read_bytes())
    assert written[0] == written[1]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    for name in ('a.mcap', 'folder'):
        with pytest.raises(RuntimeError), BagWriter(tmp_path / name) as writer:
            writer.write(frame())
            raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / 'a.mcap')
    writer.write(frame())
    writer.close()
    writer.close()
    writer.abort()
    assert len(BagFrames(tmp_path / 'a.mcap')) == 1


@pytest.mark.parametrize(('options', 'text'), [
    ({'storage': 'bag'}, "storage 'bag': use one of mcap, sqlite3"),
    ({'storage': 'sqlite3'}, 'a file .mcap has storage mcap, not sqlite3'),
    ({'image': 'png'}, "image format 'png': use one of raw, compressed"),
    ({'depth': 'png'}, "depth format 'png': use one of 32FC1, 16UC1, compressedDepth, rvl"),
    ({'rate': 0.}, 'rate = 0'),
])
def test_wrong_parameters_are_named(tmp_path: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(DatasetError, match=text):
        BagWriter(tmp_path / 'a.mcap', **options)
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / 'a.mcap').write_text('mine')
    with pytest.raises(DatasetError, match='exists already'):
        BagWriter(tmp_path / 'a.mcap')
    writer = BagWriter(tmp_path / 'b.mcap')
    writer.write(frame())
    (tmp_path / 'b.mcap').write_text('mine')
    with pytest.raises(DatasetError, match='meanwhile'):
        writer.close()
    assert (tmp_path / 'b.mcap').read_text() == 'mine'


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(DatasetError, match='cannot write there'):
        BagWriter(tmp_path / 'file' / 'a.mcap')


@pytest.mark.parametrize('error', [OSError(28, 'No space left on device'),
                                   sqlite3.OperationalError('No space left on disk')])
@pytest.mark.parametrize('step', ['write', 'close'])
def test_a_full_disk_is_named_and_leaves_nothing(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, step: str) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(Writer, step, full)
    with pytest.raises(DatasetError, match=r'a\.mcap: cannot .*No space left'), \
            BagWriter(tmp_path / 'a.mcap') as writer:
        writer.write(frame())
    assert os.listdir(tmp_path) == []


def test_sizes_must_fit(tmp_path: Path) -> None:
    wrong = Frame('x', 0, picture(9, 6), CAMERA)
    with pytest.raises(DatasetError, match=r'frame x: .*8x6'), BagWriter(tmp_path / 'a') as writer:
        writer.write(wrong)
    wrong = Frame('y', 0, picture(), CAMERA, DEPTH[:5])
    with pytest.raises(DatasetError, match=r'frame y: .*8x6'), BagWriter(tmp_path / 'a') as writer:
        writer.write(wrong)
