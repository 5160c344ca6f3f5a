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

"""A camera of a steady rate: what it sends, and when nobody listens."""

import threading
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo, Image

from mde_ros.nodes import qos
from mde_ros.nodes.rate_camera import publish


def test_images_and_camera_info_have_the_same_stamps(ros_context: Any) -> None:
    node, peer = (rclpy.create_node(name, context=ros_context) for name in ('camera', 'peer'))
    seen: dict[type, list[Any]] = {Image: [], CameraInfo: []}
    for kind, topic in ((Image, 'image'), (CameraInfo, 'camera_info')):
        peer.create_subscription(kind, topic, seen[kind].append, qos.profile(qos.RELIABLE, 20))
    executor = SingleThreadedExecutor(context=ros_context)
    executor.add_node(peer)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    late = publish(node, 33, 17, 50., 5)
    end = time.monotonic() + 10
    while min(map(len, seen.values())) < 5 and time.monotonic() < end:
        time.sleep(.02)
    executor.shutdown()
    thread.join()
    stamps = {kind: [(m.header.stamp.sec, m.header.stamp.nanosec) for m in messages]
              for kind, messages in seen.items()}
    assert len(late) == 5 and len(set(stamps[Image])) == 5
    assert stamps[Image] == stamps[CameraInfo]
    image, info = seen[Image][0], seen[CameraInfo][0]
    assert (image.width, image.height, image.encoding) == (33, 17, 'rgb8')
    assert (info.width, info.height) == (33, 17)
    node.destroy_node()
    peer.destroy_node()


def test_without_a_listener_nothing_is_sent(ros_context: Any) -> None:
    node = rclpy.create_node('camera', context=ros_context)
    assert publish(node, 16, 16, 50., 5, wait=.1) == []
    node.destroy_node()
