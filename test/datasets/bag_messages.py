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

"""Messages and bags for the tests of this folder, made with nothing of the product."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

STORE = get_typestore(Stores.ROS2_JAZZY)
SECOND = 1_000_000_000


def kind(name: str) -> Any:
    return STORE.types[name]


def header(stamp: int = SECOND, frame_id: str = 'camera') -> Any:
    time = kind('builtin_interfaces/msg/Time')(*divmod(stamp, SECOND))
    return kind('std_msgs/msg/Header')(time, frame_id)


def image(pixels: np.ndarray, encoding: str, stamp: int = SECOND, *, step: int | None = None,
          big_endian: bool = False, **fields: Any) -> Any:
    """Return an Image of H x W (x C) pixels in native byte order; fields override."""
    height, width = pixels.shape[:2]
    row = pixels.dtype.itemsize * pixels[0].size
    step = row if step is None else step
    if big_endian:
        pixels = pixels.astype(pixels.dtype.newbyteorder('>'))
    data = b''.join(line.tobytes().ljust(step, b'\xaa') for line in pixels)
    values = {'header': header(stamp), 'height': height, 'width': width, 'encoding': encoding,
              'is_bigendian': int(big_endian), 'step': step,
              'data': np.frombuffer(data, np.uint8), **fields}
    return kind('sensor_msgs/msg/Image')(**values)


def compressed(data: bytes, layout: str, stamp: int = SECOND) -> Any:
    return kind('sensor_msgs/msg/CompressedImage')(
        header(stamp), layout, np.frombuffer(data, np.uint8))


def picture(width: int = 8, height: int = 6, seed: int = 0) -> np.ndarray:
    """Return smooth random RGB, so that JPEG keeps it nearly."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def file_of(rgb: np.ndarray, suffix: str = '.jpg') -> bytes:
    return cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def camera_info(stamp: int = SECOND, size: tuple[int, int] = (8, 6), focal: float = 10.,
                projected: float | None = None, lens: Iterable[float] = (0,) * 5) -> Any:
    """Return a CameraInfo with focal length ``focal`` in K and ``projected`` in P."""
    width, height = size
    cx, cy, p = width / 2 - .5, height / 2 - .5, focal if projected is None else projected
    return kind('sensor_msgs/msg/CameraInfo')(
        header=header(stamp), height=height, width=width, distortion_model='plumb_bob',
        d=np.array([*lens], np.float64),
        k=np.array([focal, 0, cx, 0, focal, cy, 0, 0, 1], np.float64),
        r=np.eye(3).reshape(-1),
        p=np.array([p, 0, cx, 0, 0, p, cy, 0, 0, 0, 1, 0], np.float64),
        binning_x=0, binning_y=0,
        roi=kind('sensor_msgs/msg/RegionOfInterest')(0, 0, 0, 0, False))


def write_bag(path: Path, messages: Iterable[tuple[str, Any]], storage: str = 'mcap') -> Path:
    """Write (topic, message) into a rosbag2 folder, recorded at 1 ms intervals; return it."""
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        connections: dict[str, Any] = {}
        for number, (topic, message) in enumerate(messages):
            name = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, name, typestore=STORE)
            writer.write(connections[topic], SECOND + number * 1_000_000,
                         STORE.serialize_cdr(message, name))
    return path


def storage_file(bag: Path) -> Path:
    return next(file for file in bag.iterdir() if file.suffix in ('.mcap', '.db3'))


def recording(count: int = 3, *, size: tuple[int, int] = (8, 6), step_ms: int = 100,
              depth_after_ms: int = 0, depth: bool = True,
              info: bool = True) -> list[tuple[str, Any]]:
    """Return images, infos and depth (1 m in frame 0, 2 m in frame 1, ...) of a camera."""
    messages: list[tuple[str, Any]] = []
    for number in range(count):
        stamp = SECOND + number * step_ms * 1_000_000
        if info:
            messages.append(('/cam/camera_info', camera_info(stamp, size)))
        messages.append(('/cam/image_raw', image(
            picture(*size, seed=number), 'rgb8', stamp)))
        if depth:
            metres = np.full(size[::-1], number + 1., np.float32)
            messages.append(('/cam/depth/image_rect', image(
                metres, '32FC1', stamp + depth_after_ms * 1_000_000)))
    return messages
