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

"""TUM RGB-D: SEQUENCE/{rgb.txt, depth.txt, rgb/, depth/}."""

from collections.abc import Iterator, Mapping
from os.path import basename, splitext
from pathlib import Path
import re
from typing import ClassVar

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_files import (
    need_folder, read_16bit, read_lines, read_rgb, sorted_names, to_metres)
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.association import associate, stamp_ns
from mde_ros.datasets.name_list import FIELD, NameList

# As associate.py: pairs of colour and depth are less than 20 ms apart.
APART_NS = 20_000_000
PER_METRE = 5000
# Published calibrations of the colour cameras. The factors published for depth are in the
# files already, and fr3 is rectified.
CAMERAS = {
    'fr1': Intrinsics(640, 480, 517.3, 516.5, 318.6, 255.3, 'plumb_bob',
                      (.2624, -.9531, -.0054, .0026, 1.1633)),
    'fr2': Intrinsics(640, 480, 520.9, 521., 325.1, 249.7, 'plumb_bob',
                      (.2312, -.7849, -.0033, -.0001, .9172)),
    'fr3': Intrinsics(640, 480, 535.4, 539.2, 320.1, 247.6),
}


class TumRgbd(IndexedDataset):
    """
    Sequences of TUM RGB-D, colour paired with the depth nearest in time.

    Depth was registered to colour by the driver. Pictures keep their lens distortion, which
    the intrinsics hold. Ground truth poses are not read.

    :param path: a sequence, or a folder of sequences.
    :param camera: 'fr1', 'fr2' or 'fr3'; by default what the folder's name says
        (rgbd_dataset_freiburg1_desk).
    :param partial: 'yes' takes a sequence in which files of its two lists are missing.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'camera': tuple(CAMERAS), **PARTIAL}
    depth_unit = '1/5000 metres (16 bit PNG)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 camera: str | None = None, partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        if split is not None:
            raise DatasetError(f"{path}: TUM RGB-D has no split '{split}'; split by sequence: "
                               'give the paths of the sequences')
        need_folder(self.path)
        single = (self.path / 'rgb.txt').is_file() or (self.path / 'rgb').is_dir()
        sequences = [self.path] if single else sorted(
            folder for folder in self.path.iterdir() if (folder / 'rgb.txt').is_file())
        if not sequences:
            raise DatasetError(f'{self.path / "rgb.txt"} is missing: expected a sequence with '
                               'rgb.txt, depth.txt, rgb/ and depth/, or a folder of sequences')
        self._cameras = {folder: _camera_of(folder, camera) for folder in sequences}
        self.unpaired = 0
        self.meta = {
            'camera': f'Kinect v1 or Xtion ({", ".join(sorted(set(self._cameras.values())))})',
            'licence': 'CC BY 4.0', 'source': 'TUM RGB-D'}
        self._folders = [*self._cameras]
        # Number of the sequence, colour file, depth file, stamp in ns.
        self._frames = NameList(FIELD.join((str(number), *row)) for number, folder in enumerate(
            self._folders) for row in self._list(folder))
        heads = ['' if single else f'{folder.name}/' for folder in self._folders]
        self.names = NameList(heads[int(number)] + splitext(basename(colour))[0]
                              for number, colour, *_ in (
                                  row.split(FIELD) for row in self._frames))
        self.meta['unpaired'] = self.unpaired
        self._check_count(None, 'pairs of rgb.txt and depth.txt less than 0.02 s apart')

    def _list(self, folder: Path) -> Iterator[tuple[str, str, str]]:
        colours = self._read_list(folder, 'rgb.txt')
        if not self.read_depth:
            yield from ((name, '', str(stamp)) for stamp, name in sorted(colours))
            return
        depths = self._read_list(folder, 'depth.txt')
        pairs = associate([stamp for stamp, _ in colours], [stamp for stamp, _ in depths],
                          APART_NS)
        self.unpaired += len(colours) - len(pairs)
        for one, two in pairs:
            yield colours[one][1], depths[two][1], str(colours[one][0])

    def _read_list(self, folder: Path, name: str) -> list[tuple[int, str]]:
        """Return (stamp in ns, file name) of each line, and check that the files are there."""
        entries = _read_entries(folder / name)
        places = {file.rpartition('/')[0] for _, file in entries}
        there = {f'{place}/{file}'.lstrip('/') for place in places
                 for file in sorted_names(folder / place)}
        self._check_files(folder, [file for _, file in entries], there)
        return entries

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        number, _, depth, _ = self._frames[index].split(FIELD)
        return self._folders[int(number)] / depth

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        number, colour, depth_name, stamp = self._frames[index].split(FIELD)
        folder = self._folders[int(number)]
        camera = CAMERAS[self._cameras[folder]]
        image = read_rgb(folder / colour, camera)
        depth = None
        if self.read_depth:
            depth = to_metres(read_16bit(folder / depth_name, camera), PER_METRE)
        return Frame(self.names[index], int(stamp), image, camera, depth)


def _camera_of(folder: Path, given: str | None) -> str:
    if given:
        return given
    match = re.search(r'(?:freiburg|fr)([123])', folder.resolve().name)
    if match is None:
        raise DatasetError(f'{folder}: the name does not say which camera recorded it; expected '
                           f'freiburg1, 2 or 3 in it, or ?camera={"|".join(CAMERAS)}')
    return f'fr{match[1]}'


def _read_entries(path: Path) -> list[tuple[int, str]]:
    """Return (stamp in ns, file name) of each line 'SECONDS NAME'."""
    entries = []
    for line in read_lines(path, "lines 'timestamp filename'"):
        words = line.split()
        if len(words) != 2:
            raise DatasetError(f"{path}: '{line}': expected 'timestamp filename'")
        entries.append((stamp_ns(words[0], str(path)), words[1]))
    return entries
