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

"""The split files of KITTI in their three published forms, known by their checksums."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path
import re
from typing import overload

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.image_files import iterate_lines
from mde_ros.datasets.name_list import NameList

# name: frames, and the first 16 digits of the SHA-256 of the sorted lines 'DRIVE FRAME l|r'.
# Counted from splits/ of nianticlabs/monodepth2.
KNOWN_SPLITS = {
    'eigen': (697, 'b27b27b80326656d'),
    'eigen_improved': (652, 'f48b5a2680eac35a'),
    'eigen_zhou_train': (39810, '9bdbe560867c2def'),
    'eigen_zhou_val': (4424, '4196ba0b3bbdebc2'),
    'eigen_full_train': (45200, '6c3fd3134388e7e8'),
    'eigen_full_val': (1776, '936048dc24657cd5'),
}
# Where a split that is named, not given as a file, is looked for in the data set's folder.
SPLIT_FILES = {
    'eigen': ('eigen_test_files.txt', 'splits/eigen/test_files.txt'),
    'eigen_improved': ('eigen_test_files_with_gt.txt', 'splits/eigen_benchmark/test_files.txt'),
    'eigen_zhou_train': ('splits/eigen_zhou/train_files.txt',),
    'eigen_zhou_val': ('splits/eigen_zhou/val_files.txt',),
    'eigen_full_train': ('splits/eigen_full/train_files.txt',),
    'eigen_full_val': ('splits/eigen_full/val_files.txt',),
}
_IMAGE = re.compile(r'(?:(\d{4}_\d\d_\d\d)/)?((\d{4}_\d\d_\d\d)_drive_\d{4}_sync)/'
                    r'image_0([23])/data/(\d{1,10})\.(?:png|jpg)')
_FOLDER = re.compile(r'(?:\d{4}_\d\d_\d\d/)?((\d{4}_\d\d_\d\d)_drive_\d{4}_sync)')
EXPECTED = ("a line a frame: 'DATE/DRIVE/image_02/data/NUMBER.png ...' or 'DATE/DRIVE NUMBER l'")


@dataclass(frozen=True, order=True, slots=True)
class KittiFrame:
    """
    Which frame.

    :param drive: such as 2011_09_26_drive_0002_sync.
    :param camera: 2, left, or 3, right.
    """

    drive: str
    number: int
    camera: int = 2

    @property
    def date(self) -> str:
        """Return the day, such as 2011_09_26."""
        return self.drive[:10]

    @property
    def name(self) -> str:
        """Return a name that a file can have."""
        return f'{self.drive}_image_0{self.camera}_{self.number:010d}'

    @classmethod
    def of_name(cls, name: str) -> 'KittiFrame':
        """Return the frame that has a name."""
        head, _, number = name.rpartition('_')
        drive, _, camera = head.rpartition('_image_0')
        return cls(drive, int(number), int(camera))


class KittiFrames(Sequence[KittiFrame]):
    """
    Frames by number, made anew from their names when they are asked for.

    :cvar names: their names.
    """

    def __init__(self, frames: Iterable[KittiFrame]) -> None:
        self.names = NameList(frame.name for frame in frames)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> KittiFrame: ...

    @overload
    def __getitem__(self, index: slice) -> list[KittiFrame]: ...

    def __getitem__(self, index: int | slice) -> KittiFrame | list[KittiFrame]:
        """Return a frame, or a list of them for a slice."""
        if isinstance(index, slice):
            return [KittiFrame.of_name(name) for name in self.names[index]]
        return KittiFrame.of_name(self.names[index])

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of frames."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


def read_split(path: Path) -> KittiFrames:
    """
    Return the frames of a split file, in its order.

    Read are the lists of T2Net, BTS ('with_gt': frames whose truth is None are left out, as the
    published evaluations do) and monodepth2.

    :raises DatasetError: naming the file and the line.
    """
    frames = KittiFrames(_frames(path))
    if not frames:
        raise DatasetError(f'{path}: lists no frames: expected {EXPECTED}')
    return frames


def _frames(path: Path) -> Iterator[KittiFrame]:
    for line in iterate_lines(path, EXPECTED):
        words = line.split()
        image, folder = _IMAGE.match(words[0]), _FOLDER.fullmatch(words[0])
        if image:
            # 'IMAGE None FOCAL': this frame has no improved truth.
            if len(words) == 3 and words[1] == 'None':
                continue
            yield KittiFrame(image[2], int(image[5]), int(image[4]))
        elif folder and len(words) in (2, 3) and words[1].isdecimal():
            right = len(words) == 3 and words[2] == 'r'
            yield KittiFrame(folder[1], int(words[1]), 3 if right else 2)
        else:
            raise DatasetError(f"{path}: '{line[:80]}': expected {EXPECTED}")


def checksum(frames: Iterable[KittiFrame]) -> str:
    """Return 16 hexadecimal digits that are the same for the same frames in any order."""
    lines = sorted(f'{f.drive} {f.number} {"r" if f.camera == 3 else "l"}' for f in frames)
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()[:16]


def identify(frames: Sequence[KittiFrame]) -> str | None:
    """Return the name of the known split that has exactly these frames, None when none has."""
    count, digits = len(frames), None
    for name, known in KNOWN_SPLITS.items():
        if known[0] == count:
            digits = digits or checksum(frames)
            if digits == known[1]:
                return name
    return None


def find_split(root: Path, split: str) -> KittiFrames:
    """
    Return the frames of a split.

    :param root: the data set's folder.
    :param split: a file, or one of KNOWN_SPLITS, whose file is then looked for in ``root`` and
        must have its checksum.
    :raises DatasetError: when there is no such file or it lists other frames.
    """
    if split not in KNOWN_SPLITS:
        path = Path(split).expanduser()
        if not path.is_file():
            raise DatasetError(
                f"{root}: split '{split}': no such file; expected the path of a list of frames, "
                f'or one of: {", ".join(KNOWN_SPLITS)}')
        return read_split(path)
    count, digits = KNOWN_SPLITS[split]
    for name in SPLIT_FILES[split]:
        if (root / name).is_file():
            frames = read_split(root / name)
            if identify(frames) != split:
                raise DatasetError(
                    f'{root / name}: {len(frames)} frames, checksum {checksum(frames)}: not the '
                    f"split '{split}', which has {count} and {digits}; give a list of your own "
                    'by its path, split=FILE')
            return frames
    raise DatasetError(
        f"{root}: split '{split}': none of {', '.join(SPLIT_FILES[split])} is there: put the "
        'published list of frames there, or give its path, split=FILE')
