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

"""Listen to what the depth node publishes, as any other node would."""

from collections.abc import Callable, Iterable
import contextlib
from dataclasses import dataclass, field
import threading
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from numpy.typing import NDArray
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, PointCloud2


@dataclass
class Heard:
    """
    What came from the node.

    :param stamps: of all depth images, nanoseconds, in the order in which they came.
    :param depth: depth images of the frames to keep, by stamp: H x W metres.
    :param points: their clouds: H x W x 3 metres; ``colours`` alike, uint8 RGB.
    :param diagnostics: the node's latest values.
    """

    stamps: list[int] = field(default_factory=list)
    depth: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    points: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    colours: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    diagnostics: dict[str, str] = field(default_factory=dict)


class Listener:
    """
    A node that subscribes to depth, cloud and diagnostics, spinning in a thread of its own.

    :param domain_id: ROS domain of the depth node.
    :param keep: stamps (nanoseconds): depth and cloud of the first frame from each on are kept.
    :param on_frame: called after each depth image.
    """

    def __init__(self, domain_id: int, keep: Iterable[int],
                 on_frame: Callable[[], None]) -> None:
        """Subscribe and start to spin."""
        self.heard = Heard()
        self._due, self._kept = sorted(keep), set[int]()
        self._on_frame = on_frame
        self._changed = threading.Condition()
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('mde_ros_demo', context=self._context)
        reliable = QoSProfile(depth=10)
        self._node.create_subscription(Image, 'depth/image_rect', self._on_depth, reliable)
        self._node.create_subscription(PointCloud2, 'points', self._on_points, reliable)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, reliable)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def wait_until(self, condition: Callable[[Heard], bool], timeout: float) -> bool:
        """Return True as soon as the condition holds, False when it did not in time (s)."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.heard), timeout)

    def node_is_active(self, timeout: float) -> bool:
        """Wait until the depth node's diagnostics say that it waits for images."""
        return self.wait_until(lambda heard: bool(heard.diagnostics.get('model')), timeout)

    def close(self) -> None:
        """Stop spinning and leave the domain."""
        self._executor.shutdown()
        self._thread.join(5)
        self._node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _keeps(self, stamp: int) -> bool:
        """Tell whether this frame is kept: a dropped frame is replaced by the next."""
        if self._due and stamp >= self._due[0]:
            self._due = [due for due in self._due if due > stamp]
            self._kept.add(stamp)
        return stamp in self._kept

    def _on_depth(self, message: Image) -> None:
        stamp = _nanoseconds(message)
        with self._changed:
            self.heard.stamps.append(stamp)
            if self._keeps(stamp):
                self.heard.depth[stamp] = np.frombuffer(message.data, np.float32).reshape(
                    message.height, message.width).copy()
            self._changed.notify_all()
        self._on_frame()

    def _on_points(self, message: PointCloud2) -> None:
        stamp = _nanoseconds(message)
        if not self._keeps(stamp):
            return
        offsets = {entry.name: entry.offset for entry in message.fields}
        data = np.frombuffer(message.data, np.uint8).reshape(
            message.height, message.width, message.point_step)
        first = offsets['x']
        with self._changed:
            self.heard.points[stamp] = data[..., first:first + 12].copy().view(np.float32)
            blue = offsets['rgb']
            self.heard.colours[stamp] = data[..., blue:blue + 3][..., ::-1].copy()
            self._changed.notify_all()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if 'depth_node' in status.name:
                with self._changed:
                    self.heard.diagnostics = {
                        'level': str(status.level), 'message': status.message,
                        **{entry.key: entry.value for entry in status.values}}
                    self._changed.notify_all()


def _nanoseconds(message: Any) -> int:
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)
