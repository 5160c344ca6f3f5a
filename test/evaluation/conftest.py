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

"""A data set in memory and an estimator that needs no network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame


@dataclass
class MemorySource:
    """Frames in memory; a FrameSource."""

    frames: list[Frame]
    name: str = 'memory'
    skipped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frames) + sum(self.skipped.values())

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)


@dataclass(frozen=True)
class StubEstimate:
    """What an estimator returns."""

    depth: NDArray[np.float32]
    intrinsics: Intrinsics
    image: NDArray[np.uint8]
    timings: dict[str, float]


class StubEstimator:
    """Calls a function instead of a network; the red channel of the test frames is known."""

    model_id = 'stub-00000000'
    device = 'cpu'

    def __init__(self, depth: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
        self._depth = depth
        self.warmed: list[Intrinsics] = []
        self.seen = 0

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> StubEstimate:
        self.seen += 1
        return StubEstimate(
            self._depth(image), intrinsics.without_distortion(), image,
            {'rectify': 0., 'resize': .001, 'network': .02, 'upsample': .003})

    def warm_up(self, intrinsics: Intrinsics) -> None:
        self.warmed.append(intrinsics)


def decimetres(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return depth that reads the red channel as decimetres."""
    return image[:, :, 0].astype(np.float32) / 10


@pytest.fixture
def camera() -> Intrinsics:
    """Return a pinhole of 32 x 24 pixels."""
    return Intrinsics(32, 24, 30., 30., 15.5, 11.5)


@pytest.fixture
def frames(camera: Intrinsics) -> list[Frame]:
    """Return four frames whose red channel is their depth in decimetres, 1 to 5.7 m."""
    found = []
    for index in range(4):
        image = np.zeros((24, 32, 3), np.uint8)
        image[:, :, 0] = 57 - index - np.arange(24)[:, None] * 2
        depth = image[:, :, 0].astype(np.float32) / 10
        depth[:4, :4] = np.nan
        found.append(Frame(f'f{index}', 1000 + index, image, camera, depth))
    return found


@pytest.fixture
def memory_source(frames: list[Frame]) -> MemorySource:
    """Return the four frames as a source."""
    return MemorySource(frames)


@pytest.fixture
def source_of() -> type[MemorySource]:
    """Return the class of sources in memory."""
    return MemorySource


@pytest.fixture
def perfect() -> StubEstimator:
    """Return an estimator that is right."""
    return StubEstimator(decimetres)


@pytest.fixture
def estimator_of() -> type[StubEstimator]:
    """Return the class of estimators that call a function."""
    return StubEstimator
