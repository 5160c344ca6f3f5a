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

"""The folder of a recording: splits, depth for scoring, mending what a power cut left."""

from collections.abc import Iterable, Iterator
import fcntl
import json
import logging
import os
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.atomic_files import sync, write_whole
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.image_encoding import encode_depth
from mde_ros.datasets.rgbd_folder_files import decode, list_images, load, META, read_meta
from mde_ros.onsite.recording_lines import read_lines

LOG = 'recording.jsonl'
ODOMETRY = 'odometry.jsonl'
SCORING = 'scoring'
RANGES = f'{SCORING}/ranges.jsonl'
# Which block of five is for the label-free check; the third, so that short recordings have one.
CYCLE, CHECK_BLOCK = 5, 2

_log = logging.getLogger(__name__)


def split_of(name: str, block: int) -> str:
    """Return 'adapt' or 'check': which split a frame is in, by its number alone."""
    return 'check' if int(name) // block % CYCLE == CHECK_BLOCK else 'adapt'


def splits_of(names: Iterable[str], block: int) -> dict[str, list[str]]:
    """Return the names of each split, sorted; a split without frames is left out."""
    splits: dict[str, list[str]] = {}
    for name in sorted(names):
        splits.setdefault(split_of(name, block), []).append(name)
    return splits


def bytes_of(folder: Path) -> int:
    """Return the bytes of all files in a folder, links not followed."""
    return sum(os.lstat(os.path.join(root, name)).st_size
               for root, _, names in os.walk(folder) for name in names)


def hold(folder: Path) -> BinaryIO:
    """
    Return an open file that keeps other recorders off a folder until it is closed.

    :raises DatasetError: when another one records there, the folder holds something else than
        a recording, or it cannot be written.
    """
    try:
        _refuse_others(folder)
        folder.mkdir(parents=True, exist_ok=True)
        held = (folder / '.recording.lock').open('ab')
    except OSError as error:
        raise DatasetError(f'{folder}: cannot record there: {error}') from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        raise DatasetError(f'{folder}: another recorder is writing there: stop it, or give '
                             'another folder') from error
    return held


def mend(folder: Path) -> dict[str, Any] | None:
    """
    Put in order what a power cut may have left of an earlier recording.

    Unfinished files are removed, a meta.json cut short is made anew from recording.jsonl, an
    image cut short is renamed to a hidden .NAME.damaged.

    :return: what meta.json says of the recording; None when there is none yet.
    :raises DatasetError: when nothing tells any more what the folder holds.
    """
    for part in (folder, folder / 'rgb', folder / SCORING / 'depth'):
        for unfinished in part.glob('.*.tmp'):
            unfinished.unlink()
    if not (folder / META).exists():
        return None
    meta = _meta_of(folder)
    if meta is None:
        meta = _meta_from_log(folder)
    recording = meta['recording']
    block = recording.get('block_frames')
    if not isinstance(block, int) or block < 1:
        raise DatasetError(f"{folder / META}: 'recording' must have 'block_frames', a number of "
                           'frames')
    return dict(recording)


def _meta_of(folder: Path) -> dict[str, Any] | None:
    """Return meta.json, None where it is cut short."""
    try:
        meta = json.loads((folder / META).read_text(encoding='utf-8'))
    except ValueError:
        return None
    return meta if isinstance(meta, dict) else None


def _refuse_others(folder: Path) -> None:
    """Raise for a folder of data that is no recording, before anything in it is touched."""
    if not (folder / META).exists():
        return
    meta = _meta_of(folder)
    foreign = (not (folder / LOG).exists() if meta is None
               else not isinstance(meta.get('recording'), dict))
    if foreign or (folder / 'depth').exists():
        raise DatasetError(f'{folder} holds data that mde record did not make: give another '
                           'folder')


def _meta_from_log(folder: Path) -> dict[str, Any]:
    entries = read_lines(folder / LOG)
    heads = [entry['meta'] for entry in entries if isinstance(entry.get('meta'), dict)
             and isinstance(entry['meta'].get('recording'), dict)]
    if not heads:
        raise DatasetError(f'{folder / META} and {LOG} are damaged: give another folder')
    _log.warning('%s was damaged: made anew from %s', folder / META, LOG)
    stamps = {entry['name']: entry['stamp'] for entry in entries if entry.get('stamp')}
    meta = {**heads[-1], 'stamps': stamps}
    write_whole(folder / META, json.dumps(meta, indent=1).encode(), durable=True)
    return meta


def readable_frames(folder: Path) -> Iterator[tuple[str, int, NDArray[np.uint8]]]:
    """
    Yield name, stamp in ns and grey picture of each frame, in order of their names.

    :raises DatasetError: for a frame that no recorder has named.
    """
    if not (folder / META).exists():
        return
    stamps = read_meta(folder).get('stamps') or {}
    for name, file in sorted(list_images(folder / 'rgb').items()):
        if not name.isdecimal():
            raise DatasetError(f'{folder}/rgb/{file} was not made by mde record: give another '
                                 'folder')
        path = folder / 'rgb' / file
        try:
            grey = decode(load(path), cv2.IMREAD_GRAYSCALE)
        except FrameError:
            grey = None
        if grey is None:
            _log.warning('%s is damaged: put aside', path)
            path.replace(path.with_name(f'.{file}.damaged'))
            continue
        yield name, int(stamps.get(name, 0)), grey


def whole_jpeg(data: bytes | None) -> bytes | None:
    """Return the bytes of a complete JPEG file, None for anything else."""
    if data is None or not data.startswith(b'\xff\xd8') or b'\xff\xd9' not in data[-64:]:
        return None
    return data


def write_scoring_depth(folder: Path, name: str, depth: NDArray[np.float32] | None) -> int:
    """
    Write a depth image where only scoring finds it; return its bytes.

    scoring/ is an RGB-D folder of its own by links to rgb/ and meta.json of the recording.

    :param depth: H x W metres, NaN where there is no reading; None when there is none.
    """
    scoring = folder / SCORING
    if depth is None:
        # One may be left of a frame that a power cut took.
        (scoring / 'depth' / f'{name}.png').unlink(missing_ok=True)
        return 0
    if not (scoring / 'depth').is_dir():
        (scoring / 'depth').mkdir(parents=True, exist_ok=True)
        for target in ('rgb', META):
            try:
                (scoring / target).symlink_to(Path('..') / target)
            except OSError as error:
                _log.warning('%s: no link to %s: %s', scoring, target, error)
        sync(scoring)
    data, _ = encode_depth(depth)
    write_whole(scoring / 'depth' / f'{name}.png', data, durable=True)
    return len(data)
