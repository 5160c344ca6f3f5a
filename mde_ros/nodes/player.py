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

"""Publish the frames of a data set as a camera would: image, camera_info, reference depth."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
import threading
import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mde_ros.datasets.frame import Frame
from mde_ros.errors import MdeError
from mde_ros.nodes import qos
from mde_ros.nodes.messages import camera_info, fill_compressed, fill_image, header_at
from mde_ros.nodes.pacing import Pace, prefetch

JPEG_QUALITY = 95
# Period (ns) of data without stamps, and where their stamps begin: zero would mean 'unknown'.
DEFAULT_PERIOD_NS = 33_333_333
FIRST_STAMP_NS = 1_000_000_000


class PlayerError(MdeError):
    """Nothing to play, or nobody to play to."""


@dataclass(frozen=True)
class PlayOptions:
    """
    How to play.

    :param rate: frames per second; None follows the stamps, ``speed`` times as fast.
    :param loop: play again and again until stopped; original stamps then go back.
    :param transport: 'raw' or 'compressed' (JPEG on IMAGE/compressed).
    :param stamps: 'original' of the data, or 'now'.
    :param clock: publish each stamp on /clock before its frame.
    :param wait: seconds to wait for a subscriber of image and camera_info; 0 does not wait.
    :param delay: seconds to wait after that, before the first frame.
    """

    rate: float | None = None
    speed: float = 1.0
    loop: bool = False
    image_topic: str = 'image'
    info_topic: str = 'camera_info'
    depth_topic: str = 'depth/reference'
    frame_id: str = 'camera_optical_frame'
    reliability: str = qos.RELIABLE
    transport: str = 'raw'
    stamps: str = 'original'
    clock: bool = False
    wait: float = 0.0
    delay: float = 0.0


@dataclass
class PlayReport:
    """
    What was played.

    :param latest: by how many seconds the latest frame was too late.
    :param stamps: those of the first round, in nanoseconds.
    """

    images: int = 0
    infos: int = 0
    depths: int = 0
    rounds: int = 0
    seconds: float = 0.0
    latest: float = 0.0
    stamps: list[int] = field(default_factory=list)


class Player:
    """
    Publish frames with a node; the node need not spin.

    :param frames: a data set, or any iterable that can be iterated again when looping.
    :raises PlayerError: for a rate or speed that is not positive.
    """

    def __init__(self, node: Node, frames: Iterable[Frame],
                 options: PlayOptions | None = None) -> None:
        """Create the publishers."""
        self._node, self._frames = node, frames
        self._options = options or PlayOptions()
        rate = self._options.rate
        if self._options.speed <= 0 or (rate is not None and rate <= 0):
            raise PlayerError('rate and speed must be positive')
        profile = qos.profile(self._options.reliability, 10)
        compressed = self._options.transport == 'compressed'
        base = node.resolve_topic_name(self._options.image_topic)
        self._image = node.create_publisher(
            CompressedImage if compressed else Image,
            f'{base}/compressed' if compressed else base, profile)
        self._info = node.create_publisher(CameraInfo, self._options.info_topic, profile)
        self._depth = node.create_publisher(Image, self._options.depth_topic, profile)
        self._clock = node.create_publisher(Clock, '/clock', 10) if self._options.clock else None
        self._image_message: Any = CompressedImage() if compressed else Image()
        self._depth_message = Image()

    def run(self, stop: threading.Event | None = None) -> PlayReport:
        """
        Play everything, or until ``stop`` is set; return the counts.

        :raises PlayerError: when there is no frame, or nobody subscribed in time.
        """
        stop = stop or threading.Event()
        self._await_subscribers(stop)
        stop.wait(self._options.delay)
        report = PlayReport()
        first = time.monotonic()
        pace = Pace(first)
        while not stop.is_set():
            before = report.images
            for due, stamp, frame, jpeg in prefetch(self._schedule(), stop):
                if stop.wait(pace.wait(due, time.monotonic())):
                    break
                report.latest = max(report.latest, pace.late(due, time.monotonic()))
                self._publish(frame, stamp, jpeg, report)
            if report.images == before and not stop.is_set():
                raise PlayerError('the data set has no readable frame')
            report.rounds += 1
            if not self._options.loop:
                break
            pace = Pace(time.monotonic() + self._gap)
        report.seconds = time.monotonic() - first
        self._finish()
        return report

    def destroy(self) -> None:
        """Take the topics away."""
        for publisher in (self._image, self._info, self._depth, self._clock):
            if publisher is not None:
                self._node.destroy_publisher(publisher)

    def _schedule(self) -> Iterator[tuple[float, int, Frame, tuple[str, bytes] | None]]:
        """Yield time (seconds from the first), stamp, frame, and its JPEG if that is wanted."""
        options = self._options
        period_ns = round(1e9 / options.rate) if options.rate else DEFAULT_PERIOD_NS
        due, previous = 0.0, None
        self._gap = period_ns / 1e9
        for index, frame in enumerate(self._frames):
            stamp = frame.stamp_ns or FIRST_STAMP_NS + index * period_ns
            if options.rate:
                due = index / options.rate
            elif previous is not None:
                # A step back (two recordings in one folder) is played without a pause.
                step = max(0, stamp - previous) / 1e9 / options.speed
                due += step
                self._gap = step
            previous = stamp
            jpeg = encode_jpeg(frame.image) if options.transport == 'compressed' else None
            yield due, stamp, frame, jpeg

    def _publish(self, frame: Frame, stamp: int, jpeg: tuple[str, bytes] | None,
                 report: PlayReport) -> None:
        """Publish one frame: clock, camera_info, depth, image."""
        if self._options.stamps == 'now':
            stamp = self._node.get_clock().now().nanoseconds
        header = header_at(stamp, self._options.frame_id)
        if self._clock is not None:
            self._clock.publish(Clock(clock=header.stamp))
        self._info.publish(camera_info(frame.intrinsics, header))
        report.infos += 1
        if frame.depth is not None and self._depth.get_subscription_count():
            self._depth.publish(fill_image(self._depth_message, frame.depth, '32FC1', header))
            report.depths += 1
        if jpeg is not None:
            fill_compressed(self._image_message, *jpeg, header)
        else:
            fill_image(self._image_message, frame.image, 'rgb8', header)
        self._image.publish(self._image_message)
        report.images += 1
        if not report.rounds:
            report.stamps.append(stamp)

    def _await_subscribers(self, stop: threading.Event) -> None:
        end = time.monotonic() + self._options.wait
        if not self._options.wait:
            return
        wanted = {'image': self._image, 'camera_info': self._info}
        while missing := [publisher.topic_name for publisher in wanted.values()
                          if not publisher.get_subscription_count()]:
            if time.monotonic() > end:
                raise PlayerError(
                    f"nobody subscribes to {' and '.join(missing)} after "
                    f'{self._options.wait:.0f} s: start the node first, or name its topics')
            if stop.wait(.02):
                return

    def _finish(self) -> None:
        """Let the last frames arrive before the publishers go."""
        if self._options.reliability == qos.RELIABLE:
            self._image.wait_for_all_acked(Duration(seconds=5))
        else:
            time.sleep(.2)


def play(frames: Iterable[Frame], options: PlayOptions, stop: threading.Event | None = None,
         namespace: str = '') -> PlayReport:
    """
    Play with a node and a context of its own; signals are left to the caller.

    :raises PlayerError: as :meth:`Player.run`.
    """
    context = rclpy.Context()
    rclpy.init(context=context, args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('mde_player', context=context, namespace=namespace or None)
    try:
        return Player(node, frames, options).run(stop)
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def encode_jpeg(image: NDArray[np.uint8]) -> tuple[str, bytes]:
    """Return format and data of a CompressedImage as image_transport writes them."""
    _, data = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
                           [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return 'rgb8; jpeg compressed bgr8', data.tobytes()
