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

"""Golden bytes of the messages."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField

from mde_ros.camera.geometry import depth_to_points
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes.messages import (
    camera_info, fill_compressed, fill_image, fill_points, header_at, stamp_ns)

HEADER = header_at(7_000_000_009, 'lens')
CAMERA = Intrinsics(2, 2, 2., 4., .5, .5)


def test_headers_hold_nanoseconds():
    assert (HEADER.stamp.sec, HEADER.stamp.nanosec, HEADER.frame_id) == (7, 9, 'lens')
    assert stamp_ns(HEADER) == 7_000_000_009


def test_depth_image_bytes():
    depth = np.array([[1, np.nan], [.5, np.inf]], np.float32)
    message = fill_image(Image(), depth, '32FC1', HEADER)
    assert bytes(message.data).hex(' ', 4) == '0000803f 0000c07f 0000003f 0000807f'
    assert (message.height, message.width, message.step, message.encoding) == (2, 2, 8, '32FC1')
    assert message.header == HEADER


def test_colour_image_bytes_and_reuse_of_the_memory():
    message = fill_image(Image(), np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 'rgb8', HEADER)
    assert bytes(message.data) == bytes(range(12))
    assert (message.step, message.is_bigendian) == (6, 0)
    memory = message.data
    view = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)[..., ::-1]
    fill_image(message, view, 'bgr8', HEADER)
    assert message.data is memory
    assert bytes(message.data[:3]) == b'\2\1\0'
    fill_image(message, np.zeros((1, 2, 3), np.uint8), 'rgb8', HEADER)
    assert len(message.data) == 6


def test_compressed_image():
    message = fill_compressed(CompressedImage(), 'jpeg', b'\xff\xd8', HEADER)
    assert (message.format, bytes(message.data), message.header) == ('jpeg', b'\xff\xd8', HEADER)


def test_camera_info_of_a_rectified_pinhole():
    info = camera_info(Intrinsics(640, 480, 500., 510., 319.5, 239.5), HEADER)
    assert list(info.k) == [500, 0, 319.5, 0, 510, 239.5, 0, 0, 1]
    assert list(info.p) == [500, 0, 319.5, 0, 0, 510, 239.5, 0, 0, 0, 1, 0]
    assert list(info.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (info.width, info.height, info.distortion_model) == (640, 480, 'plumb_bob')
    assert list(info.d) == [0] * 5
    assert info.header == HEADER


def test_camera_info_keeps_a_lens():
    lens = Intrinsics(8, 6, 5., 5., 4., 3., 'equidistant', (.1, .2, .3, .4))
    info = camera_info(lens, HEADER)
    assert (info.distortion_model, list(info.d)) == ('equidistant', [.1, .2, .3, .4])
    assert Intrinsics.from_camera_info(info, rectified=False) == lens


@pytest.mark.parametrize(('layout', 'step', 'rgb'), [('pcl', 32, 16), ('compact', 16, 12)])
def test_point_bytes(layout, step, rgb):
    depth = np.array([[2, np.nan], [4, 1]], np.float32)
    image = np.array([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [255, 128, 0]]], np.uint8)
    message = fill_points(PointCloud2(), depth, CAMERA, image, HEADER, layout=layout)
    assert (message.height, message.width) == (2, 2)
    assert (message.point_step, message.row_step) == (step, 2 * step)
    assert not message.is_dense
    assert not message.is_bigendian
    assert message.header == HEADER
    assert [(f.name, f.offset, f.datatype, f.count) for f in message.fields] == [
        ('x', 0, PointField.FLOAT32, 1), ('y', 4, PointField.FLOAT32, 1),
        ('z', 8, PointField.FLOAT32, 1), ('rgb', rgb, PointField.FLOAT32, 1)]
    points = [bytes(message.data[i * step:(i + 1) * step]) for i in range(4)]
    # (0 - 0.5) / 2 * 2 = -0.5; (0 - 0.5) / 4 * 2 = -0.25; z = 2; bits 0x00RRGGBB.
    assert points[0][:12].hex(' ', 4) == '000000bf 000080be 00000040'
    assert points[0][rgb:rgb + 4] == bytes([3, 2, 1, 0])
    assert np.isnan(np.frombuffer(points[1], np.float32)[:3]).all()
    assert points[1][rgb:rgb + 4] == bytes([6, 5, 4, 0])
    assert np.frombuffer(points[3], np.float32)[:3].tolist() == [.25, .125, 1]
    assert points[3][rgb:rgb + 4] == bytes([0, 128, 255, 0])


def test_points_agree_with_the_geometry_at_any_stride():
    camera = Intrinsics(7, 5, 6., 5., 3.2, 1.9)
    depth = np.random.default_rng(0).uniform(.5, 9, (5, 7)).astype(np.float32)
    image = np.zeros((5, 7, 3), np.uint8)
    for stride in (1, 2, 3):
        message = fill_points(PointCloud2(), depth, camera, image, HEADER, stride=stride)
        expected = depth_to_points(depth, camera)[::stride, ::stride]
        assert (message.height, message.width) == expected.shape[:2]
        found = np.frombuffer(message.data, np.float32).reshape(*expected.shape[:2], 8)[..., :3]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_infinite_depth_has_no_point():
    depth = np.array([[np.inf, -np.inf], [1, 1]], np.float32)
    message = fill_points(PointCloud2(), depth, CAMERA, np.zeros((2, 2, 3), np.uint8), HEADER)
    assert np.isnan(np.frombuffer(message.data, np.float32).reshape(2, 2, 8)[0, :, :3]).all()


def test_another_layout_in_the_same_memory_leaves_no_old_bytes():
    # 2 x 4 points of 16 bytes take as much as 2 x 2 points of 32.
    wide = Intrinsics(4, 2, 2., 2., 1.5, .5)
    ones = np.ones((2, 4), np.float32)
    white = np.full((2, 4, 3), 255, np.uint8)
    message = fill_points(PointCloud2(), ones, wide, white, HEADER, layout='compact')
    fill_points(message, ones[:, :2], CAMERA, white[:, :2], HEADER, layout='pcl')
    data = np.frombuffer(message.data, np.uint8).reshape(4, 32)
    assert not data[:, 12:16].any()
    assert not data[:, 19:].any()
    assert [f.offset for f in message.fields] == [0, 4, 8, 16]
