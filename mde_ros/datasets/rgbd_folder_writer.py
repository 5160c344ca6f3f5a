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

"""Writing RGB-D folders so that a kill at any moment leaves a readable one."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import json
import logging
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import cv2
import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.atomic_files import save_json, sync, write_whole
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_encoding import DEPTH_MAX_M, encode_depth, encode_image
from mde_ros.datasets.rgbd_folder_files import JOURNAL, list_images, META, read_meta

_log = logging.getLogger(__name__)


class RgbdFolderWriter:
    """
    Write frames into an RGB-D folder; opening an existing one goes on with it.

    Every file appears whole (written aside, then renamed), the image last, so a listed frame
    is complete. Stamps and intrinsics of single frames go to a journal beside meta.json, which
    :class:`RgbdFolder` reads too, and into meta.json on close. Several processes may write
    different frames of one folder, each with its own writer.

    :param path: the folder; made where it does not exist.
    :param intrinsics: of the images; a frame may differ in fx, fy, cx, cy.
    :param camera: name of the camera, as 'RealSense D435'.
    :param licence: of the images.
    :param source: where the images come from.
    :param image_format: 'jpg' or 'png'.
    :param jpeg_quality: 1 to 100.
    :param durable: wait for the disk with each frame, so that a power cut costs at most the one
        being written; some milliseconds a frame.
    :param meta: further fields of meta.json, as ``sequence`` or ``splits``.
    :raises DatasetError: when the folder holds something else or another camera.
    """

    def __init__(self, path: str | Path, intrinsics: Intrinsics, *, camera: str, licence: str,
                 source: str, image_format: str = 'jpg', jpeg_quality: int = 95,
                 durable: bool = False, **meta: Any) -> None:
        if image_format not in ('jpg', 'png'):
            raise DatasetError(f"image format '{image_format}': use 'jpg' or 'png'")
        self.path = Path(path)
        self.intrinsics = intrinsics
        self.clipped_pixels = 0  # depth beyond what the format holds, written as no reading
        self._suffix = image_format
        self._quality = jpeg_quality
        self._durable = durable
        fields = {**intrinsics.to_dict(), 'camera': camera, 'licence': licence, 'source': source,
                  'depth_png': 'uint16 millimetres, 0 = no reading', **meta}
        try:
            (self.path / 'rgb').mkdir(parents=True, exist_ok=True)
            with self._locked_journal():
                if not (self.path / META).exists():
                    self._start(fields)
                else:
                    self._go_on(fields)
        except OSError as error:
            raise DatasetError(f'{self.path}: cannot write there: {error}') from error
        self._names = set(list_images(self.path / 'rgb'))

    def __enter__(self) -> 'RgbdFolderWriter':
        """Return the writer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def __contains__(self, name: str) -> bool:
        """Return whether the frame is in the folder: what a resumed job need not do again."""
        return name in self._names

    def __len__(self) -> int:
        """Return the number of frames in the folder, as far as this writer knows."""
        return len(self._names)

    def write(self, frame: Frame, jpeg: bytes | None = None) -> None:
        """
        Write one frame.

        :param jpeg: the image as it came, to be kept as it is instead of encoding it again.
        :raises DatasetError: for a name that exists already, an image of another size or type,
            or a disk that is full.
        """
        self._check(frame)
        if jpeg is not None and not jpeg.startswith(b'\xff\xd8'):
            raise DatasetError(f'frame {frame.name}: the bytes given as JPEG are none')
        suffix, options = self._suffix, [cv2.IMWRITE_PNG_COMPRESSION, 1]
        if suffix == 'jpg':
            options = [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        entry: dict[str, Any] = {'name': frame.name}
        if frame.stamp_ns:
            entry['stamp'] = frame.stamp_ns
        if frame.intrinsics != self.intrinsics:
            entry['intrinsics'] = frame.intrinsics.to_dict()['intrinsics']
        try:
            if frame.depth is not None:
                (self.path / 'depth').mkdir(exist_ok=True)
                encoded, beyond = encode_depth(frame.depth)
                self.clipped_pixels += beyond
                write_whole(self.path / 'depth' / f'{frame.name}.png', encoded, self._durable)
            if len(entry) > 1:
                with self._locked_journal() as journal:
                    journal.write(json.dumps(entry).encode() + b'\n')
                    if self._durable:
                        journal.flush()
                        os.fsync(journal.fileno())
            if jpeg is not None:
                suffix = 'jpg'
            write_whole(self.path / 'rgb' / f'{frame.name}.{suffix}', jpeg or encode_image(
                cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), suffix, options), self._durable)
        except OSError as error:
            raise DatasetError(f'{self.path}: cannot write frame {frame.name}: {error}') from error
        self._names.add(frame.name)

    def update_meta(self, **fields: Any) -> None:
        """
        Set fields of meta.json, as ``splits`` once the names are known.

        :raises DatasetError: for a disk that is full or a folder that is gone.
        """
        try:
            with self._locked_journal():
                save_json(self.path / META, {**read_meta(self.path), **fields})
        except OSError as error:
            raise DatasetError(f'{self.path / META}: cannot write: {error}') from error

    def close(self) -> None:
        """
        Fold the journal into meta.json; writing may go on afterwards.

        :raises DatasetError: for a disk that is full or a folder that is gone.
        """
        try:
            with self._locked_journal() as journal:
                meta = read_meta(self.path)
                meta['frames'] = len(list_images(self.path / 'rgb'))
                self._save_meta(meta)
                Path(journal.name).unlink()
        except OSError as error:
            raise DatasetError(f'{self.path / META}: cannot write: {error}') from error
        if self.clipped_pixels:
            _log.warning('%s: %d depth pixels beyond %.1f m were written as no reading',
                         self.path, self.clipped_pixels, DEPTH_MAX_M)
            self.clipped_pixels = 0

    def _start(self, fields: dict[str, Any]) -> None:
        foreign = [entry.name for entry in self.path.iterdir()
                   if entry.name not in ('rgb', JOURNAL) and not entry.name.startswith('.')]
        if foreign or any((self.path / 'rgb').iterdir()):
            raise DatasetError(f'{self.path}: holds files but no {META}; give an empty folder')
        save_json(self.path / META, fields)

    def _go_on(self, fields: dict[str, Any]) -> None:
        there = read_meta(self.path)
        # Numbers went through JSON: compare what comes out of it.
        fields = json.loads(json.dumps(fields))
        for key in ('width', 'height', 'intrinsics', 'distortion', 'camera', 'licence'):
            if there.get(key) != fields.get(key):
                raise DatasetError(
                    f"{self.path / META}: '{key}' is {there.get(key)}, not {fields.get(key)}: "
                    'give another folder')
        changed = [key for key, value in fields.items() if there.get(key) != value]
        if changed:
            _log.info('%s: changes %s', self.path / META, ', '.join(changed))
        # Folding the journal first keeps a line that a power cut left unfinished by itself.
        self._save_meta({**there, **fields})
        os.truncate(self.path / JOURNAL, 0)

    def _save_meta(self, meta: dict[str, Any]) -> None:
        """Save meta.json before the journal, which it holds now, is emptied."""
        save_json(self.path / META, meta)
        if self._durable:
            sync(self.path)

    def _check(self, frame: Frame) -> None:
        name, image, camera = frame.name, frame.image, self.intrinsics
        if not name or name != Path(name).name or name.startswith('.'):
            raise DatasetError(f"'{name}' is no frame name: no '/' and no leading '.'")
        if name in self._names or (self.path / 'rgb' / f'{name}.{self._suffix}').exists():
            raise DatasetError(f'{self.path}: has a frame {name} already; nothing is overwritten')
        shape = (camera.height, camera.width)
        if image.dtype != np.uint8 or image.shape != (*shape, 3):
            raise DatasetError(f'frame {name}: the image is {image.dtype} {image.shape}, expected '
                               f'uint8 {(*shape, 3)}')
        if frame.depth is not None and frame.depth.shape != shape:
            raise DatasetError(f'frame {name}: depth is {frame.depth.shape}, expected {shape}')
        own, common = frame.intrinsics, camera
        if (own.width, own.height, own.distortion_model, own.distortion) != (
                common.width, common.height, common.distortion_model, common.distortion):
            raise DatasetError(f'frame {name}: size and distortion must be those of the folder')

    @contextmanager
    def _locked_journal(self) -> Iterator[BinaryIO]:
        """Yield the journal, open for appending, while no other process changes the folder."""
        while True:
            with (self.path / JOURNAL).open('ab') as journal:
                fcntl.flock(journal, fcntl.LOCK_EX)
                # Another process may have folded and removed it before the lock was ours.
                if os.fstat(journal.fileno()).st_nlink == 0:
                    continue
                yield journal
                return
