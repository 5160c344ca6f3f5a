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

"""DrivingStereo's weather sets: sunny, cloudy, foggy and rainy roads with laser depth."""

from collections.abc import Iterator
from datetime import datetime, timezone
from os.path import splitext
from pathlib import Path
from typing import ClassVar

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import need_folder, read_16bit, read_rgb, sorted_names, to_metres
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.name_list import FIELD, NameList
from mde_ros.datasets.rgbd_folder_files import list_images
from mde_ros.datasets.roads.kitti_calibration import entry, pinhole, read_table

WEATHERS = ('sunny', 'cloudy', 'foggy', 'rainy')
FRAMES = 500  # of each weather
LEFT = 101  # the left camera's number in the calibration; the right one is 103


class DrivingStereo(IndexedDataset):
    """
    The weather sets of DrivingStereo, left images.

    ``WEATHER/left-image-half-size/SESSION_STAMP.jpg``, ``WEATHER/depth-map-half-size/...png``
    (metres times 256) and ``half-image-calib/SESSION.txt``, or ``full`` for ``half``. An archive
    unpacked into a folder of its own name is found too. Results at half and at full size differ:
    stay with one.

    :param split: None, or one weather.
    :param weather: one or several with commas between; None is all that are there.
    :param size: 'half' (881 x 400) or 'full' (1762 x 800).
    :param calib: folder of the calibrations, where it is elsewhere.
    :param partial: 'yes' takes a part of a weather.
    """

    options = {'weather': (), 'size': ('half', 'full'), 'calib': (), **PARTIAL}
    splits = WEATHERS
    depth_unit: ClassVar[str] = 'metres times 256 in 16 bit'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 weather: str | None = None, size: str = 'half',
                 calib: str | None = None, partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        need_folder(self.path)
        chosen = (weather or split or ','.join(WEATHERS)).split(',')
        for word in chosen:
            if word not in WEATHERS:
                raise DatasetError(f"{path}: weather '{word}': there are: {', '.join(WEATHERS)}")
        self._size = size
        # weather: folder of images and of depth.
        self._folders: dict[str, tuple[Path, Path]] = {}
        for word in chosen:
            images = self._folder(word, 'left-image')
            if images is None:
                if weather or split:
                    raise DatasetError(f'{self.path / word}/left-image-{size}-size is missing: '
                                       f'expected {self._layout}')
                continue
            depths = self._folder(word, 'depth-map')
            if depths is None and read_depth:
                raise DatasetError(f'{self.path / word}/depth-map-{size}-size is missing: '
                                   f'expected {self._layout}')
            self._folders[word] = images, depths or images
        self.meta = {'source': 'DrivingStereo weather', 'size': size,
                     'licence': 'see drivingstereo-dataset.github.io'}
        counts = dict.fromkeys(self._folders, 0)
        # Weather, image file.
        self._files = NameList(self._list(counts))
        self.names = NameList(f'{word}_{splitext(file)[0]}' for word, file in map(
            _fields, self._files))
        self._check_count(None, self._layout)
        for word, count in counts.items():
            self._check_count(FRAMES, self._layout, count, self._folders[word][0])
        self._calib = self._find_calib(calib)
        self._tables: dict[str, Intrinsics] = {}

    def _list(self, counts: dict[str, int]) -> Iterator[str]:
        """Yield weather and image file, and count the frames of each weather."""
        for word, (images, depths) in self._folders.items():
            files = sorted(list_images(images).items())
            if self.read_depth:
                self._check_files(depths, [f'{stem}.png' for stem, _ in files],
                                  set(sorted_names(depths)))
            counts[word] = len(files)
            yield from (word + FIELD + file for _, file in files)

    @property
    def _layout(self) -> str:
        return (f'WEATHER/left-image-{self._size}-size/*.jpg and '
                f'WEATHER/depth-map-{self._size}-size/*.png')

    def read(self, index: int) -> Frame:
        """Read one frame; see IndexedDataset."""
        weather, file = _fields(self._files[index])
        path = self._folders[weather][0] / file
        image = read_rgb(path)
        camera = self._camera(path, image.shape[1], image.shape[0])
        depth = None
        if self.read_depth:
            depth = to_metres(read_16bit(self.depth_file(index), camera), 256)
        return Frame(self.names[index], _stamp(path.stem), image, camera, depth)

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame."""
        weather, file = _fields(self._files[index])
        return self._folders[weather][1] / f'{splitext(file)[0]}.png'

    def _folder(self, weather: str, what: str) -> Path | None:
        name = f'{what}-{self._size}-size'
        places = (self.path / weather / name, self.path / weather / name / name,
                  self.path / name / weather)
        # The innermost first: the outer one of a doubled folder holds no images.
        return next((place for place in (places[1], places[0], places[2]) if place.is_dir()), None)

    def _find_calib(self, given: str | None) -> Path:
        name = f'{self._size}-image-calib'
        places = ([Path(given).expanduser()] if given else
                  [self.path / name / name, self.path / name, self.path / 'calib' / name])
        for place in places:
            if place.is_dir():
                return place
        raise DatasetError(f'{places[-1] if given else self.path / name} is missing: expected the '
                           f'calibrations SESSION.txt, a download of its own; give calib=FOLDER')

    def _camera(self, path: Path, width: int, height: int) -> Intrinsics:
        """Return the intrinsics of a picture, of its own size."""
        session = path.stem.partition('_')[0]
        if session not in self._tables:
            file = self._calib / f'{session}.txt'
            if not file.is_file():
                raise FrameError('no calibration of its session', str(file))
            projection = entry(read_table(file), file, f'P_rect_{LEFT}', 3, 4)
            self._tables[session] = pinhole(projection, np.array([width, height]), file)
        k = self._tables[session]
        # Its centre says which size a calibration is for; the size is that of the picture.
        if not (.3 < k.cx / width < .7 and .2 < k.cy / height < .8):
            raise FrameError('the calibration is for another size', f'{path} is {width}x{height}, '
                             f'{self._calib / session}.txt has its centre at {k.cx:g}, {k.cy:g}')
        return Intrinsics(width, height, k.fx, k.fy, k.cx, k.cy)


def _fields(row: str) -> tuple[str, str]:
    weather, _, file = row.partition(FIELD)
    return weather, file


def _stamp(stem: str) -> int:
    """Return the time in 'SESSION_2018-10-25-07-41-21-123' in nanoseconds, 0 without one."""
    text, _, fraction = stem.rpartition('_')[2].rpartition('-')
    try:
        moment = datetime.strptime(text, '%Y-%m-%d-%H-%M-%S').replace(tzinfo=timezone.utc)
        return int(moment.timestamp()) * 10 ** 9 + int(fraction) * 10 ** 6
    except ValueError:
        return 0
