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

from collections.abc import Mapping
from pathlib import Path
import re
from typing import ClassVar

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_files import (
    need_folder, read_16bit, read_lines, read_rgb, to_metres)
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.indoor.association import associate, stamp_ns

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
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'camera': tuple(CAMERAS)}
    depth_unit = '1/5000 metres (16 bit PNG)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 camera: str | None = None) -> None:
        super().__init__(path, split, read_depth)
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
        self._frames: list[tuple[Path, str, str, int]] = []
        self.unpaired = 0
        for folder in sequences:
            self._list(folder)
        prefix = not single
        self.names = [f'{folder.name}/{Path(colour).stem}' if prefix else Path(colour).stem
                      for folder, colour, _, _ in self._frames]
        self.meta = {
            'camera': f'Kinect v1 or Xtion ({", ".join(sorted(set(self._cameras.values())))})',
            'licence': 'CC BY 4.0', 'source': 'TUM RGB-D', 'unpaired': self.unpaired}
        self._check_count(None, 'pairs of rgb.txt and depth.txt less than 0.02 s apart')

    def _list(self, folder: Path) -> None:
        colours = _read_list(folder / 'rgb.txt')
        if not self.read_depth:
            self._frames += [(folder, name, '', stamp) for stamp, name in sorted(colours)]
            return
        depths = _read_list(folder / 'depth.txt')
        pairs = associate([stamp for stamp, _ in colours], [stamp for stamp, _ in depths],
                          APART_NS)
        self.unpaired += len(colours) - len(pairs)
        self._frames += [(folder, colours[one][1], depths[two][1], colours[one][0])
                         for one, two in pairs]

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        folder, _, depth, _ = self._frames[index]
        return folder / depth

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        folder, colour, depth_name, stamp = self._frames[index]
        camera = CAMERAS[self._cameras[folder]]
        image = read_rgb(folder / colour, camera)
        depth = None
        if self.read_depth:
            depth = to_metres(read_16bit(folder / depth_name, camera), PER_METRE)
        return Frame(self.names[index], stamp, image, camera, depth)


def _camera_of(folder: Path, given: str | None) -> str:
    if given:
        return given
    match = re.search(r'(?:freiburg|fr)([123])', folder.resolve().name)
    if match is None:
        raise DatasetError(f'{folder}: the name does not say which camera recorded it; expected '
                           f'freiburg1, 2 or 3 in it, or ?camera={"|".join(CAMERAS)}')
    return f'fr{match[1]}'


def _read_list(path: Path) -> list[tuple[int, str]]:
    """Return (stamp in ns, file name) of each line 'SECONDS NAME'."""
    entries = []
    for line in read_lines(path, "lines 'timestamp filename'"):
        words = line.split()
        if len(words) != 2:
            raise DatasetError(f"{path}: '{line}': expected 'timestamp filename'")
        entries.append((stamp_ns(words[0], str(path)), words[1]))
    return entries
