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

"""What every data set yields: a frame, and a source of frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError


class DatasetError(MdeError):
    """A data set that cannot be read; the message names the file and what was expected."""


class FrameError(DatasetError):
    """
    One frame that cannot be read.

    :param reason: a few words, the same for every frame of this kind, for counting.
    """

    def __init__(self, reason: str, detail: str) -> None:
        # Both as arguments, so that it survives pickling on its way from a worker.
        super().__init__(reason, detail)
        self.reason = reason

    def __str__(self) -> str:
        """Return one line that names the file."""
        return f'{self.args[1]}: {self.reason}'


@dataclass(frozen=True)
class Frame:
    """
    One picture of a camera, with its depth where the data set has it.

    :param name: name of the frame, unique in its data set.
    :param stamp_ns: acquisition time in nanoseconds, 0 when unknown.
    :param image: H x W x 3 uint8, RGB.
    :param intrinsics: of exactly this image.
    :param depth: H x W float32, metres along the optical axis, NaN where there is no reading,
        registered to the image; None for unlabelled frames.
    """

    name: str
    stamp_ns: int
    image: NDArray[np.uint8]
    intrinsics: Intrinsics
    depth: NDArray[np.float32] | None = None


class FrameSource(Protocol):
    """
    Frames in order. Bad frames are skipped and counted, never fatal.

    ``skipped`` maps a short reason to the number of frames skipped for it so far.
    """

    name: str
    skipped: dict[str, int]

    def __len__(self) -> int:
        """Return the number of frames listed, bad ones included."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the readable frames."""
