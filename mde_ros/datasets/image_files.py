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

"""Images, 16 bit depth and text tables on disk, for every reader: what is wrong names the file."""

from collections.abc import Iterator
from functools import lru_cache
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.rgbd_folder_files import decode, load


def read_rgb(path: Path, camera: Intrinsics | None = None) -> NDArray[np.uint8]:
    """
    Return an image file as H x W x 3 uint8 RGB, orientation marks not applied.

    :param camera: when given, the image must have its size.
    :raises FrameError: when it is missing, corrupt or of another size.
    """
    image = decode(load(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise FrameError('corrupt image', str(path))
    if camera is not None:
        check_size(path, image.shape, camera)
    rgb: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return rgb


def read_16bit(path: Path, camera: Intrinsics | None = None) -> NDArray[np.uint16]:
    """
    Return a one-channel 16 bit PNG as it is stored, H x W uint16.

    :param camera: when given, the image must have its size.
    :raises FrameError: when it is missing, corrupt, not 16 bit or of another size.
    """
    stored = decode(load(path, 'no depth file'), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise FrameError('corrupt depth', str(path))
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise FrameError('depth is not one channel of 16 bit', str(path))
    if camera is not None:
        check_size(path, stored.shape, camera)
    return stored


def check_size(path: Path, shape: tuple[int, ...], camera: Intrinsics) -> None:
    """
    Check that an image has the size its intrinsics are for.

    :raises FrameError: naming the file and both sizes.
    """
    if shape[:2] != (camera.height, camera.width):
        raise FrameError(f'size is not {camera.width}x{camera.height}, which the intrinsics are '
                         'for', f'{path} is {shape[1]}x{shape[0]}')


def to_metres(stored: NDArray[np.uint16], per_metre: float,
              *invalid: int) -> NDArray[np.float32]:
    """
    Return stored depth in metres, H x W float32, NaN for 0 and other marks.

    :param per_metre: stored units in a metre, such as 1000.
    :param invalid: stored values besides 0 that mean no reading.
    """
    return _metres_table(float(per_metre), invalid)[stored]


@lru_cache(maxsize=8)
def _metres_table(per_metre: float, invalid: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the metres of each 16 bit number: looking up is faster than dividing."""
    # Divided in double precision: every stored value gets the nearest float32.
    table = (np.arange(1 << 16) / per_metre).astype(np.float32)
    table[[0, *invalid]] = np.nan
    table.flags.writeable = False
    return table


def read_lines(path: Path, what: str) -> list[str]:
    """
    Return the lines of a text file, without empty ones and comments (#).

    :param what: what the file holds, for the message.
    :raises DatasetError: naming the file when it is missing or no text.
    """
    return list(iterate_lines(path, what))


def iterate_lines(path: Path, what: str) -> Iterator[str]:
    """Yield what read_lines returns, one line after the other."""
    try:
        with path.open(encoding='utf-8') as file:
            for line in file:
                text = line.strip()
                if text and not text.startswith('#'):
                    yield text
    except FileNotFoundError as error:
        raise DatasetError(f'{path} is missing: expected {what}') from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f'{path}: not a readable text file: expected {what}') from error


def read_numbers(path: Path, count: int, what: str) -> list[float]:
    """
    Return the numbers of a text file.

    :param count: how many there must be at least.
    :param what: what the file holds, for the message.
    :raises DatasetError: naming the file when there are fewer or others than numbers.
    """
    words = ' '.join(read_lines(path, what)).replace(',', ' ').split()
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise DatasetError(f'{path}: {error}; expected {what}') from error
    if len(numbers) < count:
        raise DatasetError(f'{path}: {len(numbers)} numbers; expected {what}')
    return numbers


def sorted_names(folder: Path, suffixes: str | tuple[str, ...] = '') -> list[str]:
    """Return the names in a folder that end so, in order; none where there is no folder."""
    try:
        with os.scandir(folder) as listing:
            return sorted(entry.name for entry in listing if entry.name.endswith(suffixes))
    except (FileNotFoundError, NotADirectoryError):
        return []


def need_folder(path: Path, *inside: str) -> None:
    """
    Check that a data set's folder and what must be in it are there.

    :raises DatasetError: naming the first thing that is missing and all that was expected.
    """
    if not path.is_dir():
        raise DatasetError(f'{path}: no such folder')
    for name in inside:
        if not (path / name).exists():
            raise DatasetError(f'{path / name} is missing: expected {", ".join(inside)} in {path}')
