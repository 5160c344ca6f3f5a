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

"""Tests of topic names and remapping."""

import pytest

pytest.importorskip('rclpy')

from rclpy.node import Node

from mde_ros.nodes.topics import camera_topics, CameraTopics, looks_rectified, resolve


@pytest.mark.parametrize(('remap', 'camera', 'transport', 'expected'), [
    ([], '', 'raw', ('/ns/image', '/ns/image', '/ns/camera_info')),
    ([], 'front', 'raw', ('/ns/front/image', '/ns/front/image', '/ns/front/camera_info')),
    ([], '', 'compressed', ('/ns/image', '/ns/image/compressed', '/ns/camera_info')),
    (['image:=/cam/image_raw'], '', 'raw',
     ('/cam/image_raw', '/cam/image_raw', '/cam/camera_info')),
    (['image:=/cam/image_raw'], '', 'compressed',
     ('/cam/image_raw', '/cam/image_raw/compressed', '/cam/camera_info')),
    (['image:=/cam/image_raw', 'camera_info:=/calibration'], '', 'raw',
     ('/cam/image_raw', '/cam/image_raw', '/calibration')),
    (['camera_info:=/calibration'], '', 'raw', ('/ns/image', '/ns/image', '/calibration')),
    (['front/image:=/f/image_color'], 'front', 'raw',
     ('/f/image_color', '/f/image_color', '/f/camera_info')),
])
def test_names(ros_context, remap, camera, transport, expected):
    arguments = [word for rule in remap for word in ('-r', rule)]
    node = Node('names', context=ros_context, namespace='ns',
                cli_args=['--ros-args', *arguments] if arguments else None)
    assert camera_topics(node, camera, transport) == CameraTopics(*expected)
    assert resolve(node, camera, 'points') == f"/ns/{camera + '/' if camera else ''}points"
    node.destroy_node()


@pytest.mark.parametrize(('name', 'expected'), [
    ('/a/image_rect', True), ('/a/image_rect_raw', True), ('/rect/image', False)])
def test_rectified_names(name, expected):
    assert looks_rectified(name) == expected
