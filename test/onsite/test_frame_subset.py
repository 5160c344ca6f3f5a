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

"""Parts of a data set by hand-counted blocks."""

from pathlib import Path

import numpy as np
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.frame_subset import FrameSubset, held_out, hold_out


def test_every_fifth_block_is_held_out() -> None:
    # 50 frames are 25 blocks of two; of blocks 0 to 24 the numbers 2, 7, 12, 17, 22.
    marks = held_out(50)
    assert [i for i, mark in enumerate(marks) if mark] == [
        4, 5, 14, 15, 24, 25, 34, 35, 44, 45]
    # Fewer frames than blocks: each is one.
    assert [i for i, mark in enumerate(held_out(8)) if mark] == [2, 7]
    assert held_out(0) == []


@pytest.mark.parametrize('count', [5, 25, 26, 79, 400])
def test_about_a_fifth_and_never_the_first(count: int) -> None:
    marks = held_out(count)
    assert len(marks) == count and not marks[0]
    assert .12 <= sum(marks) / count <= .28


def test_frames_are_those_of_the_base(rgbd_folder: Path) -> None:
    base = RgbdFolder(rgbd_folder, read_depth=False)
    part = FrameSubset(base, [4, 1])
    assert part.names == ['000004', '000001'] and len(part) == 2
    np.testing.assert_array_equal(part[0].image, base[4].image)
    assert part[0].depth is None and not part.read_depth and part.labelled
    assert (part.name, part.path, part.meta) == (base.name, base.path, base.meta)
    assert part.depth_file(1) == rgbd_folder / 'depth' / '000001.png'


def test_a_bad_frame_is_skipped_and_counted(rgbd_folder: Path) -> None:
    (rgbd_folder / 'rgb' / '000001.png').write_bytes(b'no image')
    part = FrameSubset(RgbdFolder(rgbd_folder), [0, 1])
    assert [frame.name for frame in part] == ['000000']
    assert part.skipped == {'corrupt image': 1}


def test_both_parts_together_are_the_whole(rgbd_folder: Path) -> None:
    learnt, held = hold_out(RgbdFolder(rgbd_folder))
    assert held.names == ['000002']
    assert sorted([*learnt.names, *held.names]) == RgbdFolder(rgbd_folder).names
