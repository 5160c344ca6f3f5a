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

"""Lists of names: equal to lists, out of memory, and the same after fork and pickling."""

import gc
import multiprocessing
from multiprocessing.connection import Connection
import os
from pathlib import Path
import pickle
import tempfile
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from mde_ros.datasets import name_list
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.name_list import FIELD, NameList, SPOOL_BYTES

# More than is kept in memory.
MANY = [f'scene/{number:06d}' for number in range(20_000)]


@given(st.lists(st.text(st.characters(codec='utf-8'), max_size=9)), st.integers(1, 40))
def test_equal_to_a_list(texts: list[str], spool: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(name_list, 'SPOOL_BYTES', spool)
        for names in (NameList(iter(texts)), pickle.loads(pickle.dumps(NameList(texts)))):
            assert names == texts and list(names) == texts and len(names) == len(texts)
            assert names[1:-1] == texts[1:-1] and names[::-2] == texts[::-2]
            assert [names[number - len(texts)] for number in range(len(texts))] == texts


def test_indices_end() -> None:
    names = NameList(['a', 'b'])
    assert (names[1], names[-2], names.index('b'), 'b' in names, 'c' in names) == (
        'b', 'a', 1, True, False)
    for beyond in (2, -3):
        with pytest.raises(IndexError, match=f'no name {beyond}, there are 2'):
            names[beyond]
    assert names != ['a', 'c'] and names != ['a'] and names != 'ab' and NameList() == []
    assert repr(NameList('abcd')) == "NameList(4: 'a', 'b', 'c', ...)"
    with pytest.raises(TypeError, match='unhashable'):
        hash(names)


def test_rows_and_names_that_are_no_utf_8() -> None:
    odd = os.fsdecode(b'scene/\xff\xfe.png')
    row, = NameList([FIELD.join((odd, '', '17'))])
    assert row.split(FIELD) == [odd, '', '17']


def test_many_names_are_not_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    tracemalloc.start()
    try:
        names = NameList(f'scene/{number:06d}' for number in range(100_000))
        assert sum(map(len, names)) == 100_000 * 12
        gc.collect()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # As a list they are 6 MB; text and offset, 20 bytes a name, go through one buffer.
    assert held < 10_000 and peak < 4 * SPOOL_BYTES
    assert list(tmp_path.iterdir()) == []  # the file has no name
    open_files = len(os.listdir('/proc/self/fd'))
    del names
    gc.collect()
    assert len(os.listdir('/proc/self/fd')) == open_files - 1


def send_sum(names: NameList, pipe: Connection) -> None:
    """Send what a worker reads."""
    pipe.send((len(names), hash(tuple(names)) == hash(tuple(MANY)), type(names).__name__))


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_workers_read_the_same(method: str) -> None:
    context = multiprocessing.get_context(method)
    names = NameList(MANY)
    here, there = context.Pipe()
    worker = context.Process(target=send_sum, args=(names, there))  # type: ignore[attr-defined]
    worker.start()
    assert here.poll(60) and here.recv() == (20_000, True, 'NameList')
    worker.join()
    assert worker.exitcode == 0 and names[-1] == MANY[-1]


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = pickle.dumps(NameList(MANY))
    small = pickle.dumps(NameList(['a']))
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'none'))
    assert NameList(['a']) == pickle.loads(small)  # needs no file
    assert sum(map(len, MANY)) > SPOOL_BYTES
    for make in (lambda: NameList(MANY), lambda: pickle.loads(kept)):
        with pytest.raises(DatasetError, match=r'^TMPDIR: the list of frames cannot be .*none'):
            make()


def test_what_the_source_raises_comes_through() -> None:
    def broken() -> object:
        yield from MANY
        raise DatasetError('depth.txt is missing')

    with pytest.raises(DatasetError, match=r'^depth\.txt is missing$'):
        NameList(broken())  # type: ignore[arg-type]
