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

"""The files of an RGB-D folder: meta.json, its journal, image and depth files."""

import json
import logging
import os
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import DatasetError, FrameError

META = 'meta.json'
# Stamps and intrinsics of frames that the writer has not folded into meta.json yet.
JOURNAL = 'frames.jsonl'
IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')  # the first wins where a frame has two

_log = logging.getLogger(__name__)


def read_meta(path: Path) -> dict[str, Any]:
    """
    Return meta.json with what a journal of an unfinished recording adds.

    :raises DatasetError: naming the folder or file.
    """
    if not path.is_dir():
        raise DatasetError(f'{path}: no such folder')
    # The journal first: a writer that folds it between the two reads takes nothing away.
    journal = _read_journal(path / JOURNAL)
    try:
        meta = json.loads((path / META).read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise DatasetError(
            f'{path / META} is missing: an RGB-D folder has meta.json, rgb/ and depth/') from error
    except (OSError, ValueError) as error:
        raise DatasetError(f'{path / META}: not readable as JSON: {error}') from error
    if not isinstance(meta, dict):
        raise DatasetError(f'{path / META}: must hold one JSON object')
    for entry in journal:
        for field, key in (('stamps', 'stamp'), ('frame_intrinsics', 'intrinsics')):
            if key in entry:
                meta.setdefault(field, {})[entry['name']] = entry[key]
    return meta


def _read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a journal; a line cut short by a power cut is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict) and 'name' in entry:
            entries.append(entry)
        else:
            _log.warning('%s: left out an unfinished line', path)
    return entries


def read_depth_png(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """
    Return a depth PNG in millimetres as metres, NaN where it is 0.

    :param shape: (height, width) that it must have.
    :raises FrameError: when it is missing, corrupt, of another size or not 16 bit.
    """
    depth = decode(load(path, 'no depth file'), cv2.IMREAD_UNCHANGED)
    if depth is None:
        raise FrameError('corrupt depth', str(path))
    if depth.dtype != np.uint16 or depth.ndim != 2:
        raise FrameError('depth is not one channel of 16 bit millimetres', str(path))
    if depth.shape != tuple(shape):
        raise FrameError('depth and image differ in size',
                         f'{path} is {depth.shape[1]}x{depth.shape[0]}')
    metres = depth.astype(np.float32) * np.float32(.001)
    metres[depth == 0] = np.nan
    return metres


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key that puts frame_2 before frame_10; no two names have the same."""
    parts = [(0, int(part), '') if part.isdecimal() else (1, 0, part)
             for part in re.split(r'(\d+)', name)]
    return parts, name


def list_images(folder: Path) -> dict[str, str]:
    """
    Return the file names of the images of a folder by frame name.

    :raises DatasetError: when there is no such folder.
    """
    files: dict[str, str] = {}
    try:
        with os.scandir(folder) as listing:
            entries = [entry.name for entry in listing]
    except OSError as error:
        raise DatasetError(f'{folder}: no such folder of images') from error
    for entry in entries:
        stem, dot, suffix = entry.rpartition('.')
        suffix = dot + suffix.lower()
        if suffix not in IMAGE_SUFFIXES or entry.startswith('.'):
            continue
        if stem not in files or suffix == IMAGE_SUFFIXES[0]:
            files[stem] = entry
    return files


def load(path: Path, missing: str = 'no image file') -> bytes:
    """
    Return what a file holds.

    :raises FrameError: with the reason ``missing`` where there is none.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FrameError(missing, str(path)) from error
    except OSError as error:
        raise FrameError('unreadable file', f'{path} ({error})') from error


def decode(encoded: bytes, flags: int) -> NDArray[Any] | None:
    """Return the image of an encoded file, None when it is corrupt or cut short."""
    # OpenCV 4 fills up a truncated JPEG with grey and returns it: look for the end marker.
    if encoded.startswith(b'\xff\xd8') and b'\xff\xd9' not in encoded[-64:]:
        return None
    if not encoded:
        return None
    try:
        return cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except cv2.error:
        return None
