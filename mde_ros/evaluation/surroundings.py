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

"""What a number was measured with: versions, machine, memory, and a hash of the data."""

from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
import resource
import sys

import numpy as np

from mde_ros import __version__
from mde_ros.datasets.frame import Frame

_PACKAGES = ('numpy', 'torch', 'opencv-python-headless', 'rosbags')


def versions() -> dict[str, str]:
    """Return the versions of this package, Python and the libraries that shape numbers."""
    found = {'mde_ros': __version__, 'python': platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """Return the processor, its usable cores and the system."""
    name = platform.processor()
    try:
        for line in Path('/proc/cpuinfo').read_text().splitlines():
            if line.startswith('model name'):
                name = line.partition(':')[2].strip()
                break
    except OSError:
        pass  # not Linux
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return {'processor': name or platform.machine(), 'cores': cores or 1,
            'system': platform.platform()}


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / 1e6 if sys.platform == 'darwin' else peak * 1024 / 1e6


class ContentHash:
    """
    A hash of what was read: images, reference depth and intrinsics, decoded.

    The same frames hash alike from a folder and from a bag, as long as the images are the same
    bit by bit; names and file formats do not count.
    """

    def __init__(self) -> None:
        """Start without frames."""
        self._hash = blake2b(digest_size=16)

    def add(self, frame: Frame) -> None:
        """Add one frame."""
        k = frame.intrinsics
        self._hash.update(repr((
            k.width, k.height, round(k.fx, 6), round(k.fy, 6), round(k.cx, 6), round(k.cy, 6),
            k.distortion_model, frame.depth is not None)).encode())
        self._hash.update(np.ascontiguousarray(frame.image).data)
        if frame.depth is not None:
            # Whole millimetres: 32FC1 metres and 16UC1 millimetres of one reading agree.
            millimetres = np.rint(np.nan_to_num(frame.depth, posinf=0, neginf=0) * 1000)
            self._hash.update(np.clip(millimetres, 0, 2 ** 32 - 1).astype(np.uint32).data)

    @property
    def hexdigest(self) -> str:
        """Return 32 hexadecimal digits."""
        return self._hash.hexdigest()
