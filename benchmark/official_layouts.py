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
Data sets of any number of frames in their official layouts, for benchmark/reading_speed.py.

Each is a tree of hard links to one picture and one depth file: 100,000 frames take no room.
"""

from collections.abc import Callable
import errno
import os
from pathlib import Path
import shutil

import numpy as np

SCENES = {1: 447, 2: 233, 6: 270, 18: 339, 20: 837}
VARIANTS = ('clone', 'fog', 'morning', 'overcast', 'rain', 'sunset', '15-deg-left',
            '15-deg-right', '30-deg-left', '30-deg-right')
FOLDER = 4000  # frames in one folder: more than a drive or sequence of these sets has


def link(source: Path, target: Path) -> None:
    """Put a hard link at a place, with its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        # A file has 65,000 links at most on ext4: go on with a copy.
        copy = source.with_suffix('.copy')
        shutil.copy(source, copy)
        copy.replace(source)
        os.link(source, target)


def make_vkitti2(root: Path, frames: int, rgb: Path, depth: Path) -> str:
    """Write virtual KITTI 2; return its spec."""
    left = frames
    for variant in VARIANTS:
        for scene, count in SCENES.items():
            folder = root / f'Scene{scene:02d}' / variant / 'frames'
            for number in range(min(left, count)):
                link(rgb, folder / 'rgb' / 'Camera_0' / f'rgb_{number:05d}.jpg')
                link(depth, folder / 'depth' / 'Camera_0' / f'depth_{number:05d}.png')
            left = max(0, left - count)
    return f'vkitti2:{root}?partial=yes'


def make_sun(root: Path, frames: int, rgb: Path, depth: Path) -> str:
    """Write SUN RGB-D; return its spec."""
    intrinsics = root / 'intrinsics.txt'
    intrinsics.write_text('529.5 0 620.5\n0 529.5 187\n0 0 1\n')
    for number in range(frames):
        folder = (root / 'SUNRGBD' / 'xtion' / 'sun3ddata' / f'room_{number // FOLDER:04d}'
                  / f'{number:07d}')
        link(rgb, folder / 'image' / f'{number:07d}.jpg')
        link(depth, folder / 'depth' / f'{number:07d}.png')
        link(intrinsics, folder / 'intrinsics.txt')
    return f'sun:{root}?partial=yes'


def make_tum(root: Path, frames: int, rgb: Path, depth: Path) -> str:
    """Write sequences of TUM RGB-D; return their spec."""
    for first in range(0, frames, FOLDER):
        lines: dict[str, list[str]] = {'rgb': [], 'depth': []}
        folder = root / f'rgbd_dataset_freiburg3_{first // FOLDER:04d}'
        for number in range(first, min(first + FOLDER, frames)):
            for part, file, late in (('rgb', rgb, 0), ('depth', depth, 5)):
                stamp = f'{1305031102 + number / 30 + late / 1000:.6f}'
                name = f'{part}/{stamp}.png'
                link(file, folder / name)
                lines[part].append(f'{stamp} {name}')
        for part, text in lines.items():
            (folder / f'{part}.txt').write_text('\n'.join(text) + '\n')
    return f'tum:{root}'


def make_kitti(root: Path, frames: int, rgb: Path, depth: Path) -> str:
    """Write KITTI raw with improved depth; return its spec."""
    date = '2011_09_26'
    (root / date).mkdir(parents=True)
    matrix = '721.5 0 609.6 44.86 0 721.5 172.9 0.2164 0 0 1 0.002746'
    (root / date / 'calib_cam_to_cam.txt').write_text(
        f'R_rect_00: 1 0 0 0 1 0 0 0 1\nS_rect_02: 1242 375\nP_rect_02: {matrix}\n')
    for number in range(frames):
        drive = f'{date}_drive_{number // FOLDER + 1:04d}_sync'
        name = f'{number % FOLDER:010d}.png'
        link(rgb, root / date / drive / 'image_02' / 'data' / name)
        link(depth, root / 'data_depth_annotated' / 'train' / drive / 'proj_depth'
             / 'groundtruth' / 'image_02' / name)
    return f'kitti:{root}?truth=improved'


def make_velodyne(root: Path, frames: int, rgb: Path, depth: Path) -> str:
    """Write KITTI raw with laser points, 120,000 a frame; return its spec."""
    make_kitti(root, frames, rgb, depth)
    (root / '2011_09_26' / 'calib_velo_to_cam.txt').write_text(
        'R: 0 -1 0 0 0 -1 1 0 0\nT: 0 -0.08 -0.27\n')
    points = np.random.default_rng(0).uniform((-60, -60, -2, 0), (60, 60, 2, 1), (120_000, 4))
    (root / 'points.bin').write_bytes(points.astype('<f4').tobytes())
    for drive in (root / '2011_09_26').glob('*_sync'):
        for image in sorted((drive / 'image_02' / 'data').iterdir()):
            link(root / 'points.bin', drive / 'velodyne_points' / 'data' / f'{image.stem}.bin')
    return f'kitti:{root}'


def make_laser_cache(root: Path, frames: int, rgb: Path, depth: Path) -> str:
    """Write the same; return a spec that keeps projected points on disk."""
    return f'{make_velodyne(root, frames, rgb, depth)}?cache={root / "cache"}'


MAKERS: dict[str, Callable[[Path, int, Path, Path], str]] = {
    'vkitti2': make_vkitti2, 'kitti': make_kitti, 'sun': make_sun, 'tum': make_tum,
    'kitti_laser_cache': make_laser_cache, 'kitti_velodyne': make_velodyne}
