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

"""The inputs of one camera: images and camera_info in, newest frame to the mailbox."""

from collections.abc import Callable, Iterator
import threading
import time
from typing import Any, TypeAlias

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes import qos
from mde_ros.nodes.calibration import Calibration
from mde_ros.nodes.flow import Complaints, RateLimiter, SequenceGaps
from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.messages import stamp_ns
from mde_ros.nodes.parameters import Settings
from mde_ros.nodes.statistics import Statistics
from mde_ros.nodes.topics import camera_topics

# rclpy's messages have no type hints.
AnyImage: TypeAlias = Any


class CameraStream:
    """
    Subscribe to one camera and count each of its frames.

    The callbacks only store; everything that takes time happens in the worker.

    :param camera: namespace of the camera, '' for the node's own.
    :param settings: returns the parameters of now.
    :param wanted: returns whether anybody subscribes to an output of this camera.
    """

    def __init__(self, node: Node, camera: str, mailbox: Mailbox[AnyImage], *,
                 settings: Callable[[], Settings], wanted: Callable[[], bool],
                 complain: Complaints, group: CallbackGroup,
                 calibrated: Intrinsics | None = None) -> None:
        """Resolve the topics; :meth:`open` subscribes."""
        self.camera = camera
        self.statistics = Statistics()
        self.topics = camera_topics(node, camera, settings().image_transport)
        self.calibration = Calibration(
            self.topics.info, self.topics.image_base, settings, calibrated)
        self._node, self._mailbox, self._group = node, mailbox, group
        self._settings, self._wanted, self._complain = settings, wanted, complain
        self._type = CompressedImage if settings().image_transport == 'compressed' else Image
        self._subscription: Subscription | None = None
        self._info_subscription: Subscription | None = None
        self._requested = ''
        self._held: AnyImage | None = None
        # Callbacks, the watching timer and the lifecycle run in different threads.
        self._lock = threading.RLock()
        self._gaps = SequenceGaps()
        self._limiter = RateLimiter()
        self._last_stamp: int | None = None
        # Destroying a subscription inside its own event would pull the floor from under it.
        self._recheck = node.create_guard_condition(self.follow_publishers, group)

    def open(self) -> None:
        """Subscribe."""
        self.statistics.begin(time.monotonic())
        with self._lock:
            self._info_subscription = self._node.create_subscription(
                CameraInfo, self.topics.info, self._on_info, qos.profile(qos.BEST_EFFORT, 5),
                callback_group=self._group,
                qos_overriding_options=QoSOverridingOptions.with_default_policies())
        self.follow_publishers()

    def close(self) -> None:
        """Unsubscribe; a frame that waits for its camera_info counts as stopped."""
        with self._lock:
            for subscription in (self._subscription, self._info_subscription):
                if subscription is not None:
                    self._node.destroy_subscription(subscription)
            self._subscription = self._info_subscription = None
            if self._held is not None:
                self._held = None
                self.statistics.drop('stopped')

    def destroy(self) -> None:
        """Unsubscribe for good."""
        self.close()
        self._node.destroy_guard_condition(self._recheck)

    def qos_state(self) -> qos.QosState:
        """Return what the image subscription asked for and what is offered."""
        return self._qos_state(self.topics.image, self._requested or 'closed')

    def _qos_state(self, topic: str, requested: str) -> qos.QosState:
        publishers = self._node.get_publishers_info_by_topic(topic)
        return qos.QosState(topic, requested, tuple(
            qos.reliability_name(entry.qos_profile.reliability) for entry in publishers))

    def qos_states(self) -> tuple[qos.QosState, ...]:
        """Return the state of both subscriptions, the image's first."""
        return self.qos_state(), self._qos_state(self.topics.info, qos.BEST_EFFORT)

    def follow_publishers(self) -> None:
        """Subscribe anew if the publishers, or the parameter, ask for another reliability."""
        with self._lock:
            if self._info_subscription is not None:
                self._follow_publishers()

    def _follow_publishers(self) -> None:
        state = self.qos_state()
        wanted = self._settings().image_reliability
        reliability = qos.choose(
            wanted, state.offered, self._requested if self._subscription else None)
        if self._subscription is not None:
            if reliability == self._requested:
                return
            self._node.get_logger().info(
                f"{self.topics.image}: publishers offer {', '.join(state.offered) or 'nothing'}, "
                f'so the subscription becomes {reliability} (image_reliability: {wanted})')
            self._node.destroy_subscription(self._subscription)
        self._requested = reliability
        self._gaps.restart()
        self._subscription = self._node.create_subscription(
            self._type, self.topics.image, self._on_image,
            qos.profile(reliability, self._settings().image_queue),
            callback_group=self._group,
            event_callbacks=SubscriptionEventCallbacks(
                incompatible_qos=self._on_incompatible, matched=self._on_matched,
                use_default_callbacks=False),
            # Reliability is the business of image_reliability: an override would be declared
            # with the first value and then win over every later one.
            qos_overriding_options=QoSOverridingOptions(
                (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH)))

    def _on_image(self, message: AnyImage, about: dict[str, Any]) -> None:
        """Count an image and those that wait behind it; only the newest of them goes on."""
        self._count(message, about)
        for newer, about_newer in self._queued():
            self.statistics.drop('busy')
            message = newer
            self._count(message, about_newer)
        with self._lock:
            self._decide(message, time.monotonic())

    def _queued(self) -> Iterator[tuple[AnyImage, dict[str, Any]]]:
        """
        Yield what DDS holds for this subscription.

        After a hold-up of this process the executor would bring it one by one, oldest first, and
        the network would begin with an image that is out of date.
        """
        for _ in range(self._settings().image_queue):
            with self._lock:
                subscription = self._subscription
                if subscription is None:
                    return
                with subscription.handle:
                    taken = subscription.handle.take_message(subscription.msg_type, False)
            if taken is None:
                return
            yield taken

    def _count(self, message: AnyImage, about: dict[str, Any]) -> None:
        """Count an image and look at its stamp."""
        self.statistics.receive(time.monotonic(), self._gaps.missing(
            about.get('publication_sequence_number')))
        stamp = stamp_ns(message.header)
        if self._last_stamp is not None and stamp < self._last_stamp:
            self.statistics.note('stamp backwards')
            self._complain(f'{self.camera} stamp', (
                f'{self.topics.image}: stamps went back by '
                f'{(self._last_stamp - stamp) / 1e9:.3f} s (a bag that starts again?); going on'))
        self._last_stamp = stamp

    def _decide(self, message: AnyImage, now: float) -> None:
        """Put an image into the mailbox, unless there is a reason not to."""
        settings = self._settings()
        if self._subscription is None:
            self.statistics.drop('stopped')
        elif not settings.enabled:
            self.statistics.drop('disabled')
        elif not (settings.always_estimate or self._wanted()):
            self.statistics.drop('idle')
        elif not self._limiter.accepts(now, settings.max_rate):
            self.statistics.drop('max_rate')
        elif self.calibration.missing:
            self._hold(message)
        else:
            self._offer(message)

    def _offer(self, message: AnyImage) -> None:
        """Put a frame into the mailbox and count the one that it replaces."""
        replaced = self._mailbox.put(self.camera, message)
        if replaced is not None:
            self.statistics.drop('stopped' if replaced is message else 'busy')

    def _hold(self, message: AnyImage) -> None:
        """Keep the newest frame until the first camera_info comes."""
        if self._held is not None:
            self.statistics.drop('no camera_info')
            self._complain(f'{self.camera} info', (
                f'{self.topics.image}: images but no camera_info on {self.topics.info}: remap '
                'camera_info, or set the parameter camera_info_file'))
        self._held = message

    def _on_info(self, message: CameraInfo) -> None:
        """Remember a camera_info; release the frame that waited for it."""
        self.calibration.remember(message)
        with self._lock:
            held, self._held = self._held, None
            if held is not None:
                self._offer(held)

    def _on_incompatible(self, _: Any) -> None:
        """Look at the publishers again, outside this event."""
        state = self.qos_state()
        if self._settings().image_reliability != qos.AUTO:
            self._complain(f'{self.camera} qos', state.advice())
        self._recheck.trigger()

    def _on_matched(self, status: Any) -> None:
        """Count gaps anew: sequence numbers belong to one publisher."""
        self._gaps.restart(publishers=status.current_count)
        self._recheck.trigger()
