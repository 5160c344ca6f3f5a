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

"""Bags cut off or damaged anywhere: what is there is read, the rest is named and counted."""

from pathlib import Path
import shutil
import sqlite3
import struct

from bag_messages import recording, storage_file, write_bag
from hypothesis import given, HealthCheck, settings, strategies as st
import pytest
from rosbags.rosbag2 import Reader

from mde_ros.datasets.bag_file import BagFile
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.frame import DatasetError
from mde_ros.errors import MdeError


@pytest.fixture(scope='module', params=['mcap', 'sqlite3'])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the storage file of a bag of 40 frames, 48 KB each, MCAP in chunks of 1 MB."""
    folder = tmp_path_factory.mktemp(request.param)
    return storage_file(write_bag(folder / 'bag', recording(40, size=(96, 72)), request.param))


def damaged(whole: Path, folder: Path, data: bytes) -> Path:
    path = folder / f'cut{whole.suffix}'
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('share', [.3, .6, .9])
def test_a_bag_cut_off_is_read_up_to_there(whole: Path, tmp_path: Path, share: float,
                                           caplog: pytest.LogCaptureFixture) -> None:
    data = whole.read_bytes()
    path = damaged(whole, tmp_path, data[:int(len(data) * share)])
    source = BagFrames(path)
    names = [frame.name for frame in source]
    # Messages are equally large, so that about this share of them is there.
    assert (share - .1) * 40 < len(names) <= share * 40 + 1
    assert names == [f'{number:06d}' for number in range(len(names))]
    # SQLite may still know of a row whose data is gone.
    assert len(source) - len(names) in ((0, 1) if whole.suffix == '.db3' else (0,))
    assert source.pairing.exact + source.pairing.unpaired == len(names)
    (damage,) = source.damage
    assert str(path) in damage
    assert 'byte' in damage or 'message' in damage
    assert 'not closed properly' in caplog.text


def test_a_recording_folder_without_its_end(whole: Path, tmp_path: Path) -> None:
    # What a power cut leaves of ros2 bag record: no metadata.yaml, the last file cut off.
    shutil.copy(whole, tmp_path / f'bag_0{whole.suffix}')
    data = whole.read_bytes()
    (tmp_path / f'bag_1{whole.suffix}').write_bytes(data[:len(data) // 2])
    source = BagFrames(tmp_path)
    count = len(list(source))
    assert 55 < count <= 61
    assert len(source) >= count
    assert any('bag_1' in text for text in source.damage)


def test_a_file_of_several_that_cannot_be_read_is_left_out(whole: Path, tmp_path: Path) -> None:
    shutil.copy(whole, tmp_path / f'bag_0{whole.suffix}')
    (tmp_path / f'bag_1{whole.suffix}').write_bytes(b'GIF89a' * 99)
    source = BagFrames(tmp_path)
    assert len(list(source)) == 40
    assert any('left out bag_1' in text for text in source.damage)


def test_nothing_readable_is_an_error(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='not readable as a bag'):
        BagFrames(damaged(whole, tmp_path, whole.read_bytes()[:60]))


@pytest.mark.parametrize('kind', ['', 'lz4', 'zstd'])
def test_a_chunk_cut_off_yields_its_first_messages(tmp_path: Path, kind: str) -> None:
    bag = write_bag(tmp_path / 'bag', recording(10))
    whole = storage_file(bag).read_bytes()
    with Reader(bag) as reader:
        raw = [bytes(data) for _, _, data in reader.messages()]
    # One chunk holds all: magic, header record, chunk record (9 bytes, 32 bytes, strings).
    head = 8 + 9 + struct.unpack_from('<Q', whole, 9)[0]
    assert whole[head] == 0x06
    size = struct.unpack_from('<Q', whole, head + 1)[0]
    records = whole[head + 9 + 40:head + 9 + size]
    if kind == 'lz4':
        import lz4.frame
        packed = lz4.frame.compress(records, block_linked=False, block_size=4)
    elif kind == 'zstd':
        from mde_ros.datasets.bag_salvage import zstd
        packed = zstd.compress(records)
    else:
        packed = records
    name = kind.encode()
    body = (whole[head + 9:head + 9 + 28] + struct.pack('<I', len(name)) + name
            + struct.pack('<Q', len(packed)) + packed)
    cut = tmp_path / 'cut.mcap'
    cut.write_bytes(whole[:head] + struct.pack('<BQ', 6, len(body)) + body)
    with BagFile(cut) as read:
        assert [record.raw for record in read.records(read.types)] == raw
    # Half of the chunk; of lz4 and zstd whole blocks come back, of this size perhaps none.
    cut.write_bytes(whole[:head] + struct.pack('<BQ', 6, len(body)) + body[:len(body) // 2])
    try:
        with BagFile(cut) as read:
            found = [record.raw for record in read.records(read.types)]
            assert read.damage
    except DatasetError:
        found = []
    assert found == raw[:len(found)]
    if not kind:
        half = len(body) // 2
        assert found == [data for data in raw if body.find(data) + len(data) <= half] != []


def test_a_chunk_with_a_wrong_checksum_is_left_out(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', recording(3))
    data = bytearray(storage_file(bag).read_bytes())
    head = 8 + 9 + struct.unpack_from('<Q', data, 9)[0]
    struct.pack_into('<I', data, head + 9 + 24, 12345)
    path = tmp_path / 'wrong.mcap'
    path.write_bytes(data[:-8])
    with pytest.raises(DatasetError, match='not readable as a bag'):
        BagFile(path)


SLOW = settings(max_examples=60, deadline=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_all(path: Path) -> int:
    """Return the number of frames; anything but a one-line MdeError is a defect."""
    try:
        source = BagFrames(path)
        frames = list(source)
    except MdeError as error:
        assert '\n' not in str(error)
        return 0
    assert len(frames) <= 40
    return len(frames)


@given(st.integers(0, 1 << 20))
@SLOW
def test_a_cut_anywhere_is_survived(whole: Path, tmp_path: Path, at: int) -> None:
    data = whole.read_bytes()
    read_all(damaged(whole, tmp_path, data[:at % len(data)]))


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=4),
       st.booleans())
@SLOW
def test_flipped_bits_anywhere_are_survived(whole: Path, tmp_path: Path,
                                            flips: list[tuple[int, int]], at_end: bool) -> None:
    data = bytearray(whole.read_bytes())
    for at, value in flips:
        # The index at the end and the head are small: aim there half of the time.
        place = len(data) - 1 - at % 4000 if at_end else at % len(data)
        data[place] ^= value
    read_all(damaged(whole, tmp_path, bytes(data)))


def test_damage_in_the_middle_costs_only_what_it_hit(tmp_path: Path) -> None:
    # A flipped byte in a record's length, the index at the end intact.
    bag = write_bag(tmp_path / 'bag', recording(40, size=(96, 72)))
    path = storage_file(bag)
    data = bytearray(path.read_bytes())
    at = data.find(b'rgb8', len(data) // 3) - 60
    data[at:at + 60] = b'\xff' * 60
    path.write_bytes(data)
    source = BagFrames(bag)
    frames = list(source)
    # The first of the two chunks ends there; the second is whole.
    assert 30 < len(frames) < 40
    assert frames[-1].name > '000030'
    assert source.damage
    assert len(source) == 40


def test_damage_of_one_file_does_not_end_the_next(whole: Path, tmp_path: Path) -> None:
    shutil.copy(whole, tmp_path / f'bag_1{whole.suffix}')
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle:middle + 20000] = bytes(20000)
    (tmp_path / f'bag_0{whole.suffix}').write_bytes(data)
    source = BagFrames(tmp_path)
    frames = list(source)
    assert 50 < len(frames) < 80
    assert len(source) >= len(frames)
    assert any('bag_0' in text for text in source.damage)


def test_rows_with_values_of_another_type_are_skipped(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', recording(3), 'sqlite3')
    with sqlite3.connect(storage_file(bag)) as database:
        database.execute('UPDATE messages SET data = 5 WHERE id = 2')
        database.execute("UPDATE messages SET timestamp = 'late' WHERE id = 5")
    source = BagFrames(bag)
    assert len(list(source)) == 2
    assert source.skipped == {'unreadable message': 1}


def test_counts_of_a_damaged_index_are_bounded(tmp_path: Path) -> None:
    path = storage_file(write_bag(tmp_path / 'bag', recording(3)))
    data = bytearray(path.read_bytes())
    # Channel 2 is the image topic: its count in the statistics, u16 channel and u64 count.
    at = data.rfind(struct.pack('<HQ', 2, 3))
    struct.pack_into('<Q', data, at + 2, 1 << 40)
    path.write_bytes(data)
    source = BagFrames(path)
    assert 3 <= len(source) < path.stat().st_size
    assert len(list(source)) == 3
