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

"""Messages from arrays, filled in place: pure functions without a node."""

from array import array

from builtin_interfaces.msg import Time
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

from mde_ros.camera.cloud import write_points
from mde_ros.camera.intrinsics import Intrinsics

# Bytes of a point: 'pcl' is x y z _ rgb _ _ _ as PCL and depth_image_proc write it, which other
# nodes take without a copy; 'compact' is x y z rgb, half the traffic.
POINT_STEPS = {'pcl': 32, 'compact': 16}
_RGB_OFFSETS = {'pcl': 16, 'compact': 12}


def stamp_ns(header: Header) -> int:
    """Return a header's stamp in nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def header_at(nanoseconds: int, frame_id: str) -> Header:
    """Return a header of a time in nanoseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return Header(stamp=Time(sec=seconds, nanosec=rest), frame_id=frame_id)


def buffer_of(message: Image | PointCloud2 | CompressedImage, size: int) -> NDArray[np.uint8]:
    """
    Return the ``size`` bytes of a message's data, to be written in place.

    A message that is reused keeps its memory; assigning bytes or arrays to ``data`` would
    copy them, or check them one by one on older distributions.
    """
    if len(message.data) != size:
        message.data = array('B', bytes(size))
    return np.frombuffer(message.data, np.uint8)


def fill_image(message: Image, pixels: NDArray[np.generic], encoding: str,
               header: Header) -> Image:
    """
    Write an image into a message and return it.

    :param pixels: H x W (x C) of the type that the encoding means, native little-endian.
    """
    height, width = pixels.shape[:2]
    target = buffer_of(message, pixels.nbytes)
    np.copyto(target.view(pixels.dtype).reshape(pixels.shape), pixels)
    message.header = header
    message.height, message.width = height, width
    message.encoding, message.is_bigendian = encoding, 0
    message.step = pixels.nbytes // height
    return message


def fill_compressed(message: CompressedImage, form: str, data: bytes | memoryview,
                    header: Header) -> CompressedImage:
    """Write a compressed image into a message and return it."""
    message.header, message.format = header, form
    content = array('B')
    content.frombytes(data)
    message.data = content
    return message


def camera_info(intrinsics: Intrinsics, header: Header) -> CameraInfo:
    """Return the CameraInfo of an image with these intrinsics; P is K, there is no rotation."""
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy
    model = intrinsics.distortion_model
    return CameraInfo(
        header=header, width=intrinsics.width, height=intrinsics.height,
        distortion_model='plumb_bob' if model == 'none' else model,
        # Zeros rather than nothing: old consumers read five coefficients.
        d=list(intrinsics.distortion) or [0.] * 5,
        k=[fx, 0., cx, 0., fy, cy, 0., 0., 1.], r=[1., 0., 0., 0., 1., 0., 0., 0., 1.],
        p=[fx, 0., cx, 0., 0., fy, cy, 0., 0., 0., 1., 0.])


def point_fields(layout: str) -> list[PointField]:
    """Return the fields of a layout: x, y, z and rgb, all float32."""
    offsets = {'x': 0, 'y': 4, 'z': 8, 'rgb': _RGB_OFFSETS[layout]}
    return [PointField(name=name, offset=offset, datatype=PointField.FLOAT32, count=1)
            for name, offset in offsets.items()]


def fill_points(message: PointCloud2, depth: NDArray[np.float32], intrinsics: Intrinsics,
                image: NDArray[np.uint8], header: Header, *, stride: int = 1,
                layout: str = 'pcl') -> PointCloud2:
    """
    Write an organised cloud into a message and return it.

    Every point of an invalid (not finite) depth is NaN in x, y and z and keeps its colour. The
    bits of ``rgb`` are 0x00RRGGBB.

    :param depth: H x W metres along the optical axis.
    :param image: H x W x 3 RGB of the same view.
    :param stride: take every n-th row and column.
    :param layout: 'pcl' (32 bytes a point) or 'compact' (16 bytes).
    """
    height, width = (-(-side // stride) for side in depth.shape)
    step = POINT_STEPS[layout]
    floats = buffer_of(message, height * width * step).view(np.float32).reshape(
        height, width, step // 4)
    if message.point_step != step:
        floats[:] = 0
        message.fields = point_fields(layout)
    write_points(floats, depth, intrinsics, image, stride=stride,
                 colour_channel=_RGB_OFFSETS[layout] // 4)
    message.header = header
    message.height, message.width = height, width
    message.point_step, message.row_step = step, step * width
    message.is_bigendian, message.is_dense = False, False
    return message
