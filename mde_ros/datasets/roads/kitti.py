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

"""KITTI raw: rectified colour images with laser or improved depth, and the Eigen splits."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
import re
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import need_folder, read_16bit, read_rgb, to_metres
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.roads.kitti_calibration import (
    CAM_TO_CAM, DEPTHS, KittiCalibration, PIXEL_OFFSETS, project_points, read_calibration,
    read_intrinsics, read_points, VELO_TO_CAM)
from mde_ros.datasets.roads.kitti_files import (
    folders, image_numbers, IMAGE_SUFFIXES, NO_POINTS, point_numbers, stamp_count)
from mde_ros.datasets.roads.kitti_splits import find_split, identify, KittiFrame, KittiFrames
from mde_ros.datasets.roads.laser_cache import LaserCache

LAYOUT = 'DATE/DATE_drive_NUMBER_sync/image_02/data/*.png and DATE/calib_cam_to_cam.txt'
ANNOTATED = 'data_depth_annotated'
# The split all of whose frames have improved depth.
ALL_IMPROVED = 'eigen_improved'
_DATE, _DRIVE = re.compile(r'\d{4}_\d\d_\d\d'), re.compile(r'\d{4}_\d\d_\d\d_drive_\d{4}_sync')


class Kitti(IndexedDataset):
    """
    KITTI raw (synced and rectified), as the download scripts lay it out.

    ``DATE/DRIVE/image_02/data/NUMBER.png`` (or .jpg, as monodepth2 converts them),
    ``DATE/DRIVE/velodyne_points/data/NUMBER.bin``, ``DATE/calib_cam_to_cam.txt``,
    ``DATE/calib_velo_to_cam.txt``. Sizes and intrinsics are those of each day.

    :param split: a text file of frames, or 'eigen', 'eigen_improved', ..., whose published file
        must then lie in ``path``: see kitti_splits. None reads every frame that is there.
    :param truth: 'velodyne', projected laser points, or 'improved', the annotated depth of
        Uhrig et al. (metres times 256).
    :param depth: of laser points, 'z' or 'velo_x': see project_points.
    :param pixel: 'devkit' or 'nearest': see project_points.
    :param camera: '2' or '3', where the split does not say.
    :param improved: folder of the annotated depth; by default ``data_depth_annotated`` in or
        beside ``path``, or in the drives.
    :param cache: folder that keeps projected laser points, for many passes over a split.
    :param partial: 'yes' takes the drives and frames that are there.
    :raises DatasetError: naming what is missing and what was expected.
    """

    options = {'truth': ('velodyne', 'improved'), 'depth': DEPTHS,
               'pixel': tuple(PIXEL_OFFSETS), 'camera': ('2', '3'), 'improved': (),
               'cache': (), **PARTIAL}
    depth_unit: ClassVar[str] = 'metres times 256, or laser points in metres'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 truth: str = 'velodyne', depth: str = 'z', pixel: str = 'devkit',
                 camera: str = '2', improved: str | None = None,
                 cache: str | None = None, partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        need_folder(self.path)
        self._truth, self._depth, self._pixel = truth, depth, pixel
        self._frames = (KittiFrames(self._list(int(camera))) if split is None
                        else find_split(self.path, split))
        self.names = self._frames.names
        self._check_count(None, LAYOUT)
        known = identify(self._frames) if split is not None else None
        self._calibrations: dict[tuple[str, int], KittiCalibration] = {}
        self._cameras: dict[tuple[str, int], Intrinsics] = {}
        self._cache = LaserCache(cache) if cache and truth == 'velodyne' else None
        self._stamps: tuple[Path, list[int]] | None = None
        self.meta = {
            'source': 'KITTI raw', 'licence': 'CC BY-NC-SA 3.0', 'split': known or split,
            'truth': 'improved' if truth == 'improved' else
            {'z': 'velodyne', 'velo_x': 'velodyne_x'}[depth]}
        if truth == 'velodyne':
            self.meta['pixel'] = pixel
        self._check_days({frame.drive for frame in self._frames})
        self._check_drives(int(camera))
        self._annotated = self._find_annotated(improved) if truth == 'improved' else []
        if truth == 'improved' and known == ALL_IMPROVED and read_depth:
            files = map(self._annotated_file, self._frames)
            # Where a file is not found, its first place: whole paths, which '/' leaves alone.
            self._check_missing(self.path, [str(file.absolute()) for file in files
                                            if not file.is_file()], len(self))

    def read(self, index: int) -> Frame:
        """Read one frame; see IndexedDataset."""
        which = self._frames[index]
        path = self._image_file(which)
        camera = self._camera(which)
        image = read_rgb(path, camera)
        depth = self._read_depth(which, camera) if self.read_depth else None
        return Frame(which.name, self._stamp(which), image, camera, depth)

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame."""
        which = self._frames[index]
        if self._truth == 'improved':
            return self._annotated_file(which)
        return self._points_file(which)

    def _points_file(self, which: KittiFrame) -> Path:
        folder = self._drive(which.drive) / 'velodyne_points' / 'data'
        return folder / f'{which.number:010d}.bin'

    def _drive(self, name: str) -> Path:
        return self.path / name[:10] / name

    def _image_file(self, which: KittiFrame) -> Path:
        folder = self._drive(which.drive) / f'image_0{which.camera}' / 'data'
        stem = folder / f'{which.number:010d}'
        for suffix in IMAGE_SUFFIXES:
            path = stem.with_suffix(suffix)
            if path.is_file():
                return path
        raise FrameError('no image file', f'{stem}{IMAGE_SUFFIXES[0]}')

    def _camera(self, which: KittiFrame) -> Intrinsics:
        key = which.date, which.camera
        if key not in self._cameras:
            self._cameras[key] = read_intrinsics(self.path / which.date, which.camera)
        return self._cameras[key]

    def _calibration(self, which: KittiFrame) -> KittiCalibration:
        key = which.date, which.camera
        if key not in self._calibrations:
            self._calibrations[key] = read_calibration(self.path / which.date, which.camera)
        return self._calibrations[key]

    def _read_depth(self, which: KittiFrame, camera: Intrinsics) -> NDArray[np.float32]:
        if self._truth == 'improved':
            return to_metres(read_16bit(self._annotated_file(which), camera), 256)
        calibration = self._calibration(which)

        def project() -> NDArray[np.float32]:
            return project_points(read_points(self._points_file(which)), calibration,
                                  self._depth, self._pixel)

        if self._cache is None:
            return project()
        return self._cache.get(which.name, calibration, self._depth, self._pixel, project)

    def _annotated_file(self, which: KittiFrame) -> Path:
        tail = Path('proj_depth', 'groundtruth', f'image_0{which.camera}',
                    f'{which.number:010d}.png')
        places = [root / which.drive / tail for root in self._annotated]
        places.append(self._drive(which.drive) / tail)
        return next((place for place in places if place.is_file()), places[0])

    def _find_annotated(self, given: str | None) -> list[Path]:
        roots = ([Path(given).expanduser()] if given else
                 [self.path / ANNOTATED, self.path.resolve().parent / ANNOTATED])
        found = [root / part for root in roots for part in ('train', 'val', '.')
                 if (root / part).is_dir()]
        first = self._frames[0]
        if not found and not (self._drive(first.drive) / 'proj_depth').is_dir():
            raise DatasetError(
                f'{roots[0]}: no such folder: truth=improved reads the annotated depth, '
                f'{ANNOTATED}/(train|val)/DRIVE/proj_depth/groundtruth/image_02/*.png; give '
                'improved=FOLDER')
        return found

    def _list(self, camera: int) -> Iterator[KittiFrame]:
        return (KittiFrame(drive, number, camera)
                for date in folders(self.path, _DATE)
                for drive in folders(self.path / date, _DRIVE)
                for number in image_numbers(self.path / date / drive / f'image_0{camera}'))

    def _check_days(self, drives: Iterable[str]) -> None:
        """Look for the drives and their calibrations."""
        drives = sorted(drives)
        places = {drive: self._drive(drive) for drive in drives}
        missing = [drive for drive in drives if not places[drive].is_dir()]
        if len(missing) == len(drives):
            raise DatasetError(f'{places[missing[0]]}: no such folder, nor any other drive of the '
                               f'split; expected {LAYOUT}')
        if missing:
            self._incomplete(f'{places[missing[0]]} is missing ({len(missing)} of the '
                             f'{len(drives)} drives of the split are)')
        needed = [CAM_TO_CAM]
        if self.read_depth and self._truth == 'velodyne':
            needed.append(VELO_TO_CAM)
        for date in sorted({drive[:10] for drive in drives if drive not in missing}):
            for name in needed:
                if not (self.path / date / name).is_file():
                    raise DatasetError(
                        f'{self.path / date / name} is missing: the calibration is a download of '
                        f'its own, {date}_calib.zip')

    def _by_drive(self, camera: int) -> Iterable[tuple[tuple[str, int], Sequence[int]]]:
        """Return drive and camera with the numbers of their frames."""
        if self.split is None:  # one drive at a time in memory, those without images too
            return (((drive, camera), image_numbers(self._drive(drive) / f'image_0{camera}'))
                    for date in folders(self.path, _DATE)
                    for drive in folders(self.path / date, _DRIVE))
        numbers: dict[tuple[str, int], array[int]] = {}
        for frame in self._frames:
            numbers.setdefault((frame.drive, frame.camera), array('q')).append(frame.number)
        return numbers.items()

    def _check_drives(self, side: int) -> None:
        """Look for the images and laser points of every frame of the drives that are there."""
        for (drive, camera), wanted in self._by_drive(side):
            place = self._drive(drive)
            if not place.is_dir():
                continue
            images = place / f'image_0{camera}'
            if self.split is None:
                self._check_count(stamp_count(images), 'one for each line of timestamps.txt',
                                  len(wanted), images / 'data')
            else:
                missing = sorted(set(wanted).difference(image_numbers(images)))
                self._check_missing(images / 'data', [f'{number:010d}.png' for number in missing],
                                    len(wanted))
            if self.read_depth and self._truth == 'velodyne':
                points = place / 'velodyne_points'
                missing = [number for number in sorted(set(wanted) - point_numbers(points))
                           if not self._has_points(KittiFrame(drive, number, camera))]
                self._check_missing(points / 'data', [f'{number:010d}.bin' for number in missing],
                                    len(wanted))

    def _has_points(self, which: KittiFrame) -> bool:
        """Return whether a frame without laser points is none of a half download."""
        if which.number in NO_POINTS.get(which.drive, ()):
            return True
        return self._cache is not None and self._cache.file(
            which.name, self._calibration(which), self._depth, self._pixel).is_file()

    def _stamp(self, which: KittiFrame) -> int:
        """Return the time of a frame in nanoseconds, 0 when timestamps.txt does not tell."""
        path = self._drive(which.drive) / f'image_0{which.camera}' / 'timestamps.txt'
        if self._stamps is None or self._stamps[0] != path:
            try:
                stamps = [_nanoseconds(line) for line in path.read_text().splitlines() if line]
            except (OSError, ValueError):
                stamps = []
            self._stamps = path, stamps
        stamps = self._stamps[1]
        return stamps[which.number] if which.number < len(stamps) else 0


def _nanoseconds(line: str) -> int:
    """Return '2011-09-26 13:02:25.964389445' as nanoseconds since 1970, read as UTC."""
    day, _, fraction = line.strip().partition('.')
    seconds = datetime.strptime(day, '%Y-%m-%d %H:%M:%S').replace(tzinfo=timezone.utc)
    return int(seconds.timestamp()) * 10 ** 9 + int(fraction.ljust(9, '0')[:9] or 0)
