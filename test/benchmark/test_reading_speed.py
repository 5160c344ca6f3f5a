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

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mde_ros.datasets import image_files


@pytest.fixture(scope='module')
def benchmark(repository: Path) -> ModuleType:
    """Return the script as a module."""
    path = repository / 'benchmark' / 'reading_speed.py'
    spec = importlib.util.spec_from_file_location('reading_speed', path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_tiny_run(benchmark: ModuleType, tmp_path: Path,
                    capsys: pytest.CaptureFixture[str]) -> None:
    code = benchmark.main([
        '--kinds', *benchmark.MAKERS, '--sizes', '3', '--reads', '2', '--folder', str(tmp_path),
        '--json', str(tmp_path / 'speed.json')])
    found = json.loads((tmp_path / 'speed.json').read_text())
    assert json.loads(capsys.readouterr().out) == found
    assert [row['kind'] for row in found['rows']] == list(benchmark.MAKERS)
    for row in found['rows']:
        assert row['frames'] == 3 and row['read_per_second'] > 0
    assert (code == 0) == found['met']
    assert [path.name for path in tmp_path.iterdir()] == ['speed.json']  # nothing left behind


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
