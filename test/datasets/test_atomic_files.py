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

"""Files that a kill or an error leaves whole or absent, and when they reach the disk."""

import json
import os
from pathlib import Path

import pytest

from mde_ros.datasets.atomic_files import save_json, sync, write_whole


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files and folders that are synced from now on."""
    names: list[str] = []
    fsync = os.fsync

    def note(file: int) -> None:
        names.append(Path(os.readlink(f'/proc/self/fd/{file}')).name)
        fsync(file)

    monkeypatch.setattr(os, 'fsync', note)
    return names


def test_a_file_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = tmp_path / 'a.bin'
    for data in (b'first', b'2'):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, json_path = tmp_path / 'a.bin', tmp_path / 'a.json'
    write_whole(path, b'old')
    save_json(json_path, {'old': 1})

    def crash(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, 'replace', crash)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b'new')
    with pytest.raises(KeyboardInterrupt):
        save_json(json_path, {'new': 1})
    assert path.read_bytes() == b'old'
    assert json.loads(json_path.read_text()) == {'old': 1}
    # What is left beside is hidden: no reader lists it.
    assert {one.name for one in tmp_path.iterdir()} == {
        'a.bin', 'a.json', '.a.bin.tmp', '.a.json.tmp'}


def test_durable_syncs_the_file_before_its_name(tmp_path: Path, synced: list[str]) -> None:
    write_whole(tmp_path / 'a.bin', b'x')
    assert synced == []
    write_whole(tmp_path / 'a.bin', b'x', durable=True)
    assert synced == ['.a.bin.tmp', tmp_path.name]


def test_json_is_on_the_disk_before_it_is_renamed(tmp_path: Path, synced: list[str]) -> None:
    fields = {'a': [1, 2.5], 'ä': None}
    save_json(tmp_path / 'a.json', fields)
    assert json.loads((tmp_path / 'a.json').read_text()) == fields
    assert synced == ['.a.json.tmp']


def test_sync_of_files_and_folders(tmp_path: Path, synced: list[str]) -> None:
    (tmp_path / 'a').write_bytes(b'')
    sync(tmp_path / 'a')
    sync(tmp_path)
    assert synced == ['a', tmp_path.name]
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / 'b')
