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

"""Record a camera topic with a node of its own, for ``mde record --topic``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
import threading
import time
from typing import Any

import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Range

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.datasets.image_message import CodecError, is_compressed
from mde_ros.errors import MdeError
from mde_ros.nodes import qos
from mde_ros.nodes.calibration import FrameError
from mde_ros.nodes.camera_stream import CameraStream
from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.messages import stamp_ns
from mde_ros.nodes.parameters import Settings
from mde_ros.nodes.spin import spin_until
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_poses import add_range, pose_of, POSE_TYPES

COMPRESSED = '/compressed'


class RecordTopicError(MdeError):
    """No image comes, or a topic has messages that cannot be used."""


@dataclass(frozen=True)
class TopicOptions:
    """
    What to listen to.

    :param image: topic of Image, or of CompressedImage when it ends with /compressed.
    :param info: topic of camera_info; '' means beside the image's.
    :param odometry: topic of poses, '' for none.
    :param ranges: topic of sensor_msgs/Range, '' for none.
    :param calibrated: intrinsics for a camera without camera_info.
    :param rectified: whether the images are rectified; None goes by the topic's name.
    :param wait: seconds to wait for the first image.
    """

    image: str
    info: str = ''
    odometry: str = ''
    ranges: str = ''
    calibrated: Intrinsics | None = None
    rectified: bool | None = None
    wait: float = 30.


def record_topic(options: TopicOptions, open_recorder: Callable[[Intrinsics], Recorder],
                 stop: threading.Event, seconds: float,
                 report: Callable[[Recorder], None] = lambda _: None,
                 context: Any = None) -> Recorder:
    """
    Record until ``stop`` is set, a limit of the recorder is reached or time is over.

    :param open_recorder: called with the intrinsics of the first image.
    :param seconds: from the first image on, by the clock.
    :param report: called about once a second, to show the status.
    :param context: of rclpy; by default one of its own, signals left to the caller.
    :return: the recorder, closed.
    :raises RecordTopicError: when no usable image comes in time.
    """
    own = context is None
    if own:
        context = rclpy.Context()
        rclpy.init(context=context, args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        listener = _Listener(options, context, open_recorder)
        with listener.listening():
            return listener.run(stop, seconds, report)
    finally:
        if own:
            rclpy.shutdown(context=context)


class _Listener:
    """The node, its subscriptions, and the loop that records."""

    def __init__(self, options: TopicOptions, context: Any,
                 open_recorder: Callable[[Intrinsics], Recorder]) -> None:
        self._options, self._open_recorder = options, open_recorder
        self.recorder: Recorder | None = None
        self._why = 'no image came'
        image = options.image.removesuffix(COMPRESSED)
        rules = [f'image:={image}', *([f'camera_info:={options.info}'] if options.info else [])]
        self._node = Node(
            'mde_record', context=context, use_global_arguments=False,
            cli_args=['--ros-args', *(word for rule in rules for word in ('-r', rule))])
        rectified = {None: 'auto', True: 'true', False: 'false'}[options.rectified]
        settings = Settings(
            image_transport='compressed' if image != options.image else 'raw',
            image_rectified=rectified)
        self._mailbox: Mailbox[Any] = Mailbox([''])
        self._group = ReentrantCallbackGroup()
        self._stream = CameraStream(
            self._node, '', self._mailbox, settings=lambda: settings, wanted=lambda: True,
            complain=Complaints(self._node.get_logger().warning, lambda: 5.), group=self._group,
            calibrated=options.calibrated)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Subscribe and spin in threads; take everything away at the end."""
        executor = PatientExecutor(2, context=self._node.context)
        executor.add_node(self._node)
        stop = threading.Event()
        thread = threading.Thread(target=spin_until, name='executor', args=(
            executor, stop, self._node.get_logger().error))
        self._stream.open()
        thread.start()
        try:
            yield
        finally:
            self._stream.close()
            stop.set()
            executor.shutdown(timeout_sec=5)
            thread.join()
            if self.recorder is not None:
                self.recorder.close()
            self._stream.destroy()
            self._node.destroy_node()

    def run(self, stop: threading.Event, seconds: float,
            report: Callable[[Recorder], None]) -> Recorder:
        """Record; return the recorder."""
        began = reported = time.monotonic()
        # Time counts from the first image on.
        ends = float('inf')
        self._subscribe_beside()
        while not stop.is_set():
            taken = self._mailbox.take(.1)
            now = time.monotonic()
            if taken is not None:
                self._record(taken[1])
            if self.recorder is None:
                if now - began > self._options.wait:
                    break
                continue
            ends = min(ends, now + seconds)
            if not self.recorder.recording or now >= ends:
                break
            if now - reported >= 1:
                reported = now
                report(self.recorder)
        if self.recorder is None:
            raise RecordTopicError(
                f'{self._stream.topics.image}: {self._why} in '
                f'{time.monotonic() - began:.0f} s: is the camera running (ros2 topic list), and '
                f'its camera_info on {self._stream.topics.info}?')
        return self.recorder

    def _record(self, message: Any) -> None:
        try:
            image = image_to_rgb(message)
            intrinsics = self._stream.calibration.of_image(
                message.header, image.shape[1], image.shape[0])
        except (CodecError, FrameError) as error:
            self._why = f'no usable image came ({error})'
            if self.recorder is not None:
                reason = error.reason if isinstance(error, FrameError) else 'unreadable image'
                self.recorder.count_bad(reason)
            return
        if self.recorder is None:
            self.recorder = self._open_recorder(intrinsics)
        self.recorder.add(Frame('', stamp_ns(message.header), image, intrinsics),
                          bytes(message.data) if is_compressed(message) else None)

    def _subscribe_beside(self) -> None:
        """
        Subscribe to odometry and ranges, whose publishers say what type they are.

        :raises RecordTopicError: when nothing is published there in time, or something else.
        """
        profile = qos.profile(qos.BEST_EFFORT, 50)  # every publisher can serve it
        if self._options.ranges:
            self._node.create_subscription(Range, self._options.ranges, self._on_range, profile,
                                           callback_group=self._group)
        if self._options.odometry:
            self._node.create_subscription(
                self._odometry_type(), self._options.odometry, self._on_pose, profile,
                callback_group=self._group)

    def _odometry_type(self) -> Any:
        topic = self._options.odometry
        end = time.monotonic() + self._options.wait
        while not (publishers := self._node.get_publishers_info_by_topic(topic)):
            if time.monotonic() > end:
                raise RecordTopicError(f'--odometry {topic}: nobody publishes there')
            time.sleep(.05)
        package, _, name = publishers[0].topic_type.split('/')
        if name not in POSE_TYPES:
            raise RecordTopicError(f'--odometry {topic} has {package}/{name}: use a topic of '
                                   f'{", ".join(POSE_TYPES)}')
        try:
            return getattr(import_module(f'{package}.msg'), name)
        except ImportError as error:
            raise RecordTopicError(
                f'--odometry {topic}: {package} is not installed: install '
                f'ros-$ROS_DISTRO-{package.replace("_", "-")}, or pip install '
                f'ros-{package.replace("_", "-")}') from error

    def _on_pose(self, message: Any) -> None:
        if self.recorder is not None:
            self.recorder.add_pose(*pose_of(message))

    def _on_range(self, message: Any) -> None:
        if self.recorder is not None:
            add_range(self.recorder, message)
