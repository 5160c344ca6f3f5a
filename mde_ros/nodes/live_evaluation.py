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

"""Evaluates a real depth node: plays a data set to it and scores what it publishes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
import os
import threading
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from mde_ros.datasets.depth_codec import depth_to_metres
from mde_ros.datasets.frame import Frame, FrameSource
from mde_ros.datasets.image_message import CodecError
from mde_ros.errors import MdeError
from mde_ros.evaluation.evaluator import Observer, select
from mde_ros.evaluation.live import DepthSpool, NodeCounts, score_live
from mde_ros.evaluation.result import EvaluationResult
from mde_ros.evaluation.scoring import ScoringOptions
from mde_ros.nodes import qos
from mde_ros.nodes.messages import stamp_ns
from mde_ros.nodes.node_process import (
    check_runs, end_of, peak_memory_of, Process, running_node)
from mde_ros.nodes.player import Player, PlayOptions
from mde_ros.nodes.transport import export_large_image_profile

# Seconds that a node may take to load its weights and subscribe.
START_LIMIT = 60.
# Seconds after the last frame that the node may take to finish and to report.
SETTLE_LIMIT = 15.


class LiveError(MdeError):
    """No node answers."""


@dataclass(frozen=True)
class LiveOptions:
    """
    How to run a live evaluation.

    :param namespace: of a running node; None starts one of this package, only for this.
    :param parameters: of the node that is started.
    :param rate: frames per second; None follows the stamps.
    :param reliability: of the image publisher, 'reliable' or 'best_effort'.
    :param transport: 'raw' or 'compressed'.
    :param limit: frames to play; None plays all.
    """

    namespace: str | None = None
    parameters: Mapping[str, Any] | None = None
    rate: float | None = None
    reliability: str = qos.RELIABLE
    transport: str = 'raw'
    every: int = 1
    limit: int | None = None


class Listener:
    """Collects a node's depth images and the counts of its diagnostics."""

    def __init__(self, node: Node) -> None:
        """Subscribe in the namespace of ``node``."""
        self.spool = DepthSpool()
        self.broken = 0
        self._clock = node.get_clock()
        self._image_topic = node.resolve_topic_name('image')
        self._counts: NodeCounts | None = None
        self._news = threading.Condition()
        # Deep enough for a burst: what the node published must not be lost here.
        node.create_subscription(
            Image, 'depth/image_rect', self._on_depth, qos.profile(qos.RELIABLE, 30))
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    @property
    def counts(self) -> NodeCounts | None:
        """Return the latest counts of the node, None before its first report."""
        with self._news:
            return self._counts

    def wait(self, wanted: Any, seconds: float) -> bool:
        """Wait until ``wanted(counts)`` holds; return whether it does."""
        with self._news:
            return self._news.wait_for(
                lambda: self._counts is not None and wanted(self._counts), seconds)

    def _on_depth(self, message: Image) -> None:
        now = self._clock.now().nanoseconds
        try:
            self.spool.add(stamp_ns(message.header), now, depth_to_metres(message))
        except CodecError:
            self.broken += 1

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            # hardware_id names the image topic, with /compressed for that transport.
            if status.hardware_id.removesuffix('/compressed') == self._image_topic:
                with self._news:
                    self._counts = NodeCounts.from_values(
                        {pair.key: pair.value for pair in status.values})
                    self._news.notify_all()


def evaluate_live(source: FrameSource, options: ScoringOptions, live: LiveOptions, *,
                  border: int = 0, observers: list[Observer] | None = None) -> EvaluationResult:
    """
    Play a data set to a depth node in another process and score the depth that comes back.

    Images are stamped with the time they are sent at, so that ages are true.

    :raises LiveError: when no node answers.
    :raises mde_ros.nodes.node_process.NodeProcessError: when the node that is started ends.
    :raises mde_ros.evaluation.evaluator.EvaluationError: when nothing could be scored.
    """
    export_large_image_profile()
    namespace = live.namespace or f'/mde_evaluate_{os.getpid()}'
    # Offline, predictions are clamped, not cut: the widest range gives equal numbers.
    parameters = {'min_depth': 0., 'max_depth': 1000., 'diagnostics_period': .5,
                  'image_transport': live.transport, **(live.parameters or {})}
    context = rclpy.Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('mde_evaluate', context=context, namespace=namespace)
    listener = Listener(node)
    try:
        with _spinning(node, context), (
                nullcontext() if live.namespace else running_node(namespace, parameters)
        ) as process:
            stamps, counts = _play(node, listener, source, live, process)
            memory = peak_memory_of(process.pid) if process else None
        result = score_live(
            source, _Selection(source, live), stamps, listener.spool, counts, options,
            border=border, observers=observers or [])
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
        listener.spool.close()
    assert result.live is not None
    result.live.update(
        rate_hz=live.rate, reliability=live.reliability, transport=live.transport,
        node_peak_memory_mb=memory, depth_unreadable=listener.broken,
        depth_repeated=listener.spool.repeated)
    result.settings.update(every=live.every, limit=live.limit)
    return result


def _play(node: Node, listener: Listener, source: FrameSource, live: LiveOptions,
          process: Process | None) -> tuple[list[int], NodeCounts]:
    """Play everything; return the stamps sent and the node's counts of that time."""
    _await_node(listener, process)
    before = listener.counts or NodeCounts()
    player = Player(node, _Selection(source, live), PlayOptions(
        rate=live.rate, reliability=live.reliability, transport=live.transport, stamps='now',
        wait=START_LIMIT))
    report = player.run(end_of(process))

    def settled(now: NodeCounts) -> bool:
        news = now.since(before)
        done = news.processed + sum(news.dropped.values())
        return news.received + news.lost >= report.images and done >= news.received
    if process is None or process.poll() is None:
        listener.wait(settled, SETTLE_LIMIT)
    player.destroy()
    check_runs(process, 'while frames were played to it')
    counts = (listener.counts or NodeCounts()).since(before)
    end = time.monotonic() + 2
    # The last report may overtake the last depth image.
    while len(listener.spool) < counts.processed and time.monotonic() < end:
        time.sleep(.02)
    return report.stamps, counts


def _await_node(listener: Listener, process: Process | None) -> None:
    """Wait until the node reports, which it does once it has loaded its weights."""
    end = time.monotonic() + START_LIMIT
    while not listener.wait(lambda _: True, .2):
        check_runs(process, 'at its start')
        if time.monotonic() > end:
            raise LiveError(
                f'no diagnostics of a depth node after {START_LIMIT:.0f} s: check its log, its '
                'namespace (--node) and ROS_DOMAIN_ID')


@contextmanager
def _spinning(node: Node, context: Any) -> Iterator[None]:
    """Spin a node in a thread."""
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        with suppress(ExternalShutdownException):
            executor.spin()
    thread = threading.Thread(target=spin, name='live evaluation', daemon=True)
    thread.start()
    try:
        yield
    finally:
        executor.shutdown(timeout_sec=5)
        thread.join(5)


class _Selection:
    """The frames of a source that are played, as often as they are wanted."""

    def __init__(self, source: FrameSource, live: LiveOptions) -> None:
        self._source, self._live = source, live

    def __iter__(self) -> Iterator[Frame]:
        """Yield the selected frames."""
        return select(self._source, self._live.every, self._live.limit)
