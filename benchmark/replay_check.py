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

"""
Play a bag or folder to a depth node in another process and check what comes out, frame by frame.

For each reliability: every frame played is processed or counted, none is lost by transport, every
output carries the header of its image, the cloud agrees with the depth image. Exit code 1 if not.
"""

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

# Metres by which the cloud may differ from the depth image.
TOLERANCE = 1e-4
QUIET_SECONDS = 2.0
SETTLE_SECONDS = 20.0
START_SECONDS = 60.0
LOCAL = 'ROS_AUTOMATIC_DISCOVERY_RANGE'


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', metavar='WHAT', help='bag or RGB-D folder')
    parser.add_argument('--rate', type=float, default=30.0)
    parser.add_argument('--limit', type=int, metavar='N', help='only the first N frames')
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--transport', choices=('raw', 'compressed'), default='raw')
    parser.add_argument('--reliability', nargs='+', default=['reliable', 'best_effort'],
                        choices=('reliable', 'best_effort'))
    parser.add_argument('--parameter', nargs='*', default=[], metavar='NAME:=VALUE',
                        help='parameters of the node')
    parser.add_argument('--domain', type=int, default=int(os.environ.get('ROS_DOMAIN_ID', 78)))
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args(arguments)


class Listener:
    """Subscribe to the outputs of the node and keep what the checks need."""

    def __init__(self, domain: int) -> None:
        """Start to listen in a thread."""
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        from mde_ros.nodes import qos
        os.environ[LOCAL] = 'LOCALHOST'
        self._rclpy, self._context = rclpy, rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = rclpy.create_node('replay_check', context=self._context)
        self.headers: dict[str, list[tuple[int, str]]] = {}
        self.worst, self.compared = 0.0, 0
        self.valid: list[float] = []
        self._depths: dict[int, np.ndarray] = {}
        self._waiting: list[tuple[np.ndarray, Any]] = []
        self._intrinsics: Any = None
        self.status: dict[str, str] = {}
        self.last = time.monotonic()
        from diagnostic_msgs.msg import DiagnosticArray
        from sensor_msgs.msg import CameraInfo, Image, PointCloud2
        for topic, kind in (('depth/image_rect', Image), ('points', PointCloud2),
                            ('depth/camera_info', CameraInfo), ('depth/color', Image)):
            self.headers[topic] = []
            self._node.create_subscription(
                kind, topic, lambda message, topic=topic: self._on_output(topic, message),
                qos.profile(qos.RELIABLE, 50))
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin)
        self._thread.start()

    def await_node(self, process: 'subprocess.Popen[bytes]') -> None:
        """Wait until the node is configured and its outputs are connected to this listener."""
        end = time.monotonic() + START_SECONDS
        while not self.status or not all(map(self._node.count_publishers, self.headers)):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit('the node did not start: see its output above')
            time.sleep(.1)
        # The node has to find this listener too: until then its frames are 'idle'.
        time.sleep(1)

    def settled(self, images: int) -> bool:
        """Return whether the node has counted every image and published what it processed."""
        status = self.status
        return (int(status.get('received', 0)) >= images
                and len(self.headers['depth/color']) >= int(status['processed'])
                and sum(int(value) for key, value in status.items()
                        if key == 'processed' or key.startswith('dropped')) >= images)

    def close(self) -> None:
        """Stop listening."""
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()
        self._rclpy.shutdown(context=self._context)

    def _on_output(self, topic: str, message: Any) -> None:
        from mde_ros.nodes.messages import stamp_ns
        stamp = stamp_ns(message.header)
        self.last = time.monotonic()
        self.headers[topic].append((stamp, message.header.frame_id))
        if topic == 'depth/image_rect':
            depth = np.frombuffer(message.data, np.float32).reshape(message.height, message.width)
            self.valid.append(float(np.isfinite(depth).mean()))
            self._depths[stamp] = depth
        elif topic == 'depth/camera_info':
            from mde_ros.camera.intrinsics import Intrinsics
            self._intrinsics = Intrinsics.from_camera_info(message, rectified=True)
        elif topic == 'points' and stamp in self._depths:
            self._waiting.append((self._depths.pop(stamp), message))
        # Topics keep no order among each other: a cloud may come before the first camera_info.
        while self._waiting and self._intrinsics is not None:
            self._compare(*self._waiting.pop(0))

    def _compare(self, depth: np.ndarray, message: Any) -> None:
        """Project the depth image with the published camera_info and compare the clouds."""
        cloud = np.frombuffer(message.data, np.float32).reshape(
            message.height, message.width, -1)[..., :3]
        stride = -(-depth.shape[0] // message.height)
        # In float64 and not with the geometry of the package, which is under test here.
        k = self._intrinsics
        v, u = np.mgrid[:depth.shape[0], :depth.shape[1]]
        z = np.where(np.isfinite(depth), depth, np.nan).astype(np.float64)
        expected = np.stack([(u - k.cx) / k.fx * z, (v - k.cy) / k.fy * z, z],
                            -1)[::stride, ::stride]
        same = np.isfinite(cloud) == np.isfinite(expected)
        error = np.nanmax(np.abs(cloud - expected)) if np.isfinite(depth).any() else 0.0
        self.worst = max(self.worst, float(error) if same.all() else np.inf)
        self.compared += 1

    def _on_status(self, message: Any) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            # A node that shuts down says so without counts.
            if 'received' in values:
                self.status = values


def start_node(options: argparse.Namespace, environment: dict[str, str]
               ) -> 'subprocess.Popen[bytes]':
    """Start the depth node as a user would."""
    return subprocess.Popen(
        [sys.executable, '-m', 'mde_ros.nodes.depth_node', '--ros-args', '-p',
         f'weights:={options.weights}', '-p', f'image_transport:={options.transport}', '-p',
         'diagnostics_period:=0.2', '--log-level', 'warn',
         *(word for setting in options.parameter for word in ('-p', setting))], env=environment)


def check(options: argparse.Namespace, reliability: str) -> dict[str, Any]:
    """Play once; return what was found, with 'failures' in words."""
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(options.domain), LOCAL: 'LOCALHOST'}
    counts = Path(f'/tmp/replay_check_{os.getpid()}.json')
    node = start_node(options, environment)
    listener = Listener(options.domain)
    try:
        command = [sys.executable, '-m', 'mde_ros.command_line.main', 'play', options.what,
                   '--rate', str(options.rate), '--reliability', reliability, '--transport',
                   options.transport, '--wait-for-subscribers', '60', '--delay', '1',
                   '--no-depth', '--stamps', 'now', '--json', str(counts)]
        if options.limit:
            command += ['--limit', str(options.limit)]
        listener.await_node(node)
        subprocess.run(command, env=environment, check=True)
        listener.last = time.monotonic()
        # On a busy machine the last frames, and what counts them, take their time.
        late = listener.last + SETTLE_SECONDS
        while (time.monotonic() - listener.last < QUIET_SECONDS
               or (time.monotonic() < late and not listener.settled(json.loads(
                   counts.read_text())['images']))):
            time.sleep(.1)
    finally:
        node.send_signal(signal.SIGINT)
        code = node.wait(20)
        listener.close()
    played = json.loads(counts.read_text())
    counts.unlink()
    return judge(reliability, played, listener, code)


def judge(reliability: str, played: dict[str, Any], listener: Listener, code: int
          ) -> dict[str, Any]:
    """Compare what was played with what the node counted and what it published."""
    status = listener.status
    if not status:
        raise SystemExit('no count of frames was heard on /diagnostics: did the node start?')
    sent = played['stamps']
    received, processed = int(status['received']), int(status['processed'])
    dropped = {key: int(value) for key, value in status.items() if key.startswith('dropped')}
    lost = len(sent) - received
    failures = []
    if received != processed + sum(dropped.values()):
        failures.append(f'{received} received are not {processed} processed + {dropped}')
    if lost:
        failures.append(f'{lost} lost by transport ({status["lost before the node"]} noticed)')
    for topic, headers in listener.headers.items():
        stamps = [stamp for stamp, _ in headers]
        if len(stamps) != processed:
            failures.append(f'{topic}: {len(stamps)} messages for {processed} frames')
        if not set(stamps) <= set(sent) or len(set(stamps)) != len(stamps):
            failures.append(f'{topic}: stamps that no image had')
        if {frame for _, frame in headers} != {'camera_optical_frame'}:
            failures.append(f'{topic}: another frame_id than the image')
    if not listener.compared or listener.worst > TOLERANCE:
        failures.append(f'cloud and depth differ by {listener.worst} m')
    if code != 0:
        failures.append(f'the node ended with {code}')
    return {'reliability': reliability, 'played': len(sent), 'rate_hz': played['rate_hz'],
            'received': received, 'lost': lost, 'processed': processed, 'dropped': dropped,
            'clouds_compared': listener.compared, 'worst_difference_m': listener.worst,
            'valid_share': round(float(np.mean(listener.valid or [0])), 3),
            'age_ms': {key: status[f'age {key} (ms)'] for key in ('p50', 'p95', 'p99')},
            'inference_ms': {key: status[f'inference {key} (ms)'] for key in ('p50', 'p95')},
            'stages_ms': {key.split()[0]: value for key, value in status.items()
                          if key.endswith('p50 (ms)') and key[:4] not in ('age ', 'infe')},
            'model': status['model'], 'qos': {k: v for k, v in status.items() if 'QoS' in k},
            'failures': failures}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results for people, one column a reliability."""
    lines = {
        'subscription and publisher': lambda row: row['reliability'],
        'frames played': lambda row: row['played'],
        'at (Hz)': lambda row: row['rate_hz'],
        'received': lambda row: row['received'],
        'lost by transport': lambda row: row['lost'],
        'processed': lambda row: row['processed'],
        'dropped, network busy': lambda row: row['dropped'].get('dropped_busy', 0),
        'dropped otherwise': lambda row: sum(row['dropped'].values())
        - row['dropped'].get('dropped_busy', 0),
        'cloud and depth differ by (m)': lambda row: f"{row['worst_difference_m']:.1e}",
        'age of depth p50 / p95 (ms)': lambda row: ' / '.join(
            row['age_ms'][rank] for rank in ('p50', 'p95')),
        'inference p50 / p95 (ms)': lambda row: ' / '.join(
            row['inference_ms'][rank] for rank in ('p50', 'p95')),
        'model': lambda row: row['model'],
    }
    text = [f'{name:32}' + ''.join(f'{value(row)!s:>18}' for row in rows)
            for name, value in lines.items()]
    text += [f"{row['reliability']}: " + (
        'FAILED: ' + '; '.join(row['failures']) if row['failures'] else 'all checks passed')
        for row in rows]
    return '\n'.join(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if a check failed."""
    options = parse(arguments)
    rows = [check(options, reliability) for reliability in options.reliability]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps({
            'command': 'python benchmark/replay_check.py ' + ' '.join(arguments or sys.argv[1:]),
            'machine': {'cores': os.cpu_count(), 'load': round(os.getloadavg()[0], 1)},
            'rows': rows}, indent=1) + '\n')
    return int(any(row['failures'] for row in rows))


if __name__ == '__main__':
    sys.exit(main())
