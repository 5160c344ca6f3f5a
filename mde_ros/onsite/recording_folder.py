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

"""The folder that a recorder writes: frames, their log, splits, lines of other sensors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.onsite.frame_choice import Choice
from mde_ros.onsite.recording_files import (
    bytes_of, hold, LOG, mend, ODOMETRY, RANGES, readable_frames, splits_of, whole_jpeg,
    write_scoring_depth)
from mde_ros.onsite.recording_lines import JsonLines
from mde_ros.onsite.recording_settings import RecordingSettings


class RecordingFolder:
    """
    Write frames so that a power cut loses at most the last one.

    No other recorder may write there until :meth:`release`. Methods that write raise
    DatasetError or OSError when the disk fails. Not safe for several threads.

    :param path: the folder; made where it does not exist, gone on with where it does.
    :param intrinsics: of the images; a frame may differ in fx, fy, cx, cy.
    :param settings: block_frames and jpeg_quality count here.
    :param meta: fields of meta.json, ``camera``, ``licence`` and ``source`` among them.
    :param keep_depth: write the depth of frames that have one into scoring/.
    :param remember: called with grey picture and stamp of each frame that is there already.
    :raises DatasetError: when the folder holds something else than a recording, or one of
        another camera or size, when another recorder is at it, or when it cannot be written.
    """

    def __init__(self, path: Path, intrinsics: Intrinsics, settings: RecordingSettings,
                 meta: dict[str, Any], *, keep_depth: bool,
                 remember: Callable[[NDArray[np.uint8], int], None]) -> None:
        self.path = path
        self.intrinsics = intrinsics
        self.names: list[str] = []
        self._keep_depth = keep_depth
        self._block = settings.block_frames
        # What one more frame is taken to need, until the first is written.
        self._largest = 0
        self._held = hold(path)
        try:
            self._open(settings, meta, remember)
        except OSError as error:
            self._held.close()
            raise DatasetError(f'{path}: cannot record there: {error}') from error
        except BaseException:
            self._held.close()
            raise
        self._next = int(self.names[-1]) + 1 if self.names else 0

    @property
    def need(self) -> int:
        """Return the bytes that one more frame may take."""
        return self._largest or self.intrinsics.width * self.intrinsics.height

    @property
    def block_is_full(self) -> bool:
        """Return whether the next frame begins a block, which is when splits are saved."""
        return self._next % self._block == 0

    def fault(self, frame: Frame) -> tuple[str, str] | None:
        """Return why a frame cannot be written here, in general and in detail."""
        own, ours = frame.intrinsics, self.intrinsics
        shape = (ours.height, ours.width, 3)
        if frame.image.dtype != np.uint8 or frame.image.shape != shape:
            found = f'{frame.image.dtype} {frame.image.shape}'
            return 'another image size', f'{found}, expected uint8 {shape}'
        if replace(own, fx=1., fy=1., cx=0., cy=0.) != replace(ours, fx=1., fy=1., cx=0., cy=0.):
            return 'another lens', f'{own}, the recording began with {ours}'
        if frame.depth is not None and frame.depth.shape != shape[:2]:
            return 'depth of another size', f'{frame.depth.shape}, expected {shape[:2]}'
        return None

    def write(self, frame: Frame, jpeg: bytes | None, choice: Choice) -> None:
        """
        Write a frame that has no :meth:`fault` under the next free number.

        :param jpeg: the image as it came, kept as it is when it is a whole JPEG.
        :param choice: what it was kept for, for the log.
        """
        name = f'{self._next:06d}'
        size = write_scoring_depth(self.path, name, frame.depth if self._keep_depth else None)
        size += self._lines[LOG].write({
            'name': name, 'stamp': frame.stamp_ns, 'motion': choice.motion,
            'novelty': choice.novelty})
        self._writer.write(replace(frame, name=name, depth=None), whole_jpeg(jpeg))
        size += (self.path / 'rgb' / f'{name}.jpg').stat().st_size
        self._next += 1
        self.names.append(name)
        self.bytes += size
        self._largest = max(size, self._largest)

    def write_line(self, file: str, entry: dict[str, Any]) -> None:
        """Append to ODOMETRY or RANGES."""
        self.bytes += self._lines[file].write(entry)

    def save_splits(self) -> None:
        """Write the splits into meta.json and bring the lines to the disk; count bytes anew."""
        self._writer.update_meta(splits=splits_of(self.names, self._block))
        for lines in self._lines.values():
            lines.sync()
        self.bytes = bytes_of(self.path)

    def remove_unfinished(self) -> None:
        """Remove half a frame, on a disk that may be full."""
        for unfinished in self.path.rglob('.*.tmp'):
            unfinished.unlink(missing_ok=True)

    def close(self) -> None:
        """Fold the stamps into meta.json; where it fails the journal still has them."""
        for lines in self._lines.values():
            lines.close()
        self._writer.close()

    def release(self) -> None:
        """Let other recorders in."""
        self._held.close()

    def _open(self, settings: RecordingSettings, meta: dict[str, Any],
              remember: Callable[[NDArray[np.uint8], int], None]) -> None:
        """Go on with what is in the folder, or begin."""
        earlier = mend(self.path)
        if earlier is not None:
            # A frame stays in its split when the recording goes on.
            self._block = earlier['block_frames']
        meta = {**meta, 'recording': {'version': 1, 'block_frames': self._block}}
        for name, stamp, grey in readable_frames(self.path):
            remember(grey, stamp)
            self.names.append(name)
        # After the damaged frames were put aside: their names are free again.
        self._writer = RgbdFolderWriter(
            self.path, self.intrinsics, jpeg_quality=settings.jpeg_quality, durable=True, **meta)
        self._lines = {file: JsonLines(self.path / file) for file in (LOG, ODOMETRY, RANGES)}
        self._lines[LOG].write({'meta': {**self.intrinsics.to_dict(), **meta}})
        self.bytes = bytes_of(self.path)
