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

"""Writing frames as a bag that ``ros2 bag play`` and this package's reader take."""

from collections.abc import Mapping
import os
from pathlib import Path
import shutil
import sqlite3
import tempfile
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.typesys import get_typestore, Stores

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_notes import PREFIX
from mde_ros.datasets.compressed_depth import encode_compressed_depth
from mde_ros.datasets.depth_codec import depth_to_image_fields
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_codec import rgb_to_image_fields
from mde_ros.datasets.image_message import ImageFields

IMAGE_FORMATS = ('raw', 'compressed')
DEPTH_FORMATS = ('32FC1', '16UC1', 'compressedDepth', 'rvl')
STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
SUFFIXES = {'.mcap': 'mcap', '.db3': 'sqlite3'}
# What a full disk raises through the storages.
WRITE_ERRORS = (OSError, sqlite3.Error, WriterError)
FIRST_STAMP_NS = 1_000_000_000  # never 0, which means 'no stamp' and 'latest transform' in ROS


class BagWriter:
    """
    Writes frames into a bag; it appears under its name only when it is complete.

    Per frame: camera_info, the image and, where the frame has one, depth with its camera_info,
    all with the same stamp and frame_id.

    :param path: NAME.mcap or NAME.db3 writes that single file, any other name the folder of
        ``ros2 bag record`` with its metadata.yaml. Must not exist.
    :param storage: 'mcap' or 'sqlite3'; None goes by the name, MCAP for folders.
    :param image: 'raw' (rgb8) or 'compressed' (JPEG).
    :param depth: '32FC1' (metres), '16UC1' (millimetres), 'compressedDepth' (16UC1 as PNG) or
        'rvl' (16UC1 as RVL).
    :param image_topic: without '/compressed', which is appended; its camera_info is beside it.
    :param depth_topic: without '/compressedDepth'.
    :param jpeg_quality: of frames that come without their JPEG, 1 to 100.
    :param png_level: compression of compressedDepth, 0 to 9: 9 halves the size and takes ten times
        as long.
    :param rate: Hz, for frames without a stamp: the first is at 1 s.
    :param notes: camera, licence, source and so on, for the bag's metadata; read_notes reads them.
    :raises DatasetError: for wrong parameters, or where the path cannot be written.
    """

    def __init__(self, path: str | Path, storage: str | None = None, *, image: str = 'raw',
                 depth: str = '32FC1', image_topic: str = '/camera/image_raw',
                 depth_topic: str = '/camera/depth/image_rect',
                 frame_id: str = 'camera_optical_frame', jpeg_quality: int = 95,
                 png_level: int = 1,
                 rate: float = 30., notes: Mapping[str, str] | None = None) -> None:
        self.path = Path(path)
        suffix_storage = SUFFIXES.get(self.path.suffix)
        self.storage = storage or suffix_storage or 'mcap'
        self._image, self._depth = image, depth
        self._image_topic, self._depth_topic = _absolute(image_topic), _absolute(depth_topic)
        self._frame_id, self._jpeg_quality, self._rate = frame_id, jpeg_quality, rate
        self._png_level = png_level
        self.counts: dict[str, int] = {}
        for what, value, allowed in (('storage', self.storage, tuple(STORAGES)),
                                     ('image format', image, IMAGE_FORMATS),
                                     ('depth format', depth, DEPTH_FORMATS)):
            if value not in allowed:
                raise DatasetError(f"{what} '{value}': use one of {', '.join(allowed)}")
        if suffix_storage and suffix_storage != self.storage:
            raise DatasetError(f'{self.path}: a file {self.path.suffix} has storage '
                               f'{suffix_storage}, not {self.storage}')
        if not rate > 0:
            raise DatasetError(f'rate = {rate}: must be more than 0 Hz')
        if self.path.exists():
            raise DatasetError(f'{self.path} exists already: remove it or give another name')
        self._single_file = suffix_storage is not None
        self._unstamped = 0
        self._base = FIRST_STAMP_NS
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Any] = {}
        self._writer: Writer | None = None
        self._open(notes or {})

    def __enter__(self) -> 'BagWriter':
        """Return the writer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Finish the bag, or remove what there is of it after an error."""
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, frame: Frame, jpeg_bytes: bytes | None = None) -> None:
        """
        Write one frame.

        :param jpeg_bytes: the JPEG or PNG file that the image was read from; a bag of
            compressed images takes it as it is.
        :raises DatasetError: when the disk is full, or the image does not fit its intrinsics.
        """
        camera = frame.intrinsics
        size = (camera.height, camera.width)
        if frame.image.shape != (*size, 3) or (
                frame.depth is not None and frame.depth.shape != size):
            raise DatasetError(f'frame {frame.name}: image {frame.image.shape} and its depth must '
                               f'have the size of the intrinsics, {camera.width}x{camera.height}')
        stamp = self._stamp(frame)
        try:
            info = self._info(camera, stamp)
            self._put(_beside(self._image_topic), stamp, info)
            if self._image == 'raw':
                fields = rgb_to_image_fields(frame.image)
                self._put(self._image_topic, stamp, self._raw(fields, stamp))
            else:
                data = jpeg_bytes or _jpeg(frame.image, self._jpeg_quality)
                kind = 'png' if data.startswith(b'\x89PNG') else 'jpeg'
                self._put(self._image_topic + '/compressed', stamp, self._compressed(
                    f'rgb8; {kind} compressed bgr8', data, stamp))
            if frame.depth is not None:
                self._put(_beside(self._depth_topic), stamp, info)
                self._put_depth(frame, stamp)
        except WRITE_ERRORS as error:
            raise DatasetError(f'{self.path}: cannot write frame {frame.name}: {error}') from error

    def close(self) -> None:
        """Finish the bag and give it its name; nothing when it is finished already."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        try:
            writer.close()
            made = writer.path
            if self._single_file:
                made = made / self.path.name
            if self.path.exists():
                raise DatasetError(f'{self.path} was made by another program meanwhile')
            os.rename(made, self.path)
        except WRITE_ERRORS as error:
            raise DatasetError(f'{self.path}: cannot finish the bag: {error}') from error
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)

    def abort(self) -> None:
        """Remove what was written."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abort()
        shutil.rmtree(self._aside, ignore_errors=True)

    def _open(self, notes: Mapping[str, str]) -> None:
        # The library names the storage file after its folder: a folder of the final name, in a
        # hidden one beside the goal, so that the last step is one rename on one disk.
        name = self.path.stem if self._single_file else self.path.name
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._aside = Path(tempfile.mkdtemp(prefix=f'.{self.path.name}.',
                                                dir=self.path.parent))
            # Version 8 and not 9: older distributions read it too (9 changes how QoS is noted).
            writer = Writer(self._aside / name, version=8,
                            storage_plugin=STORAGES[self.storage])
            for key, value in notes.items():
                writer.set_custom_data(PREFIX + key, value)
            writer.open()
            self._writer = writer
        except WRITE_ERRORS as error:
            raise DatasetError(f'{self.path}: cannot write there: {error}') from error

    def _stamp(self, frame: Frame) -> int:
        if frame.stamp_ns > 0:
            self._base, self._unstamped = frame.stamp_ns, 1
            return frame.stamp_ns
        stamp = self._base + round(self._unstamped * 1e9 / self._rate)
        self._unstamped += 1
        return stamp

    def _put(self, topic: str, stamp: int, message: Any) -> None:
        assert self._writer is not None, 'the bag is finished'
        kind = message.__msgtype__
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._types)
        data = self._types.serialize_cdr(message, kind)
        self._writer.write(self._connections[topic], stamp, data)
        self.counts[topic] = self.counts.get(topic, 0) + 1

    def _put_depth(self, frame: Frame, stamp: int) -> None:
        assert frame.depth is not None
        if self._depth in ('32FC1', '16UC1'):
            fields = depth_to_image_fields(frame.depth, self._depth)
            self._put(self._depth_topic, stamp, self._raw(fields, stamp))
            return
        layout, data = encode_compressed_depth(
            frame.depth, '16UC1', codec='rvl' if self._depth == 'rvl' else 'png',
            png_level=self._png_level)
        self._put(self._depth_topic + '/compressedDepth', stamp,
                  self._compressed(layout, data, stamp))

    def _message(self, name: str) -> Any:
        return self._types.types[name]

    def _header(self, stamp: int) -> Any:
        time = self._message('builtin_interfaces/msg/Time')(*divmod(stamp, 1_000_000_000))
        return self._message('std_msgs/msg/Header')(time, self._frame_id)

    def _raw(self, fields: ImageFields, stamp: int) -> Any:
        return self._message('sensor_msgs/msg/Image')(
            header=self._header(stamp), height=fields.height, width=fields.width,
            encoding=fields.encoding, is_bigendian=0, step=fields.step, data=fields.data)

    def _compressed(self, layout: str, data: bytes, stamp: int) -> Any:
        return self._message('sensor_msgs/msg/CompressedImage')(
            header=self._header(stamp), format=layout, data=np.frombuffer(data, np.uint8))

    def _info(self, camera: Intrinsics, stamp: int) -> Any:
        lens = camera.distortion_model, camera.distortion
        if camera.distortion_model == 'none':
            lens = 'plumb_bob', (0.,) * 5
        projection = np.zeros((3, 4))
        projection[:, :3] = camera.matrix
        return self._message('sensor_msgs/msg/CameraInfo')(
            header=self._header(stamp), height=camera.height, width=camera.width,
            distortion_model=lens[0], d=np.array(lens[1], np.float64),
            k=camera.matrix.reshape(-1), r=np.eye(3).reshape(-1), p=projection.reshape(-1),
            binning_x=0, binning_y=0, roi=self._message('sensor_msgs/msg/RegionOfInterest')(
                x_offset=0, y_offset=0, height=0, width=0, do_rectify=False))


def _absolute(topic: str) -> str:
    return topic if topic.startswith('/') else '/' + topic


def _beside(topic: str) -> str:
    return topic.rpartition('/')[0] + '/camera_info'


def _jpeg(image: Any, quality: int) -> bytes:
    done, data = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
                              [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise DatasetError(f'OpenCV could not encode an image {image.shape} as JPEG')
    return bytes(data.tobytes())
