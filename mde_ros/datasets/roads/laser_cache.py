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

"""Projected laser points kept on disk: reading them again takes a tenth of the time."""

from collections.abc import Callable
import hashlib
import os
from pathlib import Path
import tempfile

import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.roads.kitti_calibration import KittiCalibration

_READING = np.dtype([('pixel', '<u4'), ('metres', '<f4')])


class LaserCache:
    """
    Depth images of laser points, one file a frame of 8 bytes a reading (about 0.14 MB).

    A file is known by the frame, the calibration and the way of projecting: with others it is
    made anew. It is not noticed when laser points change under the same name.

    :param folder: made when it is not there.
    :raises DatasetError: when it cannot be made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatasetError(f'{self.folder}: cannot be made: {error}') from error
        self._digests: dict[tuple[int, str, str], str] = {}

    def get(self, name: str, calibration: KittiCalibration, depth: str, pixel: str,
            project: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """
        Return the depth image of a frame, H x W metres, from its file or else from ``project``.

        :param name: of the frame, unique in its data set.
        :param calibration: a calibration that lives as long as the cache.
        """
        camera = calibration.intrinsics
        path = self.file(name, calibration, depth, pixel)
        try:
            readings = np.load(path, allow_pickle=False)
            if readings.dtype == _READING:
                image = np.full(camera.height * camera.width, np.nan, np.float32)
                image[readings['pixel']] = readings['metres']
                return image.reshape(camera.height, camera.width)
        except (OSError, ValueError, EOFError, IndexError):
            pass  # not there, or cut short by a power cut
        image = project()
        spots = np.flatnonzero(np.isfinite(image))
        readings = np.empty(spots.size, _READING)
        readings['pixel'], readings['metres'] = spots, image.reshape(-1)[spots]
        self._write(path, readings)
        return image

    def file(self, name: str, calibration: KittiCalibration, depth: str, pixel: str) -> Path:
        """Return the file that holds the depth image of a frame, once it was projected."""
        return self.folder / f'{name}_{self._digest(calibration, depth, pixel)}.npy'

    def _digest(self, calibration: KittiCalibration, depth: str, pixel: str) -> str:
        key = id(calibration), depth, pixel
        if key not in self._digests:
            camera = calibration.intrinsics
            text = f'{calibration.velo_to_image.tolist()} {camera.width} {camera.height}'
            self._digests[key] = f'{depth}_{pixel}_{hashlib.sha256(text.encode()).hexdigest()[:8]}'
        return self._digests[key]

    def _write(self, path: Path, readings: NDArray[np.void]) -> None:
        """Write a file that is whole or not there, whoever else writes it too."""
        try:
            handle, name = tempfile.mkstemp(dir=self.folder, suffix='.part')
            with os.fdopen(handle, 'wb') as file:
                np.save(file, readings, allow_pickle=False)
            os.replace(name, path)
        except OSError as error:
            raise DatasetError(f'{path}: cannot be written: {error}; leave cache= out') from error
