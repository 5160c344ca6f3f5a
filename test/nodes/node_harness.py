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

"""A depth node with a stub network and a camera that publishes to it, in one process."""

from collections.abc import Callable
from dataclasses import dataclass, field
import threading
import time
from typing import Any

import numpy as np
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes import qos
from mde_ros.nodes.depth_node import DepthNode
from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.messages import camera_info, fill_image, header_at, stamp_ns
from mde_ros.nodes.spin import spin_until

CAMERA = Intrinsics(16, 12, 10., 11., 7.5, 5.5)


@dataclass(frozen=True)
class StubEstimate:
    depth: np.ndarray
    intrinsics: Intrinsics
    image: np.ndarray
    timings: dict = field(default_factory=lambda: {'network': .001})


class StubEstimator:
    """Depth is a ramp: 1 m in the first column, 0.25 m more in each, row 0 unreadable."""

    def __init__(self, settings=None, model_id='stub-0', delay=0.):
        self.settings, self.model_id, self.delay = settings, model_id, delay
        self.calls, self.warm_ups = 0, []
        self.seen: list[Intrinsics] = []
        self.batches: list[int] = []
        self.gate: threading.Event | None = None

    def estimate(self, image, intrinsics):
        self.calls += 1
        self.seen.append(intrinsics)
        if self.gate is not None:
            assert self.gate.wait(10)
        time.sleep(self.delay)
        depth = np.tile(1 + .25 * np.arange(image.shape[1], dtype=np.float32),
                        (image.shape[0], 1))
        depth[0] = np.nan
        return StubEstimate(depth, intrinsics.without_distortion(), image)

    def estimate_batch(self, images, intrinsics):
        self.batches.append(len(images))
        return [self.estimate(image, camera) for image, camera in zip(images, intrinsics)]

    def warm_up(self, intrinsics):
        self.warm_ups.append(intrinsics)

    def network_intrinsics(self, intrinsics):
        return intrinsics.resized(8, 6)


class Rig:
    """
    A spinning depth node, and a second node to publish and to listen with.

    Everything received lands in ``received[topic]``.
    """

    def __init__(self, context, parameters=None, *, estimator=None, factory=None,
                 arguments=None, start=True, namespace=None):
        self.estimator = estimator or StubEstimator()

        def make(settings):
            self.estimator.settings = settings
            return self.estimator

        self.node = DepthNode(
            estimator_factory=factory or make, context=context, cli_args=arguments,
            namespace=namespace, parameter_overrides=[
                Parameter(name, value=value) for name, value in {
                    'autostart': False, 'log_period': 0.0, 'image_queue': 100,
                    **(parameters or {})}.items()])
        self.logs: list[str] = []
        for name in ('_warn', '_error'):
            setattr(self.node, name, self.logs.append)
        self.node.complain._log = self.logs.append
        self.peer = Node('peer', context=context, namespace=namespace)
        self.defects: list[str] = []
        self.received: dict[str, list[Any]] = {}
        self.executor = PatientExecutor(3, context=context)
        self.executor.add_node(self.node)
        self.peer_executor = PatientExecutor(2, context=context)
        self.peer_executor.add_node(self.peer)
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=spin_until, args=(executor, self.stop, self.defects.append))
            for executor in (self.executor, self.peer_executor)]
        for thread in self.threads:
            thread.start()
        self.publishers: dict[str, Any] = {}
        if start:
            assert self.node.trigger_configure() == TransitionCallbackReturn.SUCCESS, self.logs
            assert self.node.trigger_activate() == TransitionCallbackReturn.SUCCESS, self.logs

    def close(self):
        self.stop.set()
        for executor in (self.executor, self.peer_executor):
            executor.shutdown(timeout_sec=5)
        for thread in self.threads:
            thread.join()
        self.node.destroy_node()
        self.peer.destroy_node()
        assert not self.defects, '\n'.join(self.defects)

    # ---- camera ----------------------------------------------------------------------------

    def camera(self, prefix='', reliability='reliable', kind=Image, image='image',
               info='camera_info'):
        """Create publishers and wait until the node has subscribed to both."""
        profile = self.profile(reliability)
        self.publishers[prefix + 'image'] = self.peer.create_publisher(
            kind, prefix + image, profile)
        self.publishers[prefix + 'info'] = self.peer.create_publisher(
            CameraInfo, prefix + info, QoSProfile(depth=5))
        wait(lambda: all(self.publishers[prefix + name].get_subscription_count() == 1
                         for name in ('image', 'info')))
        return self

    @staticmethod
    def profile(reliability):
        """Return the QoS of the camera."""
        return qos.profile(reliability, 100)

    def send_info(self, stamp=0, intrinsics=CAMERA, prefix='', frame_id='optical'):
        """Publish camera_info and wait until the node has it."""
        calibration = self.node.cameras.streams[prefix.rstrip('/')].calibration
        before = calibration._newest
        self.publishers[prefix + 'info'].publish(
            camera_info(intrinsics, header_at(stamp, frame_id)))
        wait(lambda: calibration._newest is not before)

    def send(self, stamp, *, prefix='', size=(CAMERA.width, CAMERA.height), frame_id='optical',
             change: Callable[[Image], None] | None = None):
        """Publish one image, grey with its stamp's last digit in the first pixel."""
        width, height = size
        pixels = np.full((height, width, 3), 100, np.uint8)
        pixels[0, 0] = stamp % 256
        message = fill_image(Image(), pixels, 'rgb8', header_at(stamp, frame_id))
        if change is not None:
            change(message)
        self.publishers[prefix + 'image'].publish(message)

    def send_and_wait(self, stamp, *, prefix='', **how):
        """Publish one image and wait until it was processed or dropped."""
        before = self.count(prefix).received
        self.send(stamp, prefix=prefix, **how)
        wait(lambda: self.count(prefix).received == before + 1
             and self.count(prefix).pending == 0)

    # ---- listening -------------------------------------------------------------------------

    def listen(self, topic, kind, reliability='reliable', depth=50):
        """Subscribe and wait until the node's publisher is matched."""
        messages = self.received.setdefault(topic, [])
        subscription = self.peer.create_subscription(
            kind, topic, messages.append, qos.profile(reliability, depth))
        wait(lambda: self.peer.count_publishers(subscription.topic_name) >= 1)
        for outputs in self.node.cameras.outputs.values():
            for publisher in outputs._publishers:
                if publisher.topic == subscription.topic_name:
                    wait(lambda: publisher.get_subscription_count() >= 1)  # noqa: B023
        return messages

    def count(self, prefix=''):
        """Return the statistics of now."""
        return self.node.cameras.streams[prefix.rstrip('/')].statistics.snapshot(time.monotonic())

    def set(self, **values):
        """Set parameters at once; return the reason of a refusal, or nothing."""
        result = self.node.set_parameters_atomically(
            [Parameter(name, value=value) for name, value in values.items()])
        assert result.successful or result.reason
        return '' if result.successful else result.reason


def wait(condition, timeout=10.):
    """Poll a condition; fail the test when it does not come true."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, 'timeout'
        time.sleep(.002)


def stamps(messages):
    """Return the stamps of messages in nanoseconds."""
    return [stamp_ns(message.header) for message in messages]


def depth_of(message):
    """Return the array of a depth image."""
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)
