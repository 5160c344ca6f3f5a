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

"""Record chosen frames of a new camera into an RGB-D folder without depth."""

from collections import Counter, deque
from dataclasses import replace
import errno
import logging
from pathlib import Path
import threading
import time
from types import TracebackType
from typing import Any

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.onsite.frame_choice import Choice, FrameChooser
from mde_ros.onsite.recording_files import (
    bytes_of, hold, LOG, mend, ODOMETRY, RANGES, readable_frames, splits_of, whole_jpeg,
    write_scoring_depth)
from mde_ros.onsite.recording_limits import limit_reached
from mde_ros.onsite.recording_lines import JsonLines
from mde_ros.onsite.recording_settings import RecordingSettings
from mde_ros.onsite.recording_status import (
    advise, CLOSED, ERROR, FULL, RECORDING, RecordingStatus)

STOPPED = 'stopped'
# Frames that the advice goes by.
LATEST = 90
# Longer gaps of the stamps are pauses, not recording time.
LONGEST_STEP_S = 5.

_log = logging.getLogger(__name__)


class Recorder:
    """
    Choose frames and write them so that a power cut loses at most the last one.

    An earlier recording in the folder goes on: its frames count against the limits and for the
    novelty of new ones. When a limit is reached or the disk fails, the recorder stops taking
    frames and its :meth:`status` says why; the folder is usable at any moment. All methods may
    be called from several threads.

    :param path: the folder; made where it does not exist.
    :param intrinsics: of the images; a frame may differ in fx, fy, cx, cy.
    :param settings: what to keep and how much.
    :param camera: name of the camera, such as 'front'.
    :param licence: of the images.
    :param source: where they come from.
    :param keep_depth: write the depth of frames that have one into scoring/, where training
        does not look.
    :raises DatasetError: when the folder holds something else than a recording, or one of
        another camera or size, when another recorder is at it, or when it cannot be written.
    """

    def __init__(self, path: str | Path, intrinsics: Intrinsics,
                 settings: RecordingSettings | None = None, *, camera: str,
                 licence: str = 'not stated', source: str = 'mde record',
                 keep_depth: bool = False) -> None:
        self.path = Path(path)
        self.intrinsics = intrinsics
        self.settings = settings or RecordingSettings()
        self._keep_depth = keep_depth
        self._chooser = FrameChooser(self.settings)
        self._lock = threading.RLock()
        self._state, self._why = RECORDING, ''
        self._seen = self._kept = 0
        self._refused: Counter[str] = Counter()
        self._bad: Counter[str] = Counter()
        self._latest: deque[str] = deque(maxlen=LATEST)
        self._seconds, self._last_ns = 0., 0
        self._last_line: dict[str, int] = {}
        self._closed = False
        # What one more frame is taken to need, until the first is written.
        self._largest = intrinsics.width * intrinsics.height
        self._block = self.settings.block_frames
        meta: dict[str, Any] = {
            'camera': camera, 'licence': licence, 'source': source, 'sequence': True,
            'recording': {'version': 1, 'block_frames': self._block}}
        self._held = hold(self.path)
        try:
            self._open(meta)
        except OSError as error:
            self._held.close()
            raise DatasetError(f'{self.path}: cannot record there: {error}') from error
        except BaseException:
            self._held.close()
            raise
        self._next = int(self._names[-1]) + 1 if self._names else 0
        if self._names:
            _log.info('%s: going on with %d frames', self.path, len(self._names))
        self._check_limits()

    def __enter__(self) -> 'Recorder':
        """Return the recorder."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    @property
    def recording(self) -> bool:
        """Return whether more frames are taken."""
        return self._state == RECORDING

    def add(self, frame: Frame, jpeg: bytes | None = None) -> Choice:
        """
        Write a frame if it is worth having.

        :param frame: its name does not matter, its depth goes to scoring/ or nowhere.
        :param jpeg: the image as it came, kept as it is when the frame is.
        :return: whether it was kept, else why not. Nothing is raised for a bad frame or a full
            disk: they are counted, and :meth:`status` says so.
        """
        with self._lock:
            if self._state == RECORDING:
                self._pass_time(frame.stamp_ns)
            if self._state != RECORDING or not self._check_limits():
                return Choice(STOPPED, self._why)
            self._seen += 1
            bad = self._fault(frame)
            if bad:
                return self._count_bad(*bad)
            choice = self._chooser.consider(frame.image, frame.stamp_ns)
            if choice.keep:
                choice = self._write(frame, jpeg, choice)
            else:
                self._refused[choice.reason] += 1
            self._latest.append(choice.reason)
            return choice

    def count_bad(self, reason: str) -> None:
        """Count a frame that could not even be decoded; ``reason`` in a few words."""
        with self._lock:
            if self._state == RECORDING:
                self._seen += 1
                self._count_bad(reason, '')

    def add_pose(self, stamp_ns: int, position: tuple[float, float, float],
                 orientation: tuple[float, float, float, float], frame: str = '',
                 child: str = '') -> None:
        """
        Note where the robot was, into odometry.jsonl.

        :param position: x, y, z in metres of ``child`` in ``frame``.
        :param orientation: the quaternion x, y, z, w.
        """
        self._add_line(ODOMETRY, stamp_ns, {
            'position': [float(value) for value in position],
            'orientation': [float(value) for value in orientation],
            'frame': frame, 'child': child})

    def add_range(self, stamp_ns: int, metres: float, field_of_view: float = 0.,
                  frame: str = '') -> None:
        """
        Note a range reading, into scoring/ranges.jsonl.

        :param metres: as measured; readings that are not finite and positive are left out.
        :param field_of_view: full angle of the beam in radians, 0 when unknown.
        """
        if np.isfinite(metres) and metres > 0:
            self._add_line(RANGES, stamp_ns, {
                'range': float(metres), 'field_of_view': float(field_of_view), 'frame': frame})

    def status(self) -> RecordingStatus:
        """Return the counts of now."""
        with self._lock:
            return RecordingStatus(
                self._state, self._why, self._seen, self._kept, len(self._names),
                dict(self._refused), dict(self._bad), round(self._seconds, 3), self._bytes,
                advise(self._state, self._why, list(self._latest), len(self._names),
                       self.settings.max_frames))

    def close(self) -> None:
        """Write splits and stamps into meta.json; no more frames are taken. Never raises."""
        with self._lock:
            if self._closed:
                return
            self._save_splits()
            try:
                for lines in self._lines.values():
                    lines.close()
                self._writer.close()
            except (DatasetError, OSError) as error:
                # The journal still has what meta.json lacks.
                self._fail(error)
            self._held.close()
            self._closed = True
            if self._state == RECORDING:
                self._state = CLOSED

    def _open(self, meta: dict[str, Any]) -> None:
        """Go on with what is in the folder, or begin."""
        earlier = mend(self.path)
        if earlier is not None:
            # A frame stays in its split when the recording goes on.
            self._block = meta['recording']['block_frames'] = earlier['block_frames']
        self._names: list[str] = []
        for name, stamp, grey in readable_frames(self.path):
            self._chooser.remember(grey, stamp)
            self._names.append(name)
        # After the damaged frames were put aside: their names are free again.
        self._writer = RgbdFolderWriter(
            self.path, self.intrinsics, jpeg_quality=self.settings.jpeg_quality, durable=True,
            **meta)
        self._lines = {file: JsonLines(self.path / file) for file in (LOG, ODOMETRY, RANGES)}
        self._lines[LOG].write({'meta': {**self.intrinsics.to_dict(), **meta}})
        self._bytes = bytes_of(self.path)

    def _write(self, frame: Frame, jpeg: bytes | None, choice: Choice) -> Choice:
        name = f'{self._next:06d}'
        try:
            size = 0
            size += write_scoring_depth(
                self.path, name, frame.depth if self._keep_depth else None)
            size += self._lines[LOG].write({
                'name': name, 'stamp': frame.stamp_ns, 'motion': choice.motion,
                'novelty': choice.novelty})
            self._writer.write(replace(frame, name=name, depth=None), whole_jpeg(jpeg))
            size += (self.path / 'rgb' / f'{name}.jpg').stat().st_size
        except (DatasetError, OSError) as error:
            self._chooser.forget_last()
            if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
                self._fail(error)
                return Choice(STOPPED, self._why)
            return self._count_bad('could not be written', str(error))
        self._next += 1
        self._kept += 1
        self._names.append(name)
        self._bytes += size
        self._largest = max(size, self._largest if self._kept > 1 else 0)
        if self._next % self._block == 0:
            self._save_splits()
        self._check_limits()
        return choice

    def _fault(self, frame: Frame) -> tuple[str, str] | None:
        """Return why a frame cannot be used, in general and in detail."""
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

    def _count_bad(self, reason: str, detail: str) -> Choice:
        self._bad[reason] += 1
        self._latest.append(reason)
        if self._bad[reason] == 1:
            _log.warning('skipped a frame: %s %s; more like it are only counted', reason, detail)
        return Choice(reason, detail)

    def _pass_time(self, stamp_ns: int) -> None:
        now = stamp_ns or time.monotonic_ns()
        step = (now - self._last_ns) / 1e9
        if self._last_ns and 0 < step < LONGEST_STEP_S:
            self._seconds += step
        self._last_ns = now

    def _check_limits(self) -> bool:
        """Return whether there is room and time for one more frame; else stop."""
        try:
            why = limit_reached(
                self.settings, self.path, frames=len(self._names), seconds=self._seconds,
                used=self._bytes, need=self._largest)
        except OSError as error:
            self._fail(error)
        else:
            if why:
                self._stop(why)
        return self._state == RECORDING

    def _stop(self, why: str) -> None:
        if self._state == RECORDING:
            self._state, self._why = FULL, why
            self._save_splits()
            _log.info('%s: recording ends: %s', self.path, why)

    def _fail(self, error: Exception) -> None:
        cause = error if isinstance(error, OSError) else error.__cause__
        full = isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)
        self._state = ERROR
        self._why = f'disk full: {error}: free some space, then go on' if full else str(error)
        for unfinished in self.path.rglob('.*.tmp'):
            unfinished.unlink(missing_ok=True)  # half a frame, on a disk that may be full
        _log.error('%s: recording stopped: %s', self.path, error)

    def _save_splits(self) -> None:
        try:
            self._writer.update_meta(splits=splits_of(self._names, self._block))
            for lines in self._lines.values():
                lines.sync()
            self._bytes = bytes_of(self.path)
        except (DatasetError, OSError) as error:
            self._fail(error)

    def _add_line(self, file: str, stamp_ns: int, entry: dict[str, Any]) -> None:
        with self._lock:
            # Stamps that go back belong to another recording.
            passed = stamp_ns - self._last_line.get(file, stamp_ns + 1)
            if self._state != RECORDING or (
                    0 <= passed < round(self.settings.odometry_interval * 1e9)):
                return
            self._last_line[file] = stamp_ns
            try:
                self._bytes += self._lines[file].write({'stamp': stamp_ns, **entry})
            except OSError as error:
                self._fail(error)
