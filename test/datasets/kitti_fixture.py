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

"""Writes KITTI raw as its downloads lay it out, small."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics

DATE = '2011_09_26'
DRIVE = f'{DATE}_drive_0002_sync'
CAMERA = Intrinsics(60, 24, 40., 42., 29.6, 11.3)
# As in the real files: camera 2 stands beside camera 0, the laser behind and above it.
P_RECT = np.array([[40., 0., 29.6, 4.485728], [0., 42., 11.3, .2163791], [0., 0., 1., .002745884]])
R_RECT = np.array([[.9999239, .00983776, -.007445048], [-.009869795, .9999421, -.004278459],
                   [.007402527, .004351614, .9999631]])
VELO_R = np.array([[.007533745, -.9999714, -.000616602], [.01480249, .0007280733, -.9998902],
                   [.9998621, .00752379, .01480755]])
VELO_T = np.array([-.004069766, -.07631618, -.2717806])


def numbers(values: object) -> str:
    """Return numbers as KITTI writes them, with every digit."""
    return ' '.join(f'{value:.17e}' for value in np.asarray(values, np.float64).ravel())


def write_calibration(root: Path, date: str = DATE, p_rect: NDArray[np.float64] = P_RECT,
                      size: tuple[int, int] = (60, 24),
                      r_rect: NDArray[np.float64] = R_RECT) -> None:
    """Write both calibration files of a day."""
    folder = root / date
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['calib_time: 09-Jan-2012 13:57:47', 'corner_dist: 9.950000e-02',
             f'R_rect_00: {numbers(r_rect)}']
    for camera in (2, 3):
        lines += [f'S_0{camera}: {numbers((1392, 512))}', f'S_rect_0{camera}: {numbers(size)}',
                  f'P_rect_0{camera}: {numbers(p_rect)}']
    (folder / 'calib_cam_to_cam.txt').write_text('\n'.join(lines) + '\n')
    (folder / 'calib_velo_to_cam.txt').write_text(
        f'calib_time: 15-Mar-2012 11:37:16\nR: {numbers(VELO_R)}\nT: {numbers(VELO_T)}\n'
        'delta_f: 0.000000e+00 0.000000e+00\n')


def laser_points(depth: NDArray[np.float64], p_rect: NDArray[np.float64] = P_RECT,
                 r_rect: NDArray[np.float64] = R_RECT, offset: int = 1) -> NDArray[np.float32]:
    """
    Return the points, N x 4, that fall into the middle of every pixel with a depth.

    :param depth: H x W metres of camera 2, NaN for no point.
    :param offset: 1 for published rounding, which takes it off again.
    """
    row, column = np.nonzero(np.isfinite(depth))
    w = depth[row, column]
    image = np.stack([(column + offset) * w, (row + offset) * w, w])
    camera0 = np.linalg.inv(r_rect) @ np.linalg.inv(p_rect[:, :3]) @ (image - p_rect[:, 3:])
    laser = np.linalg.inv(VELO_R) @ (camera0 - VELO_T[:, None])
    return np.column_stack([laser.T, np.full(len(w), .3)]).astype(np.float32)


def write_image(root: Path, image: NDArray[np.uint8], number: int, drive: str = DRIVE,
                camera: int = 2) -> None:
    """Write a colour image."""
    folder = root / drive[:10] / drive / f'image_0{camera}' / 'data'
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f'{number:010d}.png'), image[:, :, ::-1])


def write_points(root: Path, points: NDArray[np.float32], number: int,
                 drive: str = DRIVE) -> Path:
    """Write the laser points of a frame; return the file."""
    folder = root / drive[:10] / drive / 'velodyne_points' / 'data'
    folder.mkdir(parents=True, exist_ok=True)
    points.astype('<f4').tofile(folder / f'{number:010d}.bin')
    return folder / f'{number:010d}.bin'


def write_improved(root: Path, stored: NDArray[np.uint16], number: int, drive: str = DRIVE,
                   camera: int = 2) -> None:
    """Write annotated depth, metres times 256, below data_depth_annotated/val or wherever."""
    folder = root / drive / 'proj_depth' / 'groundtruth' / f'image_0{camera}'
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f'{number:010d}.png'), stored)
