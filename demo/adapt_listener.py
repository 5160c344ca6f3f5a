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

"""Listen to the depth node and the adaptation node, and call their services."""

from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass, field
import threading
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger


@dataclass
class Heard:
    """
    What came from the nodes.

    :param arrivals: when each depth image came, seconds of the monotonic clock.
    :param depth_node: the latest diagnostics of the depth node.
    :param adaptation: the latest progress of the adaptation node, its line as 'message'.
    :param phases: when the adaptation node entered each phase first, and what it said then.
    """

    arrivals: list[float] = field(default_factory=list)
    depth_node: Mapping[str, str] = field(default_factory=dict)
    adaptation: Mapping[str, str] = field(default_factory=dict)
    phases: list[tuple[float, str]] = field(default_factory=list)

    def rate(self, begin: float, end: float) -> float:
        """Return depth images a second between two times."""
        count = sum(begin <= arrival < end for arrival in self.arrivals)
        return count / max(1e-9, end - begin)

    def longest_gap(self, begin: float, end: float) -> float:
        """Return the longest time between two depth images that began in this time, seconds."""
        inside = [arrival for arrival in self.arrivals if begin <= arrival < end]
        return max((b - a for a, b in zip(inside, inside[1:])), default=float('nan'))

    def last(self, phase: str, since: float) -> float | None:
        """Return when a phase was last seen to begin, after ``since``; None when it was not."""
        return next((when for when, what in reversed(self.phases)
                     if what == phase and when >= since), None)

    def next_after(self, when: float) -> float | None:
        """Return when the phase after the one that began at ``when`` began."""
        return next((later for later, _ in self.phases if later > when), None)


class AdaptListener:
    """
    A node that subscribes and calls, spinning in a thread of its own.

    :param domain_id: ROS domain of the nodes.
    """

    def __init__(self, domain_id: int) -> None:
        """Subscribe and start to spin."""
        self.heard = Heard()
        self._changed = threading.Condition()
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('mde_ros_adapt_demo', context=self._context)
        reliable = QoSProfile(depth=20)
        self._node.create_subscription(Image, 'depth/image_rect', self._on_depth, reliable)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, reliable)
        self._node.create_subscription(
            DiagnosticStatus, 'adaptation_node/progress', self._on_progress, reliable)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def call(self, service: str, seconds: float = 60.) -> tuple[bool, str]:
        """Return what a service of type Trigger answers; (False, ...) when it does not."""
        client = self._node.create_client(Trigger, service)
        if not client.wait_for_service(seconds):
            return False, f'no service {service} after {seconds:.0f} s'
        future = client.call_async(Trigger.Request())
        answered = threading.Event()
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(seconds):
            return False, f'no answer from {service} after {seconds:.0f} s'
        answer = future.result()
        return answer.success, answer.message

    def wait_until(self, condition: Callable[[Heard], bool], timeout: float) -> bool:
        """Return True as soon as the condition holds, False when it did not in time (s)."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.heard), timeout)

    def close(self) -> None:
        """Stop spinning and leave the domain."""
        self._executor.shutdown()
        self._thread.join(5)
        self._node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_depth(self, _: Image) -> None:
        with self._changed:
            self.heard.arrivals.append(time.monotonic())
            self._changed.notify_all()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if 'depth_node' in status.name:
                with self._changed:
                    self.heard.depth_node = _values(status)
                    self._changed.notify_all()

    def _on_progress(self, status: DiagnosticStatus) -> None:
        values = _values(status)
        phase = values.get('phase', '')
        if phase == 'adapting':
            # Its own word is finer: preparing source, training, check ...
            phase = values.get('trainer says', phase)
        with self._changed:
            if phase and (not self.heard.phases or self.heard.phases[-1][1] != phase):
                self.heard.phases.append((time.monotonic(), phase))
            self.heard.adaptation = values
            self._changed.notify_all()


def _values(status: Any) -> dict[str, str]:
    """Return the values of a status, its line as 'message'."""
    return {'message': status.message, **{pair.key: pair.value for pair in status.values}}
