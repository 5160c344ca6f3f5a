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

"""What every data set with numbered frames shares: lazy reading, skipping and counting."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
import logging
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mde_ros.datasets.frame import DatasetError, Frame, FrameError

WARNINGS_PER_REASON = 5
# The unit of depth is checked on the first frames that are read, whatever they are.
UNIT_SAMPLES = 5
PLAUSIBLE_DEPTH = .1, 200.  # metres, of the median
# A key that every kind of data set has among its options.
PARTIAL: Mapping[str, tuple[str, ...]] = {'partial': ('no', 'yes')}

_log = logging.getLogger(__name__)


class IndexedDataset(ABC):
    """
    Frames by number; a FrameSource.

    Opening only lists; a frame is read when it is asked for, so that memory does not grow with
    the pictures. Iterating skips unreadable frames, counts them in ``skipped`` (each frame
    once) and logs a warning that names the file. A reader sets ``names``, ``labelled`` and
    ``meta`` and implements :meth:`read`.

    :cvar options: keys that the reader takes as keyword arguments (strings) besides the path,
        split and read_depth, each with the values it may have; () means any text. They are
        the keys of a spec string KIND:PATH?key=value.
    :cvar splits: the names that ``split`` may have; () where the data says.
    :cvar depth_unit: unit on disk, named when the depths that come out are implausible; ''
        switches the check off.

    :param path: the data set's folder or file.
    :param split: the part to read; None for all of it.
    :param read_depth: whether frames carry their depth; False leaves it unread.
    :param partial: 'yes' takes a part of the whole download, which is an error otherwise, and
        says in ``meta['partial']`` what is not there.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    splits: ClassVar[tuple[str, ...]] = ()
    depth_unit: ClassVar[str] = ''

    names: Sequence[str]
    meta: dict[str, Any]
    labelled: bool

    def __init__(self, path: str | Path, split: str | None = None,
                 read_depth: bool = True, partial: str = 'no') -> None:
        self.path = Path(path)
        self.name = self.path.resolve().name
        self.split = split
        self.read_depth = read_depth
        self.partial = partial == 'yes'
        self._missing = 0
        self.skipped: dict[str, int] = {}
        self._skipped_indices: set[int] = set()
        self._medians: list[float] = []
        self._empty = 0
        self.names, self.meta, self.labelled = [], {}, True
        if split is not None and self.splits and split not in self.splits:
            raise DatasetError(
                f"{path}: no split '{split}'; there are: {', '.join(self.splits)}")

    @abstractmethod
    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :param index: 0 <= index < len(self).
        :raises FrameError: when this frame cannot be read.
        """

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self.path / self.names[index]

    def __len__(self) -> int:
        """Return the number of frames listed, bad ones included."""
        return len(self.names)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the readable frames."""
        for index in range(len(self)):
            frame = self.get(index)
            if frame is not None:
                yield frame

    def __getitem__(self, index: int) -> Frame:
        """
        Read one frame; -1 is the last one.

        :raises FrameError: when this frame cannot be read.
        :raises IndexError: beyond the last frame.
        :raises DatasetError: when the first depths read cannot be in the unit expected.
        """
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f'{self.path}: no frame {index}, there are {count}')
        frame = self.read(index % count)
        if self.depth_unit and frame.depth is not None and len(self._medians) < UNIT_SAMPLES:
            self._check_unit(frame, index % count)
        return frame

    def get(self, index: int) -> Frame | None:
        """Read one frame, or count it as skipped, warn and return None."""
        try:
            return self[index]
        except FrameError as error:
            index %= len(self)  # -1 is the last one here too
            if index not in self._skipped_indices:
                self._skipped_indices.add(index)
                count = self.skipped[error.reason] = self.skipped.get(error.reason, 0) + 1
                if count <= WARNINGS_PER_REASON:
                    _log.warning('skipped %s', error)
                if count == WARNINGS_PER_REASON:
                    _log.warning('%s: further frames skipped for this reason are only counted',
                                 self.path)
            return None

    def _check_unit(self, frame: Frame, index: int) -> None:
        assert frame.depth is not None
        depths = frame.depth[np.isfinite(frame.depth)]
        if not depths.size:
            self._empty += 1
            if self._empty == UNIT_SAMPLES and not self._medians:
                _log.warning('%s: the first %d depths hold no reading at all; expected %s',
                             self.depth_file(index), UNIT_SAMPLES, self.depth_unit)
            return
        self._medians.append(float(np.median(depths)))
        median = float(np.median(self._medians))
        low, high = PLAUSIBLE_DEPTH
        if not low <= median <= high:
            self._medians.clear()  # asked again, it says so again
            raise DatasetError(
                f'{self.depth_file(index)}: the median depth would be {median:.4g} m, outside '
                f'{low:g} to {high:g} m: expected {self.depth_unit}; is this another data set, '
                'or was it converted?')

    def _check_count(self, official: int | None, what: str, count: int | None = None,
                     where: Path | None = None) -> None:
        """
        Compare a number of frames with that of the whole download; fewer is an error.

        :param official: frames of the whole download, None when it has no fixed number.
        :param what: what was expected to be there, such as 'rgb/*.png'.
        :param count: frames that are there, by default those of the data set.
        :param where: the folder or file that was counted, by default the data set's.
        :raises DatasetError: when no frame is there, or fewer than there must be.
        """
        if not len(self):
            raise DatasetError(f'{self.path}: no frames found; expected {what}')
        count = len(self) if count is None else count
        if official is not None and count < official:
            self._incomplete(f'{where or self.path}: {count} frames where the whole download has '
                             f'{official} ({what})')

    def _check_files(self, folder: Path, wanted: Sequence[str], there: Collection[str]) -> None:
        """
        Check that the files that belong to frames are there, such as the depths of images.

        :param wanted: names in ``folder``.
        :raises DatasetError: naming the first that is missing.
        """
        self._check_missing(folder, [name for name in wanted if name not in there], len(wanted))

    def _check_missing(self, folder: Path, missing: Sequence[str], count: int) -> None:
        """
        Check that nothing is missing.

        :param missing: names in ``folder``.
        :param count: of all that were looked for.
        :raises DatasetError: naming the first that is missing.
        """
        if missing:
            self._incomplete(f'{folder / missing[0]} is missing ({len(missing)} of {count} '
                             'expected there)')

    def _incomplete(self, what: str) -> None:
        """
        Refuse a part of a download, or note it where that is what was asked for.

        To be called when ``meta`` is set.

        :param what: the file or folder, and what was expected.
        :raises DatasetError: unless ``partial``.
        """
        if not self.partial:
            raise DatasetError(f'{what}: half a download? Complete it, or add the key partial=yes '
                               'to use what is there')
        self._missing += 1
        first = str(self.meta.get('partial', what)).partition('; and ')[0]
        self.meta['partial'] = first + (
            f'; and {self._missing - 1} more' if self._missing > 1 else '')
