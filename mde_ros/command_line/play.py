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

"""``mde play``: publish a bag or an RGB-D folder as the topics of a camera."""

import argparse
import json
from pathlib import Path
import signal
import threading
from typing import Any

from mde_ros.errors import MdeError


class PlayError(MdeError):
    """Options of ``mde play`` that do not go together, or no ROS 2."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('what', metavar='WHAT', help='bag or RGB-D folder')
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument('--rate', type=float, metavar='HZ',
                      help='frames per second, instead of what the stamps say')
    pace.add_argument('--speed', type=float, default=1.0, metavar='X',
                      help='play the stamps X times as fast')
    parser.add_argument('--loop', action='store_true', help='start again at the end')
    parser.add_argument('--split', help='only this split of a folder, such as score')
    parser.add_argument('--limit', type=int, metavar='N', help='only the first N frames')
    parser.add_argument('--namespace', default='', metavar='NS', help='namespace of the topics')
    parser.add_argument('--image-topic', default='image', metavar='TOPIC')
    parser.add_argument('--camera-info-topic', default='camera_info', metavar='TOPIC')
    parser.add_argument('--depth-topic', default='depth/reference', metavar='TOPIC',
                        help='where the depth of the data goes (32FC1)')
    parser.add_argument('--no-depth', action='store_true', help='do not read the depth at all')
    parser.add_argument('--frame-id', default='camera_optical_frame', metavar='NAME')
    parser.add_argument('--reliability', choices=('reliable', 'best_effort'), default='reliable')
    parser.add_argument('--transport', choices=('raw', 'compressed'), default='raw',
                        help='compressed publishes JPEG on TOPIC/compressed')
    parser.add_argument('--stamps', choices=('original', 'now'), default='original')
    parser.add_argument('--clock', action='store_true',
                        help='publish the stamps on /clock, for nodes with use_sim_time')
    parser.add_argument('--wait-for-subscribers', type=float, nargs='?', const=10.0, default=0.0,
                        metavar='S', help='wait (S seconds at most) until a node subscribes')
    parser.add_argument('--delay', type=float, default=0.0, metavar='S',
                        help='seconds to wait before the first frame')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the counts to FILE')


def run(arguments: argparse.Namespace) -> int:
    """Play; return 0."""
    try:
        from mde_ros.nodes.player import play, PlayOptions
    except ImportError as error:
        raise PlayError(f'ROS 2 (rclpy) cannot be imported: {error}; source its setup.bash, or '
                        'pip install -r requirements-ros.txt') from error
    from mde_ros.datasets.open_dataset import open_dataset
    from mde_ros.nodes.transport import export_large_image_profile

    source = open_dataset(arguments.what, split=arguments.split,
                          read_depth=not arguments.no_depth)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(export_large_image_profile())
    report = play(_Limited(source, arguments.limit), PlayOptions(
        rate=arguments.rate, speed=arguments.speed, loop=arguments.loop,
        image_topic=arguments.image_topic, info_topic=arguments.camera_info_topic,
        depth_topic=arguments.depth_topic, frame_id=arguments.frame_id,
        reliability=arguments.reliability, transport=arguments.transport,
        stamps=arguments.stamps, clock=arguments.clock,
        wait=arguments.wait_for_subscribers, delay=arguments.delay), stop, arguments.namespace)
    rate = (report.images - 1) / report.seconds if report.seconds and report.images > 1 else 0.
    skipped = dict(source.skipped)
    print(f'{arguments.what}: {report.images} images, {report.infos} camera_info, '
          f'{report.depths} depth images in {report.seconds:.2f} s ({rate:.2f} Hz), latest '
          f'{1000 * report.latest:.0f} ms late; skipped: {skipped or "none"}')
    if arguments.json:
        arguments.json.write_text(json.dumps({
            'source': str(arguments.what), 'images': report.images, 'camera_info': report.infos,
            'depth': report.depths, 'rounds': report.rounds,
            'seconds': round(report.seconds, 3), 'rate_hz': round(rate, 3),
            'latest_ms': round(1000 * report.latest, 1), 'reliability': arguments.reliability,
            'transport': arguments.transport, 'skipped': skipped,
            'stamps': report.stamps}, indent=1) + '\n')
    return 0


class _Limited:
    """The first frames of a source, as often as it is iterated."""

    def __init__(self, source: Any, limit: int | None) -> None:
        self._source, self._limit = source, limit

    def __iter__(self) -> Any:
        """Yield at most ``limit`` frames."""
        from itertools import islice
        return islice(iter(self._source), self._limit)
