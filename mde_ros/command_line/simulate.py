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
import shutil
import time
from typing import Any

from mde_ros.camera.appearance import CAMERAS
from mde_ros.camera.weathers import WEATHERS
from mde_ros.datasets.bag_writer import (
    BagWriter, DEPTH_FORMATS, IMAGE_FORMATS, STORAGES, SUFFIXES)
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.generator import generate
from mde_ros.simulation.recipes import RECIPES
from mde_ros.simulation.scenes import Settings, TRAJECTORIES

REPORT_EVERY_S = 10.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('--out', type=Path, required=True,
                        help='RGB-D folder, or a bag NAME.mcap or NAME.db3')
    parser.add_argument('--frames', type=int, required=True, help='pictures to render')
    parser.add_argument('--seed', type=int, default=0, help='the same seed gives the same rooms')
    parser.add_argument('--camera', default='neutral', help=f"look: {', '.join(CAMERAS)}")
    parser.add_argument('--weather', default='clear', help=f"air: {', '.join(WEATHERS)}")
    parser.add_argument('--size', default='320x240', help='WIDTHxHEIGHT in pixels')
    parser.add_argument('--focal', '--fx', type=float, metavar='PIXELS',
                        help='focal length; without it one is drawn for each view')
    parser.add_argument('--trajectory', default='random', choices=TRAJECTORIES,
                        help='views anywhere, or a robot that drives')
    parser.add_argument('--rate', type=float, default=10., help='frames a second of the stamps')
    parser.add_argument('--views-per-room', type=int,
                        help='pictures of one room (default: 12, a drive stays in one room)')
    parser.add_argument('--room', help=f"one room type: {', '.join(RECIPES)}")
    parser.add_argument('--workers', type=int, default=2, help='processes')
    parser.add_argument('--image-format', default='jpg', choices=('jpg', 'png'),
                        help='of the pictures in a folder')
    parser.add_argument('--storage', choices=tuple(STORAGES),
                        help='write --out as a bag folder of this storage')
    parser.add_argument('--bag-image', default='compressed', choices=IMAGE_FORMATS,
                        help='how a bag holds pictures')
    parser.add_argument('--bag-depth', default='compressedDepth', choices=DEPTH_FORMATS,
                        help='how a bag holds depth')
    parser.add_argument('--jpeg-quality', type=int, default=95, help='in a bag, 1 to 100')
    parser.add_argument('--json', type=Path, help='write seeds, counts and speed here')


def settings_of(arguments: argparse.Namespace) -> Settings:
    """
    Return the settings that the arguments describe.

    :raises SimulationError: naming the wrong option.
    """
    try:
        width, height = (int(v) for v in arguments.size.lower().split('x'))
    except ValueError as error:
        raise SimulationError(f'--size {arguments.size}: give WIDTHxHEIGHT, as 320x240') from error
    for option in ('frames', 'workers'):
        if getattr(arguments, option) < 1:
            raise SimulationError(f'--{option} {getattr(arguments, option)}: must be at least 1')
    drive = arguments.trajectory == 'drive'
    views = arguments.views_per_room
    if views is None:
        views = arguments.frames if drive else 12
    return Settings(arguments.seed, width, height, views, arguments.room, arguments.camera,
                    arguments.weather, arguments.focal, arguments.trajectory, arguments.rate)


def run(arguments: argparse.Namespace) -> int:
    """Render; return 0."""
    settings = settings_of(arguments)
    out: Path = arguments.out
    own = SUFFIXES.get(out.suffix)
    if own and arguments.storage not in (None, own):
        raise SimulationError(f'--storage {arguments.storage}: a file {out.suffix} has storage '
                              f'{own}; name --out otherwise')
    if arguments.json and not arguments.json.parent.is_dir():
        raise SimulationError(f'--json {arguments.json}: no such folder')
    bag = arguments.storage is not None or own is not None
    if bag and out.exists():
        raise SimulationError(f'--out {out}: exists already; remove it or give another name')
    # A bag is written from a folder beside it, so that a killed run goes on there too.
    folder = out.with_name(f'{out.name}.frames') if bag else out
    start = time.monotonic()
    last = [start]

    def report(done: int, total: int) -> None:
        now = time.monotonic()
        if now - last[0] > REPORT_EVERY_S or done == total:
            last[0] = now
            print(f'{done}/{total} frames after {now - start:.0f} s', flush=True)

    result = generate(folder, arguments.frames, settings, arguments.workers, report,
                      'png' if bag else arguments.image_format)
    seconds = time.monotonic() - start
    if bag:
        result['messages'] = write_bag(folder, out, arguments)
        shutil.rmtree(folder)
    result.update(out=str(out), seed=settings.seed, camera=settings.camera,
                  weather=settings.weather, seconds=round(seconds, 2),
                  frames_per_second=round(result['rendered'] / max(seconds, 1e-9), 2))
    print(f"{out}: {result['rendered']} frames rendered, {result['skipped']} were there already, "
          f"{result['scenes']} rooms, {result['frames_per_second']} frames/s")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


def write_bag(folder: Path, out: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Write the frames of a folder as a bag; return the messages of each topic."""
    frames = RgbdFolder(folder)
    notes = {key: str(frames.meta[key]) for key in ('camera', 'licence', 'source')}
    notes['simulation'] = json.dumps(frames.meta['simulation'])
    with BagWriter(out, arguments.storage, image=arguments.bag_image, depth=arguments.bag_depth,
                   jpeg_quality=arguments.jpeg_quality, png_level=9,
                   rate=arguments.rate, notes=notes) as writer:
        for frame in frames:
            writer.write(frame)
    if frames.skipped:
        raise SimulationError(f'{folder}: unreadable frames {frames.skipped}; remove them and '
                              'run again')
    return dict(writer.counts)
