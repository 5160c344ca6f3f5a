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

"""Tests of the depth node over real DDS, with a stub network."""

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

pytest.importorskip('rclpy')

from node_harness import CAMERA, Rig, wait


@pytest.fixture
def rig(ros_context):
    rigs = []

    def make(*arguments, **options):
        rigs.append(Rig(ros_context, *arguments, **options))
        return rigs[-1]

    yield make
    for made in rigs:
        made.close()


def depth_of(message):
    """Return the array of a depth image."""
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def test_every_output_has_the_header_of_the_image(rig):
    r = rig()
    r.camera()
    r.send_info()
    topics = {'depth/image_rect': Image, 'depth/camera_info': CameraInfo, 'points': PointCloud2}
    outputs = [r.listen(topic, kind) for topic, kind in topics.items()]
    for stamp in (1_000_000_005, 2_999_999_999, 2**31 * 1_000_000_000 - 1):
        r.send_and_wait(stamp, frame_id='left_optical')
    wait(lambda: all(len(messages) == 3 for messages in outputs))
    for messages in outputs:
        assert [(m.header.stamp.sec, m.header.stamp.nanosec, m.header.frame_id)
                for m in messages] == [
            (1, 5, 'left_optical'), (2, 999_999_999, 'left_optical'),
            (2**31 - 1, 999_999_999, 'left_optical')]
    depth, info, points = (messages[0] for messages in outputs)
    assert (depth.encoding, depth.step, depth.is_bigendian) == ('32FC1', 64, 0)
    assert (info.width, info.height) == (16, 12)
    np.testing.assert_array_equal(depth_of(depth)[1], 1 + .25 * np.arange(16))
    cloud = np.frombuffer(points.data, np.float32).reshape(12, 16, 8)
    np.testing.assert_allclose(cloud[..., 2], depth_of(depth), atol=1e-4)
    # Column 3 of row 2: z = 1.75, x = (3 - 7.5) / 10 z, y = (2 - 5.5) / 11 z.
    np.testing.assert_allclose(cloud[2, 3, :3], [-.7875, -.556818, 1.75], rtol=1e-5)
    assert np.isnan(cloud[0, :, :3]).all()
    assert CAMERA.fx == info.k[0] == info.p[0]
