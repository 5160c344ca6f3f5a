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

"""KITTI's calibration files and the projection of laser points into an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.image_files import read_lines

CAM_TO_CAM, VELO_TO_CAM = 'calib_cam_to_cam.txt', 'calib_velo_to_cam.txt'
_POINT_BYTES = 16  # x, y, z, reflectance as float32
# Of the rounded coordinates: MATLAB counts pixels from 1, and published code follows it.
PIXEL_OFFSETS = {'devkit': -1, 'nearest': 0}
DEPTHS = ('z', 'velo_x')


@dataclass(frozen=True, eq=False)
class KittiCalibration:
    """
    One camera of one recording day.

    :param intrinsics: of the rectified images.
    :param velo_to_image: 3 x 4, laser coordinates (forward, left, up, 1) to (u w, v w, w), with
        w the depth of this camera: P_rect_0x R_rect_00 Tr_velo_to_cam.
    """

    intrinsics: Intrinsics
    velo_to_image: NDArray[np.float64]


def read_table(path: Path) -> dict[str, NDArray[np.float64]]:
    """
    Return the numbers of a calibration file by the name before the colon.

    :raises DatasetError: naming the file when it is missing.
    """
    table = {}
    for line in read_lines(path, 'lines NAME: NUMBERS of a calibration'):
        name, _, rest = line.partition(':')
        try:
            table[name.strip()] = np.array([float(word) for word in rest.split()])
        except ValueError:
            continue  # calib_time and the like
    return table


def entry(table: Mapping[str, NDArray[np.float64]], path: Path, name: str,
          *shape: int) -> NDArray[np.float64]:
    """
    Return an entry of a calibration file in its shape.

    :raises DatasetError: naming the file and the entry that is missing or too short.
    """
    values = table.get(name)
    count = int(np.prod(shape))
    if values is None or values.size != count:
        there = 'none' if values is None else values.size
        raise DatasetError(f'{path}: {name}: expected {count} numbers, there are {there}')
    return values.reshape(shape)


def pinhole(projection: NDArray[np.float64], size: NDArray[np.float64],
            path: Path) -> Intrinsics:
    """
    Return the intrinsics of a rectified camera.

    :param projection: P_rect, 3 x 4.
    :param size: S_rect: width, height.
    :raises DatasetError: naming the file when they describe no camera.
    """
    try:
        return Intrinsics(int(size[0]), int(size[1]), float(projection[0, 0]),
                          float(projection[1, 1]), float(projection[0, 2]),
                          float(projection[1, 2]))
    except IntrinsicsError as error:
        raise DatasetError(f'{path}: {error}') from error


def read_intrinsics(folder: Path, camera: int = 2) -> Intrinsics:
    """
    Return the intrinsics of a rectified camera of a day.

    :param folder: of the day, such as 2011_09_26.
    :param camera: 2 is the left, 3 the right colour camera.
    :raises DatasetError: naming the file that is missing or wrong.
    """
    path = folder / CAM_TO_CAM
    table = read_table(path)
    return pinhole(entry(table, path, f'P_rect_0{camera}', 3, 4),
                   entry(table, path, f'S_rect_0{camera}', 2), path)


def read_calibration(folder: Path, camera: int = 2) -> KittiCalibration:
    """
    Return a day's calibration of a camera and the laser.

    :param folder: of the day, such as 2011_09_26.
    :raises DatasetError: naming the file that is missing or wrong.
    """
    path, laser_path = folder / CAM_TO_CAM, folder / VELO_TO_CAM
    table, laser = read_table(path), read_table(laser_path)
    rectify, move = np.eye(4), np.eye(4)
    rectify[:3, :3] = entry(table, path, 'R_rect_00', 3, 3)
    move[:3, :3] = entry(laser, laser_path, 'R', 3, 3)
    move[:3, 3] = entry(laser, laser_path, 'T', 3)
    projection = entry(table, path, f'P_rect_0{camera}', 3, 4)
    return KittiCalibration(read_intrinsics(folder, camera), projection @ rectify @ move)


def read_points(path: Path) -> NDArray[np.float32]:
    """
    Return the laser points of a frame, N x 4: forward, left, up (metres), reflectance.

    :raises FrameError: when the file is missing or cut short.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FrameError('no velodyne file', str(path)) from error
    if not data or len(data) % _POINT_BYTES:
        raise FrameError('velodyne file cut short',
                         f'{path} ({len(data)} bytes, expected {_POINT_BYTES} a point)')
    return np.frombuffer(data, '<f4').reshape(-1, 4)


def project_points(points: NDArray[np.floating], calibration: KittiCalibration, depth: str = 'z',
                   pixel: str = 'devkit') -> NDArray[np.float32]:
    """
    Return the depth image that laser points make, as published codes project them.

    Points behind the laser or the camera are left out; where several fall into a pixel the
    nearest is taken. Published code finds those by an index, row (width - 1) + column - 1, that
    is the same for the last pixel of a row and the first of the next: it touches those two
    columns only, which no crop scores, and is not repeated here.

    :param points: N x 4: forward, left, up (metres), anything.
    :param depth: 'z', along the camera's axis, or 'velo_x', the laser's forward coordinate, as
        T2Net and monodepth2 score (vel_depth): about 0.27 m more.
    :param pixel: 'devkit': rounded less one in u and v, as published codes do after the MATLAB
        devkit; 'nearest': rounded, which fits pixel centres counted from 0.
    :returns: H x W metres, NaN where no point fell.
    """
    camera = calibration.intrinsics
    ahead = points[points[:, 0] >= 0, :3].astype(np.float64)
    # In rows of N, so that each operation runs over memory in order.
    u, v, w = calibration.velo_to_image[:, :3] @ ahead.T + calibration.velo_to_image[:, 3:]
    offset = PIXEL_OFFSETS[pixel]
    with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
        # np.rint rounds halves to even, as the published np.round does.
        column, row = np.rint(u / w) + offset, np.rint(v / w) + offset
        inside = ((w > 0) & (column >= 0) & (column < camera.width)
                  & (row >= 0) & (row < camera.height))
    value = w[inside] if depth == 'z' else ahead[inside, 0]
    spot = row[inside].astype(np.int64) * camera.width + column[inside].astype(np.int64)
    # The farthest first: the last value written to a pixel stays.
    order = np.argsort(-value, kind='stable')
    image = np.full(camera.height * camera.width, np.nan, np.float32)
    image[spot[order]] = value[order]
    return image.reshape(camera.height, camera.width)
