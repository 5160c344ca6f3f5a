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

"""A camera of a steady rate, as a process of its own: it costs no more than publishing does."""

import argparse
from collections.abc import Sequence
import json
import sys
import time

import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes import qos
from mde_ros.nodes.messages import camera_info, fill_image
from mde_ros.nodes.transport import export_large_image_profile

PICTURES = 8


def publish(node: Node, width: int, height: int, rate: float, frames: int,
            encoding: str = 'rgb8', wait: float = 30.) -> list[int]:
    """
    Publish pictures at a rate once somebody has subscribed, stamped with the time they are sent.

    :return: nanoseconds that each frame was late against a steady rate.
    """
    intrinsics = Intrinsics(width, height, .8 * width, .8 * width,
                            width / 2 - .5, height / 2 - .5)
    image = node.create_publisher(Image, 'image', qos.profile(qos.RELIABLE, 5))
    info = node.create_publisher(CameraInfo, 'camera_info', qos.profile(qos.RELIABLE, 5))
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (PICTURES, height // 16 + 1, width // 16 + 1, 3), np.uint8)
    pictures = coarse.repeat(16, 1).repeat(16, 2)[:, :height, :width]
    end = time.monotonic() + wait
    while not (image.get_subscription_count() and info.get_subscription_count()):
        if time.monotonic() > end:
            return []
        time.sleep(.02)
    time.sleep(.5)  # the other side has to find this publisher too
    message, late = Image(), []
    began = time.monotonic_ns()
    for index in range(frames):
        due = began + round(index * 1e9 / rate)
        time.sleep(max(0., (due - time.monotonic_ns()) / 1e9))
        late.append(time.monotonic_ns() - due)
        stamp = node.get_clock().now().to_msg()
        message.header.stamp, message.header.frame_id = stamp, 'camera_optical_frame'
        header = message.header
        info.publish(camera_info(intrinsics, header))
        image.publish(fill_image(message, pictures[index % PICTURES], encoding, header))
    time.sleep(1)  # what is in flight has to arrive before the publisher goes
    return late


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish; print how late frames were as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--width', type=int, default=640)
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--rate', type=float, default=30.)
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--namespace', default='')
    options = parser.parse_args(arguments)
    export_large_image_profile()
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node('rate_camera', context=context, namespace=options.namespace)
    late = publish(node, options.width, options.height, options.rate, options.frames)
    node.destroy_node()
    rclpy.shutdown(context=context)
    print(json.dumps({'published': len(late), 'late_ms_p95': float(
        np.percentile(late, 95) / 1e6) if late else None}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
