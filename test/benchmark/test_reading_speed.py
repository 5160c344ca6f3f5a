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

"""The reading benchmark runs, reads bytes and decodes nothing."""

from collections.abc import Callable
import json
import mmap
from pathlib import Path
import tempfile
from types import ModuleType

import numpy as np
import pytest

from mde_ros.datasets import image_files


@pytest.fixture(scope='module')
def benchmark(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return the script as a module."""
    return load_script('reading_speed')


def test_a_tiny_run(benchmark: ModuleType, tmp_path: Path,
                    capsys: pytest.CaptureFixture[str]) -> None:
    code = benchmark.main([
        '--kinds', *benchmark.MAKERS, '--sizes', '3', '--memory-sizes', '--reads', '2', '--folder',
        str(tmp_path), '--json', str(tmp_path / 'speed.json')])
    found = json.loads((tmp_path / 'speed.json').read_text())
    assert json.loads(capsys.readouterr().out) == found
    assert [row['kind'] for row in found['rows']] == list(benchmark.MAKERS)
    for row in found['rows']:
        assert row['frames'] == 3 and row['read_per_second'] > 0
    assert (code == 0) == found['met'] and found['memory'] == []
    assert [path.name for path in tmp_path.iterdir()] == ['speed.json']  # nothing left behind


def test_memory_of_new_processes(benchmark: ModuleType, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(benchmark, 'WARM', 2)
    benchmark.main(['--kinds', 'tum', 'kitti_laser_cache', '--sizes', '3', '--memory-sizes', '3',
                    '5', '--reads', '12', '--folder', str(tmp_path)])
    found = json.loads(capsys.readouterr().out)
    assert [row['frames'] for row in found['rows']] == [3, 3]
    assert [(row['kind'], row['frames']) for row in found['memory']] == [('tum', 3), ('tum', 5)]
    for row in found['memory']:
        assert row['opening_peak_kib'] > 0 and row['reading_kib'] >= row['opened_kib'] - 8
    assert list(found['memory_growth']) == ['tum']
    assert not list(tmp_path.iterdir())


def test_growth_by_hand(benchmark: ModuleType) -> None:
    rows = [{'kind': kind, 'frames': frames, 'opened_kib': opened, 'reading_kib': 70,
             'opening_peak_kib': 300 - opened}
            for kind, frames, opened in (('a', 100, 9), ('a', 10_100, 20), ('a', 1100, 10),
                                         ('b', 5, 1), ('c', 7, 1), ('c', 7, 2))]
    # Of the two largest: 10 KiB for 9000 frames.
    assert benchmark.growth(rows) == {'a': {
        'opened_bytes_per_frame': 1.14, 'reading_bytes_per_frame': 0.,
        'opening_peak_bytes_per_frame': -1.14}}


def test_memory_that_is_held_is_seen(benchmark: ModuleType) -> None:
    size = 8 << 20
    before = benchmark.anonymous()
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        held.write(b'x' * size)
        assert size <= benchmark.anonymous() - before < 2 * size + (2 << 20)
    # Of a file's bytes the kernel can drop what it needs the room of.
    with tempfile.TemporaryFile() as file:
        file.write(b'x' * size)
        file.flush()
        before = benchmark.anonymous()
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
            assert mapped.rfind(b'y') == -1
            assert benchmark.anonymous() - before < size // 2


def test_decoding_is_left_out_and_comes_back(benchmark: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / 'a.png'
    path.write_bytes(b'not a picture')
    with benchmark.nothing_decoded((4, 6)):
        assert image_files.read_rgb(path).shape == (4, 6, 3)
        assert np.array_equal(image_files.read_16bit(path), np.full((4, 6), 2000))
        with pytest.raises(image_files.FrameError):
            image_files.read_rgb(tmp_path / 'b.png')  # files are opened all the same
    with pytest.raises(image_files.FrameError):
        image_files.read_rgb(path)
