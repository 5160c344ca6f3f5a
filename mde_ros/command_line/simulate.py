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

"""``mde simulate``: render labelled rooms into an RGB-D folder or a bag."""

import argparse
import json
from pathlib import Path
import time

from mde_ros.simulation.generator import generate, Settings
from mde_ros.simulation.room import SimulationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('--out', type=Path, required=True, help='RGB-D folder')
    parser.add_argument('--frames', type=int, required=True, help='pictures to render')
    parser.add_argument('--seed', type=int, default=0, help='the same seed gives the same rooms')
    parser.add_argument('--size', default='320x240', help='WxH in pixels')
    parser.add_argument('--focal', type=float, help='focal length in pixels; drawn if absent')
    parser.add_argument('--camera', default='neutral', help='appearance of the camera')
    parser.add_argument('--weather', default='clear', help='fog')
    parser.add_argument('--views-per-room', type=int, default=12, help='pictures of one room')
    parser.add_argument('--room', help='one room type instead of all')
    parser.add_argument('--workers', type=int, default=2, help='processes')
    parser.add_argument('--json', type=Path, help='write counts and speed here')


def run(arguments: argparse.Namespace) -> int:
    """Render; return 0."""
    try:
        width, height = (int(v) for v in arguments.size.lower().split('x'))
    except ValueError as error:
        raise SimulationError(f'--size {arguments.size}: give WIDTHxHEIGHT, as 320x240') from error
    settings = Settings(arguments.seed, width, height, arguments.views_per_room, arguments.room,
                        arguments.camera, arguments.weather, arguments.focal)
    start = time.monotonic()
    last = [start]

    def report(done: int, total: int) -> None:
        now = time.monotonic()
        if now - last[0] > 20 or done == total:
            last[0] = now
            print(f'{done}/{total} frames, {(now - start):.0f} s', flush=True)

    result = generate(arguments.out, arguments.frames, settings, arguments.workers, report)
    seconds = time.monotonic() - start
    result.update(seed=arguments.seed, seconds=round(seconds, 2),
                  frames_per_second=round(result['rendered'] / max(seconds, 1e-9), 2))
    print(f"{result['rendered']} frames rendered, {result['skipped']} were there, "
          f"{result['frames_per_second']} frames/s: {arguments.out}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0
