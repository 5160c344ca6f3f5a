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

import errno
import logging
from pathlib import Path
import threading
from types import TracebackType
from typing import Any

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.onsite.frame_choice import Choice, FrameChooser
from mde_ros.onsite.recording_counts import RecordingCounts
from mde_ros.onsite.recording_files import ODOMETRY, RANGES
from mde_ros.onsite.recording_folder import RecordingFolder
from mde_ros.onsite.recording_limits import limit_reached
from mde_ros.onsite.recording_settings import RecordingSettings
from mde_ros.onsite.recording_status import CLOSED, ERROR, FULL, RECORDING, RecordingStatus

STOPPED = 'stopped'

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
        self._chooser = FrameChooser(self.settings)
        self._counts = RecordingCounts()
        self._lock = threading.RLock()
        self._state, self._why = RECORDING, ''
        self._last_line: dict[str, int] = {}
        self._closed = False
        self._folder = RecordingFolder(
            self.path, intrinsics, self.settings,
            {'camera': camera, 'licence': licence, 'source': source, 'sequence': True},
            keep_depth=keep_depth, remember=self._chooser.remember)
        if self._folder.names:
            _log.info('%s: going on with %d frames', self.path, len(self._folder.names))
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
                self._counts.pass_time(frame.stamp_ns)
            if self._state != RECORDING or not self._check_limits():
                return Choice(STOPPED, self._why)
            self._counts.seen += 1
            bad = self._folder.fault(frame)
            if bad:
                return self._counts.count_bad(*bad)
            choice = self._chooser.consider(frame.image, frame.stamp_ns)
            if choice.keep:
                return self._write(frame, jpeg, choice)
            self._counts.refused[choice.reason] += 1
            self._counts.note(choice.reason)
            return choice

    def count_bad(self, reason: str) -> None:
        """Count a frame that could not even be decoded; ``reason`` in a few words."""
        with self._lock:
            if self._state == RECORDING:
                self._counts.seen += 1
                self._counts.count_bad(reason, '')

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
            return self._counts.status(
                self._state, self._why, frames=len(self._folder.names), used=self._folder.bytes,
                wanted=self.settings.max_frames)

    def close(self) -> None:
        """Write splits and stamps into meta.json; no more frames are taken. Never raises."""
        with self._lock:
            if self._closed:
                return
            self._save_splits()
            try:
                self._folder.close()
            except (DatasetError, OSError) as error:
                self._fail(error)
            self._folder.release()
            self._closed = True
            if self._state == RECORDING:
                self._state = CLOSED

    def _write(self, frame: Frame, jpeg: bytes | None, choice: Choice) -> Choice:
        try:
            self._folder.write(frame, jpeg, choice)
        except (DatasetError, OSError) as error:
            self._chooser.forget_last()
            if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
                self._fail(error)
                return Choice(STOPPED, self._why)
            return self._counts.count_bad('could not be written', str(error))
        self._counts.kept += 1
        self._counts.note(choice.reason)
        if self._folder.block_is_full:
            self._save_splits()
        self._check_limits()
        return choice

    def _check_limits(self) -> bool:
        """Return whether there is room and time for one more frame; else stop."""
        try:
            why = limit_reached(
                self.settings, self.path, frames=len(self._folder.names),
                seconds=self._counts.seconds, used=self._folder.bytes, need=self._folder.need)
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
        self._folder.remove_unfinished()
        _log.error('%s: recording stopped: %s', self.path, error)

    def _save_splits(self) -> None:
        try:
            self._folder.save_splits()
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
                self._folder.write_line(file, {'stamp': stamp_ns, **entry})
            except OSError as error:
                self._fail(error)
