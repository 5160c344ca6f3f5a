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

"""Notes in the metadata of bags: kept by every storage, absent from damaged and foreign bags."""

from pathlib import Path

from bag_messages import picture, recording, storage_file, write_bag
from hypothesis import given, HealthCheck, settings, strategies as st
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_notes import read_notes
from mde_ros.datasets.bag_writer import BagWriter
from mde_ros.datasets.frame import Frame

NOTES = {'camera': 'Kinect v1: "left"', 'licence': 'CC BY 4.0', 'source': 'a\nb: c'}


def written(path: Path) -> Path:
    with BagWriter(path, notes=NOTES) as writer:
        writer.write(Frame('', 0, picture(), Intrinsics(8, 6, 10., 10., 4., 3.)))
    return path


@pytest.mark.parametrize('name', ['a.mcap', 'a.db3', 'folder'])
def test_notes_are_kept(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name)
    assert read_notes(path) == NOTES
    assert read_notes(storage_file(path) if path.is_dir() else str(path)) == NOTES


def test_other_bags_have_none(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', recording(1))
    assert read_notes(bag) == read_notes(storage_file(bag)) == {}
    assert read_notes(tmp_path) == read_notes(tmp_path / 'absent.mcap') == {}
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0\n')
    assert read_notes(tmp_path / 'old.bag') == {}


@pytest.fixture(scope='module', params=['a.mcap', 'a.db3'])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp('notes') / request.param).read_bytes()


@given(st.integers(0, 5000), st.integers(0, 255), st.booleans())
@settings(max_examples=50, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_survived(data: bytes, tmp_path: Path, back: int, value: int,
                            cut: bool) -> None:
    at = max(0, len(data) - 1 - back)
    damaged = data[:at] if cut else data[:at] + bytes([value]) + data[at + 1:]
    path = tmp_path / ('cut.mcap' if data.startswith(b'\x89MCAP') else 'cut.db3')
    path.write_bytes(damaged)
    assert isinstance(read_notes(path), dict)
