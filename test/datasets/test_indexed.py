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

"""What all numbered data sets share: skipping, counting, units, half downloads."""

import logging
from pathlib import Path
import pickle

import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.indexed import IndexedDataset, UNIT_SAMPLES, WARNINGS_PER_REASON

CAMERA = Intrinsics(4, 3, 5., 5., 2., 1.)


class Rooms(IndexedDataset):
    """Frames of one depth each; None is a frame that cannot be read."""

    splits = 'train', 'test'
    depth_unit = 'millimetres'

    def __init__(self, depths: list[float | None], split: str | None = None,
                 partial: str = 'no') -> None:
        super().__init__('/data/rooms', split, partial=partial)
        self.depths = depths
        self.names = [f'{number}' for number in range(len(depths))]
        self.reads: list[int] = []

    def read(self, index: int) -> Frame:
        """Return a frame of one depth."""
        self.reads.append(index)
        depth = self.depths[index]
        if depth is None:
            raise FrameError('corrupt image', f'/data/rooms/{index}.png')
        return Frame(self.names[index], 0, np.zeros((3, 4, 3), np.uint8), CAMERA,
                     np.full((3, 4), depth, np.float32))

    def check(self, official: int | None) -> None:
        """Check the count as a reader does at the end of opening."""
        self._check_count(official, 'rooms/*.png')


def test_nothing_is_read_before_it_is_asked_for() -> None:
    data = Rooms([1., 2., 3.])
    assert (len(data), data.reads, data.name) == (3, [], 'rooms')
    assert data[-1].name == '2' and data.reads == [2]
    for beyond in (3, -4):
        with pytest.raises(IndexError, match=f'no frame {beyond}, there are 3'):
            data[beyond]


def test_bad_frames_are_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    data = Rooms([1., None, 2., None])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert [frame.name for frame in data] == ['0', '2']
    assert data.get(-1) is None  # the same as 3
    assert data.skipped == {'corrupt image': 2}
    assert [r.getMessage() for r in caplog.records] == [
        f'skipped /data/rooms/{n}.png: corrupt image' for n in (1, 3)]
    with pytest.raises(FrameError, match=r'1\.png: corrupt image'):
        data[1]


def test_many_bad_frames_do_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    data = Rooms([None] * 50)
    with caplog.at_level(logging.WARNING):
        assert list(data) == []
    assert data.skipped == {'corrupt image': 50}
    assert len(caplog.records) == WARNINGS_PER_REASON + 1


@pytest.mark.parametrize('depth', [.05, 250., 1500.])
def test_a_wrong_unit_is_an_error(depth: float) -> None:
    data = Rooms([depth] * 3)
    for _ in range(2):
        with pytest.raises(DatasetError, match=r'rooms/0: the median.*expected millimetres') as e:
            list(data)
        assert not isinstance(e.value, FrameError)  # that would only be skipped


def test_one_odd_frame_later_is_none() -> None:
    assert len(list(Rooms([2., 3., 500., 2.]))) == 4
    assert len(list(Rooms([2.] * UNIT_SAMPLES + [500.] * 20))) == UNIT_SAMPLES + 20
    assert len(list(Rooms([.1, 200.]))) == 2


def test_depth_without_any_reading_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(list(Rooms([np.nan] * (UNIT_SAMPLES - 1) + [2.]))) == UNIT_SAMPLES
        assert not caplog.records
        assert len(list(Rooms([np.nan] * 20))) == 20
    assert len(caplog.records) == 1 and 'no reading at all' in caplog.text


def test_half_a_download() -> None:
    data = Rooms([1.] * 3)
    data.check(None)
    data.check(3)
    with pytest.raises(DatasetError) as error:
        data.check(10)
    assert str(error.value) == (
        '/data/rooms: 3 frames where the whole download has 10 (rooms/*.png): half a download? '
        'Complete it, or add the key partial=yes to use what is there')
    assert 'partial' not in data.meta
    for partial in ('no', 'yes'):  # nothing at all is not even a part
        with pytest.raises(DatasetError, match=r'no frames found; expected rooms/\*\.png'):
            Rooms([], partial=partial).check(10)


def test_a_part_on_purpose(caplog: pytest.LogCaptureFixture) -> None:
    data = Rooms([1.] * 3, partial='yes')
    data.check(3)
    assert 'partial' not in data.meta
    data.check(10)
    assert data.meta['partial'] == (
        '/data/rooms: 3 frames where the whole download has 10 (rooms/*.png)')
    for _ in range(2):
        data._check_files(Path('/data/rooms/depth'), ['a', 'b', 'c'], {'b'})
    assert data.meta['partial'].endswith('has 10 (rooms/*.png); and 2 more')
    assert not caplog.records and len(list(data)) == 3


def test_missing_halves_are_named() -> None:
    data = Rooms([1.])
    data._check_files(Path('/data/rooms/depth'), ['a', 'b'], {'a', 'b', 'c'})
    with pytest.raises(DatasetError, match=r'^/data/rooms/depth/a is missing \(2 of 3 expected '
                                           r'there\): half a download\?.*partial=yes'):
        data._check_files(Path('/data/rooms/depth'), ['a', 'b', 'c'], {'b'})


def test_splits() -> None:
    assert Rooms([1.], 'test').split == 'test'
    with pytest.raises(DatasetError, match="no split 'val'; there are: train, test"):
        Rooms([1.], 'val')


def test_data_sets_travel_to_workers() -> None:
    data: Rooms = pickle.loads(pickle.dumps(Rooms([1., None])))
    assert len(list(data)) == 1 and data.path == Path('/data/rooms')
