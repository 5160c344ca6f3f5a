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

"""Parts of a data set: what adaptation sees, and what is held out for its check."""

from collections.abc import Sequence
from pathlib import Path

from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset

# Frames are held out in runs: neighbours in a video are nearly the same picture.
BLOCKS, EVERY = 25, 5


class FrameSubset(IndexedDataset):
    """
    Some frames of a data set, in the given order.

    :param base: the data set; opened with or without depth.
    :param indices: numbers of its frames.
    """

    def __init__(self, base: IndexedDataset, indices: Sequence[int]) -> None:
        super().__init__(base.path, base.split, base.read_depth)
        self.base, self.indices = base, list(indices)
        self.name, self.meta, self.labelled = base.name, base.meta, base.labelled
        self.names = [base.names[index] for index in self.indices]

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises mde_ros.datasets.frame.FrameError: when this frame cannot be read.
        """
        return self.base.read(self.indices[index])

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self.base.depth_file(self.indices[index])


def held_out(count: int) -> list[bool]:
    """
    Return for each of ``count`` frames whether it is held out: every fifth block.

    There are 25 blocks, or as many as there are frames; the third of five is held out, so
    that both ends of a recording are learnt.
    """
    blocks = min(BLOCKS, max(count, 1))
    return [index * blocks // count % EVERY == EVERY // 2 for index in range(count)]


def hold_out(base: IndexedDataset) -> tuple[FrameSubset, FrameSubset]:
    """Return (the frames to learn from, the frames held out) of a data set."""
    marks = held_out(len(base))
    return (FrameSubset(base, [i for i, mark in enumerate(marks) if not mark]),
            FrameSubset(base, [i for i, mark in enumerate(marks) if mark]))
