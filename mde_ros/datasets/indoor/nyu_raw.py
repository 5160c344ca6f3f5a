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

"""NYU Depth v2, the raw recordings: SCENE/r-TIME-N.ppm, SCENE/d-TIME-N.pgm, INDEX.txt."""

from collections.abc import Iterator, Mapping
import os
from pathlib import Path
import re
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import check_size, need_folder, read_lines, read_rgb
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.association import associate, stamp_ns
from mde_ros.datasets.indoor.nyu import CAMERA
from mde_ros.datasets.indoor.registration import register_depth
from mde_ros.datasets.name_list import FIELD, NameList
from mde_ros.datasets.rgbd_folder_files import decode, load

INDEX = 'INDEX.txt'
FILE = re.compile(r'([rd])-(\d+\.\d+)-\d+\.(ppm|pgm)')
# Colour and depth run at 20 to 30 frames a second: true neighbours are nearer than this.
APART_NS = 50_000_000
# camera_params.m of the toolbox: lenses of colour and depth, and the pose between them.
COLOUR_LENS = (.20796615318809061, -.58613825163911781, 7.2231363135888329e-4,
               1.0479627195765181e-3, .49856986684705107)
DEPTH_CAMERA = Intrinsics(
    640, 480, 582.62448167737955, 582.69103270988637, 313.04475870804731, 238.44389626620386,
    'plumb_bob', (-.099897236553084481, .39065324602765344, 1.9290592870229277e-3,
                  -1.9422022475975055e-3, -.51031725053400578))
# The toolbox has R = inv((-M)') and T = [t_x; t_z; t_y] on points, which leaves them mirrored
# behind the camera and projects alike: p -> M' p - T in front of it.
ROTATION = np.array([
    [.99997798940829263, 5.0518419386157446e-3, 4.3011152014118693e-3],
    [-5.0359919480810989e-3, .99998051861143999, -3.6879781309514218e-3],
    [-4.3196624923060242e-3, 3.6662365748484798e-3, .99998394948385538]]).T
TRANSLATION = -np.array([2.5031875059141302e-2, -2.9342312935846411e-4, 6.6238747008330102e-4])
# Metres = 351.3 / (1092.5 - reading); 2047 is no reading.
PARAMETERS = 351.3, 1092.5
LOWEST, NO_READING, FARTHEST = 600, 2047, 10.


def readings_to_metres(readings: NDArray[np.uint16]) -> NDArray[np.float32]:
    """
    Return Kinect's 11 bit readings as metres along the axis, NaN where there is none.

    Readings below 600 (nearer than the sensor sees) and beyond 10 m are none; the toolbox sets
    the latter to 10 m.
    """
    with np.errstate(divide='ignore'):
        metres = (PARAMETERS[0] / (PARAMETERS[1] - readings.astype(np.float64)))
    none = (readings < LOWEST) | (readings >= NO_READING) | (metres <= 0) | (metres > FARTHEST)
    return np.where(none, np.nan, metres).astype(np.float32)


class NyuRaw(IndexedDataset):
    """
    The raw recordings of NYU Depth v2, depth registered to colour.

    Colour is undistorted with the toolbox's parameters. Depth is projected into it after the
    toolbox's formulas with two differences: each reading's ray is undistorted instead of
    resampling the readings, and what is beyond 10 m has no depth. Frames are paired with the
    depth nearest in time (less than 50 ms; they were not triggered together).

    :param path: a scene's folder, or one that holds scenes (at any depth).
    :param register: 'no' leaves depth as the depth camera saw it (not on colour's pixels).
    :param partial: 'yes' takes a scene in which files of its INDEX.txt are missing.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'register': ('yes', 'no'), **PARTIAL}
    depth_unit = "Kinect's 11 bit readings in PGM files whose two bytes are swapped"

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 register: str = 'yes', partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        if split is not None:
            raise DatasetError(f"{path}: the raw recordings have no split '{split}'; leave out "
                               'the scenes of the labelled test set yourself')
        need_folder(self.path)
        self._register = register == 'yes'
        self._lens = Intrinsics(640, 480, CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy,
                                'plumb_bob', COLOUR_LENS)
        self.meta = {
            'camera': 'Kinect v1 (NYU)', 'licence': 'no licence stated; research use, cite '
            'Silberman et al. 2012', 'source': 'NYU Depth v2, raw',
            'registered': "by the toolbox's formulas" if self._register else False}
        # Scene, colour file, depth file, stamp in ns.
        self._frames = NameList(FIELD.join(row) for row in self._list())
        self.names = NameList(os.path.normpath(f'{scene}/{colour[:-4]}') for scene, colour, *_ in (
            row.split(FIELD) for row in self._frames))
        self._check_count(None, 'SCENE/r-TIME-N.ppm and d-TIME-N.pgm')

    def _list(self) -> Iterator[tuple[str, str, str, str]]:
        for folder, folders, files in os.walk(self.path):
            folders.sort()
            if INDEX in files:
                listed = read_lines(Path(folder, INDEX), 'the file names of a scene')
                kinds = 'rd' if self.read_depth else 'r'
                self._check_files(Path(folder), [name for name in listed if FILE.fullmatch(name)
                                                 and name[0] in kinds], set(files))
                files = listed
            yield from self._pair(os.path.relpath(folder, self.path), files)

    def _pair(self, scene: str, files: list[str]) -> Iterator[tuple[str, str, str, str]]:
        times: dict[str, dict[int, str]] = {'r': {}, 'd': {}}
        for name in files:
            match = FILE.fullmatch(name)
            if match:
                times[match[1]][stamp_ns(match[2], name)] = name
        colours, depths = list(times['r']), list(times['d'])
        if colours and self.read_depth:
            pairs = associate(colours, depths, APART_NS)
        else:
            pairs = [(index, -1) for index in np.argsort(colours)]
        for one, two in pairs:
            yield (scene, times['r'][colours[one]], times['d'][depths[two]] if two >= 0 else '',
                   str(colours[one]))

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        scene, _, depth, _ = self._frames[index].split(FIELD)
        return self.path / scene / depth

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        scene, colour, _, stamp = self._frames[index].split(FIELD)
        raw = read_rgb(self.path / scene / colour, self._lens)
        image = cv2.undistort(raw, self._lens.matrix, np.array(COLOUR_LENS))
        depth = None
        if self.read_depth:
            depth = readings_to_metres(read_swapped_pgm(self.depth_file(index)))
            if self._register:
                depth = register_depth(depth, DEPTH_CAMERA, CAMERA, ROTATION, TRANSLATION)
        return Frame(self.names[index], int(stamp), image, CAMERA, depth)


def read_swapped_pgm(path: Path) -> NDArray[np.uint16]:
    """
    Return the readings of a depth file of the raw recordings, 480 x 640.

    PGM's 16 bit numbers have the high byte first; these files have it last.

    :raises FrameError: when it is missing or cut short.
    """
    readings = decode(load(path, 'no depth file'), cv2.IMREAD_UNCHANGED)
    if readings is None or readings.dtype != np.uint16 or readings.ndim != 2:
        raise FrameError('corrupt depth', str(path))
    check_size(path, readings.shape, DEPTH_CAMERA)
    swapped: NDArray[np.uint16] = readings.byteswap()
    return swapped
