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

"""What is recorded beside the images where it is published: depth, ranges and odometry."""

from collections import OrderedDict
from importlib import import_module
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image, Range

from mde_ros.datasets.depth_codec import depth_to_metres
from mde_ros.datasets.image_message import CodecError
from mde_ros.errors import MdeError
from mde_ros.nodes import qos
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.messages import stamp_ns
from mde_ros.onsite.recorder import Recorder

# Depth images kept to find the one of an image, how far apart their stamps may be, and how long
# an image waits for the depth that is still on its way.
REMEMBERED, SLOP_NS, PATIENCE_S = 8, 20_000_000, 0.15


class ExtrasError(MdeError):
    """A topic that cannot be subscribed to."""


class Extras:
    """
    The subscriptions beside the camera's.

    Depth and ranges are for scoring and for the scale; training never sees them.

    :raises ExtrasError: when the messages of a topic are not installed.
    """

    def __init__(self, node: Node, settings: Settings, complain: Complaints,
                 group: CallbackGroup) -> None:
        """Subscribe to nothing yet."""
        self.recorder: Recorder | None = None
        self._node, self._complain, self._group = node, complain, group
        self._depths: OrderedDict[int, Image] = OrderedDict()
        self._news = threading.Condition()
        self._subscriptions: list[Subscription] = []
        self._wanted: list[tuple[type, str, Any]] = []
        if settings.reference_topic:
            self._wanted.append((Image, settings.reference_topic, self._on_depth))
        if settings.range_topic:
            self._wanted.append((Range, settings.range_topic, self._on_range))
        if settings.odometry_topic:
            self._wanted.append((odometry_type(), settings.odometry_topic, self._on_odometry))

    def open(self) -> None:
        """Subscribe."""
        self.recorder = None
        # Best effort is served by every publisher.
        profile = qos.profile(qos.BEST_EFFORT, 10)
        self._subscriptions = [
            self._node.create_subscription(kind, topic, callback, profile,
                                           callback_group=self._group)
            for kind, topic, callback in self._wanted]

    def close(self) -> None:
        """Unsubscribe."""
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            self._node.destroy_subscription(subscription)
        self._depths.clear()

    def depth_at(self, stamp: int, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
        """
        Return the depth image of a stamp (ns) in metres, None where there is none in time.

        :param shape: (height, width) of the image; depth of another size is left out.
        """
        if not any(kind is Image for kind, _, _ in self._wanted):
            return None
        with self._news:
            self._news.wait_for(lambda: self._nearest(stamp) is not None, PATIENCE_S)
            message = self._nearest(stamp)
        if message is None:
            return None
        try:
            depth = depth_to_metres(message)
        except CodecError as error:
            self._complain('reference', f'reference_topic: {error}')
            return None
        if depth.shape != shape:
            self._complain('reference', (
                f'reference_topic is {depth.shape[1]}x{depth.shape[0]}, the image '
                f'{shape[1]}x{shape[0]}: name a topic of depth registered to the camera'))
            return None
        return depth

    def _nearest(self, stamp: int) -> Image | None:
        near = [known for known in self._depths if abs(known - stamp) <= SLOP_NS]
        return self._depths[min(near, key=lambda known: abs(known - stamp))] if near else None

    def _on_depth(self, message: Image) -> None:
        with self._news:
            self._depths[stamp_ns(message.header)] = message
            while len(self._depths) > REMEMBERED:
                self._depths.popitem(last=False)
            self._news.notify_all()

    def _on_range(self, message: Range) -> None:
        recorder = self.recorder
        # REP 117: readings out of range are infinite, some drivers clip them instead.
        if recorder is not None and message.min_range < message.range < message.max_range:
            recorder.add_range(stamp_ns(message.header), message.range, message.field_of_view,
                               message.header.frame_id)

    def _on_odometry(self, message: Any) -> None:
        recorder = self.recorder
        if recorder is not None:
            place, turn = message.pose.pose.position, message.pose.pose.orientation
            recorder.add_pose(
                stamp_ns(message.header), (place.x, place.y, place.z),
                (turn.x, turn.y, turn.z, turn.w), message.header.frame_id,
                message.child_frame_id)


def odometry_type() -> type:
    """
    Return nav_msgs/Odometry.

    :raises ExtrasError: when nav_msgs is not installed; the wheels of rclpy do not bring it.
    """
    try:
        found: type = import_module('nav_msgs.msg').Odometry
    except ImportError as error:
        raise ExtrasError('odometry_topic: nav_msgs is not installed: pip install ros-nav-msgs, '
                          "or set odometry_topic to ''") from error
    return found
