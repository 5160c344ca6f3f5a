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

"""How a depth node keeps up with a camera through DDS: dropped frames, age, memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
import json
import os
from pathlib import Path
import struct
import subprocess
import sys
import threading
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, PointCloud2

from mde_ros.errors import MdeError
from mde_ros.nodes import qos
from mde_ros.nodes.node_process import check_runs, Process, running_node
from mde_ros.nodes.transport import export_large_image_profile

START_LIMIT = 60.
SETTLE = 1.
CLOUD = 'points'


class RateError(MdeError):
    """A live measurement that could not be made."""


@dataclass(frozen=True)
class RateOptions:
    """
    What is measured.

    :param frames: that the camera sends.
    :param cloud: subscribe to the cloud as well.
    :param parameters: of the depth node.
    """

    width: int = 640
    height: int = 480
    rate: float = 30.
    frames: int = 300
    cloud: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)


class RateListener:
    """
    Take the outputs without unpacking them, note stamps and arrivals.

    Only the header is read: a listener in Python that unpacks a cloud of 10 MB would take the
    core that is measured.
    """

    def __init__(self, node: Node, cloud: bool) -> None:
        """Subscribe."""
        self._clock = node.get_clock()
        #: Seconds from stamp to arrival, by topic.
        self.ages: dict[str, list[float]] = {}
        self.status: dict[str, str] = {}
        self.first = 0.
        topics = [('depth/image_rect', Image), *([(CLOUD, PointCloud2)] if cloud else [])]
        for topic, kind in topics:
            self.ages[topic] = []
            node.create_subscription(
                kind, topic, lambda data, topic=topic: self._note(topic, data),
                qos.profile(qos.RELIABLE, 5), raw=True)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)

    def _note(self, topic: str, data: bytes) -> None:
        self.first = self.first or time.monotonic()
        self.ages[topic].append(self._clock.now().nanoseconds / 1e9 - stamp_of(data))

    def _on_status(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if 'received' in values:
                self.status = values


def stamp_of(data: bytes) -> float:
    """Return the seconds of the header that a serialised message starts with."""
    # Four bytes say how the rest is encoded; the second one's last bit is the byte order.
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return float(seconds + nanoseconds / 1e9)


def measure_rate(options: RateOptions) -> dict[str, Any]:
    """
    Start a depth node and a camera, each in a process; return what came of every frame.

    :raises RateError: when nothing was measured.
    """
    with _listening(options.cloud) as (namespace, listener, node), running_node(
            namespace, {'diagnostics_period': .2, **options.parameters}) as process:
        _wait(lambda: bool(listener.status) and all(
            node.count_publishers(topic) for topic in listener.ages), process)
        # The node has to find this listener too: until then its frames are 'idle'.
        time.sleep(1)
        camera = _camera(namespace, options)
        try:
            sent, memory, cpu = _watch(camera, process)
        finally:
            camera.kill()
            camera.wait()
    if not sent.get('published') or not any(listener.ages.values()):
        raise RateError('no image was sent or no depth came back: check ROS_DOMAIN_ID and the log '
                        'of the node above')
    return {**summary(options, sent, listener), 'memory_mb': memory, 'node_cpu_share': cpu}


def measure_start(options: RateOptions) -> float:
    """
    Return the seconds from starting a depth node to its first depth; the camera runs already.

    :raises RateError: when none comes.
    """
    with _listening(False) as (namespace, listener, _):
        camera = _camera(namespace, replace(options, frames=round(
            START_LIMIT * options.rate)))
        try:
            time.sleep(2)  # for the camera's own start
            began = time.monotonic()
            with running_node(namespace, options.parameters) as process:
                _wait(lambda: bool(listener.first), process)
        finally:
            camera.kill()
            camera.wait()
    return round(listener.first - began, 2)


def _wait(done: Callable[[], bool], process: Process) -> None:
    limit = time.monotonic() + START_LIMIT
    while not done():
        check_runs(process, 'at its start')
        if time.monotonic() > limit:
            raise RateError(f'no depth node or no depth after {START_LIMIT:.0f} s: check its log '
                            'above')
        time.sleep(.01)


def summary(options: RateOptions, sent: Mapping[str, Any],
            listener: RateListener) -> dict[str, Any]:
    """Return the counts and ages as JSON has them."""
    status = listener.status
    dropped = {key: int(value) for key, value in status.items() if key.startswith('dropped')}
    stages = {key.removesuffix(' p50 (ms)'): float(value) for key, value in status.items()
              if key.endswith(' p50 (ms)') and value != '-'}
    return {
        'size': f'{options.width}x{options.height}', 'rate_hz': options.rate,
        'cloud': options.cloud, 'sent': sent['published'],
        'received': int(status['received']), 'processed': int(status['processed']),
        'dropped': dropped, 'camera_late_ms_p95': sent['late_ms_p95'],
        # The node's own: from the stamp until everything of the frame is published.
        'node_age_ms': {rank: float(status[f'age {rank} (ms)']) for rank in ('p50', 'p95', 'p99')},
        'arrival_age_ms': {topic: {
            f'p{rank}': round(float(np.percentile(ages, rank)) * 1e3, 2) for rank in (50, 95, 99)
        } for topic, ages in listener.ages.items() if ages},
        'arrived': {topic: len(ages) for topic, ages in listener.ages.items()},
        'stages_ms_p50': stages, 'device': status['device'], 'model': status['model']}


def _camera(namespace: str, options: RateOptions) -> Process:
    return subprocess.Popen(
        [sys.executable, '-m', 'mde_ros.nodes.rate_camera', '--namespace', namespace,
         '--width', str(options.width), '--height', str(options.height),
         '--rate', str(options.rate), '--frames', str(options.frames)], stdout=subprocess.PIPE)


def _watch(camera: Process, node: Process) -> tuple[dict[str, Any], list[float], float]:
    """Wait for the camera; return its report, the node's memory over time and CPU share."""
    memory: list[float] = []
    began, used = time.monotonic(), _cpu_seconds(node.pid)
    while camera.poll() is None:
        check_runs(node, 'while frames were sent')
        memory.append(_memory_mb(node.pid))
        with suppress(subprocess.TimeoutExpired):
            camera.wait(1)
    share = (_cpu_seconds(node.pid) - used) / max(1e-3, time.monotonic() - began)
    assert camera.stdout is not None
    sent = json.loads(camera.stdout.read() or '{}')
    time.sleep(SETTLE)  # the last diagnostics
    return sent, memory, round(share, 3)


def _memory_mb(pid: int) -> float:
    """Return the resident memory of a process, NaN where the system does not tell."""
    try:
        pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return float('nan')
    return round(pages * os.sysconf('SC_PAGE_SIZE') / 1e6, 1)


def _cpu_seconds(pid: int) -> float:
    try:
        words = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return float('nan')
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


@contextmanager
def _listening(cloud: bool) -> Iterator[tuple[str, RateListener, Node]]:
    """Spin a listener of its own namespace in a thread."""
    export_large_image_profile()
    namespace = f'/mde_rate_{os.getpid()}'
    context = rclpy.Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('mde_rate', context=context, namespace=namespace)
    listener = RateListener(node, cloud)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        with suppress(ExternalShutdownException):
            executor.spin()
    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield namespace, listener, node
    finally:
        executor.shutdown(timeout_sec=5)
        thread.join(5)
        node.destroy_node()
        rclpy.shutdown(context=context)
