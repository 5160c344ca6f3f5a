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
Count the images that arrive between two processes, by size, reliability and Fast DDS profile.

Run it on the robot: python benchmark/transport.py --size 640x480 --rate 30 --frames 120
"""

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
import time

from mde_ros.command_line.arguments import parse_size
from mde_ros.nodes.transport import OPT_OUT, VARIABLES

QUIET_SECONDS = 1.5


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=parse_size, nargs='+', default=[(640, 480)])
    parser.add_argument('--rate', type=float, default=30.0)
    parser.add_argument('--frames', type=int, default=120)
    parser.add_argument('--publisher', choices=('reliable', 'best_effort'), default='reliable')
    parser.add_argument('--domain', type=int, default=int(os.environ.get('ROS_DOMAIN_ID', 77)))
    parser.add_argument('--json', type=Path, metavar='FILE')
    parser.add_argument('--strict', action='store_true',
                        help='exit with 1 if an image is lost with the profile')
    parser.add_argument('--role', choices=('send', 'receive'), help=argparse.SUPPRESS)
    parser.add_argument('--reliability', help=argparse.SUPPRESS)
    parser.add_argument('--profile', help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def send(options: argparse.Namespace) -> dict[str, float]:
    """Publish the images evenly; return how many."""
    import numpy as np
    import rclpy
    from sensor_msgs.msg import Image

    from mde_ros.nodes import qos
    from mde_ros.nodes.messages import fill_image, header_at

    width, height = options.size[0]
    rclpy.init()
    node = rclpy.create_node('transport_sender')
    publisher = node.create_publisher(Image, 'image', qos.profile(options.publisher, 10))
    end = time.monotonic() + 10
    while not publisher.get_subscription_count() and time.monotonic() < end:
        time.sleep(.02)
    time.sleep(.3)
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    message = Image()
    began = time.monotonic()
    for index in range(options.frames):
        time.sleep(max(0.0, began + index / options.rate - time.monotonic()))
        # The stamp carries the time of publishing; both processes share the clock.
        publisher.publish(fill_image(message, pixels, 'rgb8', header_at(time.time_ns(), 'x')))
    seconds = time.monotonic() - began
    time.sleep(.5)
    node.destroy_node()
    rclpy.shutdown()
    return {'sent': options.frames, 'seconds': seconds}


def receive(options: argparse.Namespace) -> dict[str, float]:
    """Subscribe as the depth node does, until it is quiet; return counts and latencies."""
    import numpy as np
    import rclpy
    from sensor_msgs.msg import Image

    from mde_ros.nodes import qos
    from mde_ros.nodes.messages import stamp_ns
    from mde_ros.nodes.parameters import Settings

    rclpy.init()
    node = rclpy.create_node('transport_receiver')
    ages: list[float] = []
    node.create_subscription(
        Image, 'image', lambda m: ages.append((time.time_ns() - stamp_ns(m.header)) / 1e6),
        qos.profile(options.reliability, Settings().image_queue))
    last, count = time.monotonic(), 0
    while time.monotonic() - last < (QUIET_SECONDS if count else 15):
        rclpy.spin_once(node, timeout_sec=.1)
        if len(ages) > count:
            last, count = time.monotonic(), len(ages)
    node.destroy_node()
    rclpy.shutdown()
    median, p95 = np.percentile(ages, (50, 95)) if ages else (float('nan'),) * 2
    return {'received': count, 'median_ms': round(float(median), 2),
            'p95_ms': round(float(p95), 2)}


def measure(options: argparse.Namespace, size: tuple[int, int], reliability: str,
            profile: str) -> dict[str, object]:
    """Run both processes once."""
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(options.domain),
                   'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    for name in VARIABLES:
        environment.pop(name, None)
    if profile == 'stock':
        environment[OPT_OUT] = '1'
    common = [sys.executable, __file__, '--size', '{}x{}'.format(*size), '--rate',
              str(options.rate), '--frames', str(options.frames), '--publisher',
              options.publisher, '--reliability', reliability, '--profile', profile]
    receiver, sender = (subprocess.Popen(
        [*common, '--role', role], env=environment, stdout=subprocess.PIPE, text=True)
        for role in ('receive', 'send'))
    results = [json.loads(process.communicate(timeout=120)[0].splitlines()[-1])
               for process in (receiver, sender)]
    return {'size': '{}x{}'.format(*size), 'reliability': reliability, 'profile': profile,
            **results[1], **results[0]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 with --strict when the profile loses images."""
    options = parse(arguments)
    if options.role:
        from mde_ros.nodes.transport import export_large_image_profile
        export_large_image_profile()
        print(json.dumps({'send': send, 'receive': receive}[options.role](options)))
        return 0
    rows = []
    print(f'{options.publisher} publisher, {options.rate:g} Hz, rgb8\n'
          f"{'size':>10} {'subscriber':>12} {'profile':>13} {'received':>9} "
          f"{'median':>8} {'p95':>8}")
    for size in options.size:
        for profile in ('stock', 'large_images'):
            for reliability in ('reliable', 'best_effort'):
                if (options.publisher, reliability) == ('best_effort', 'reliable'):
                    continue
                row = measure(options, size, reliability, profile)
                rows.append(row)
                print(f"{row['size']:>10} {reliability:>12} {profile:>13} "
                      f"{row['received']:>4}/{row['sent']:<4} {row['median_ms']:>5} ms "
                      f"{row['p95_ms']:>5} ms", flush=True)
    if options.json:
        options.json.write_text(json.dumps({
            'command': 'python benchmark/transport.py ' + ' '.join(arguments or sys.argv[1:]),
            'machine': {'cores': os.cpu_count(), 'load': round(os.getloadavg()[0], 1)},
            'publisher': options.publisher, 'rows': rows}, indent=1) + '\n')
    lost = any(row['profile'] != 'stock' and row['received'] != row['sent'] for row in rows)
    return int(options.strict and lost)


if __name__ == '__main__':
    sys.exit(main())
