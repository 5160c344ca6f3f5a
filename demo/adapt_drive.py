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
Drives of one robot through rooms: its camera is new, on a mast, and looks down.

``python demo/adapt_drive.py OUT --seed S`` renders an RGB-D folder; run again, it goes on.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
import math
import multiprocessing
import os
from pathlib import Path
import sys

import cv2
import numpy as np

from mde_ros.camera.appearance import camera_named
from mde_ros.datasets.frame import Frame
from mde_ros.errors import MdeError
from mde_ros.simulation.drive import plan_drive
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.exposure import expose
from mde_ros.simulation.generator import open_writer
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.room import build_room
from mde_ros.simulation.scenes import frame_name, scene_seed, Settings, START_NS

# Where the camera of the robot is: on a mast, higher and looking down more than any robot that
# the packaged network was trained on. Metres over the floor, degrees below the horizon.
HEIGHT, PITCH = 1.3, 25.
TILT = -math.radians(PITCH)
ATTEMPTS = 20


def drive(renderer: Renderer, settings: Settings, scene: int, path: int = 0) -> list[Frame]:
    """
    Return the pictures of a drive through one room, with depth.

    :param path: another number is another drive through the same room.
    :raises SimulationError: when no room of this seed can be driven through.
    """
    camera, look = settings.base_camera(), camera_named(settings.camera)
    for attempt in range(ATTEMPTS):
        seed = scene_seed(settings.seed, scene, attempt)
        room = build_room(seed, settings.room)
        poses = plan_drive(np.random.default_rng((seed + 1, path) if path else seed + 1),
                           room.plan, settings.views, settings.rate)
        if poses is None:
            continue
        # Another robot would have its camera elsewhere in each room; this one keeps it, and
        # what remains of the planned height and tilt is how the drive shakes.
        z = float(np.mean([pose.z for pose in poses]))
        pitch = float(np.mean([pose.pitch for pose in poses]))
        renderer.open(room)
        frames = []
        for number, pose in enumerate(poses):
            image, depth = renderer.view(replace(
                pose, z=HEIGHT + pose.z - z, pitch=TILT + pose.pitch - pitch), camera)
            image = expose(image, depth, np.random.default_rng(seed + 2))
            image = look.apply(image, np.random.default_rng((seed, number)))
            stamp = START_NS + round((scene * settings.views + number) * 1e9 / settings.rate)
            frames.append(Frame(frame_name(settings, scene, number), stamp, image, camera, depth))
        return frames
    raise SimulationError(f'seed {settings.seed}: {ATTEMPTS} rooms are too full to drive through; '
                          'use another seed')


def render(folder: Path, settings: Settings, scene: int, path: int = 0) -> int:
    """Render one room into the folder, unless it is there; return the number of pictures."""
    os.environ.setdefault('LP_NUM_THREADS', '1')
    cv2.setNumThreads(1)
    writer = open_writer(folder, settings, 'jpg')
    if all(frame_name(settings, scene, view) in writer for view in range(settings.views)):
        return 0
    renderer = Renderer(settings.width, settings.height)
    frames = [frame for frame in drive(renderer, settings, scene, path)
              if frame.name not in writer]
    for frame in frames:
        writer.write(frame)
    renderer.close()
    return len(frames)


def render_drives(folder: Path, settings: Settings, rooms: int, workers: int,
                  path: int = 0) -> int:
    """Render several rooms, a process each; return the number of new pictures."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context('spawn')) as pool:
        jobs = [pool.submit(render, folder, settings, scene, path) for scene in range(rooms)]
        count = sum(job.result() for job in jobs)
    open_writer(folder, settings, 'jpg').close()
    return count


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return what decides every pixel."""
    width, height = (int(side) for side in arguments.size.split('x'))
    return Settings(
        arguments.seed, width, height, arguments.views, None, arguments.camera, 'clear',
        round(arguments.focal * width, 1), 'drive', arguments.rate)


def main() -> int:
    """Render; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--rooms', type=int, default=8)
    parser.add_argument('--views', type=int, default=30, help='pictures a room')
    parser.add_argument('--rate', type=float, default=5., help='pictures a second')
    parser.add_argument('--camera', default='camera_b')
    parser.add_argument('--size', default='320x240')
    parser.add_argument('--focal', type=float, default=.55, help='focal length over width')
    parser.add_argument('--path', type=int, default=0, help='another drive through the rooms')
    parser.add_argument('--workers', type=int, default=2)
    arguments = parser.parse_args()
    try:
        settings = settings_of(arguments)
        count = render_drives(arguments.out, settings, arguments.rooms, arguments.workers,
                              arguments.path)
    except MdeError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    print(f'{arguments.out}: {count} pictures rendered, {asdict(settings)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
