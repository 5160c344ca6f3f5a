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

"""HDF5 files opened late and once in each process."""

import multiprocessing
from pathlib import Path
import pickle
import sys

import numpy as np
import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.hdf5_file import Hdf5File

h5py = pytest.importorskip('h5py')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with an array 'values'."""
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['values'] = np.arange(6).reshape(2, 3)
    return tmp_path / 'a.h5'


def read_sum(data: Hdf5File) -> int:
    """Return the sum of the values."""
    return int(data.dataset('values')[:].sum())


def test_reading_in_this_and_other_processes(path: Path) -> None:
    data = Hdf5File(path, 'a test')
    assert np.array_equal(data.dataset('values')[1], [3, 4, 5])
    assert read_sum(pickle.loads(pickle.dumps(data))) == 15
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert pool.map(read_sum, [data]) == [15]
    data.close()
    assert read_sum(data) == 15


def test_what_is_wrong_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a\.h5: no data set 'depths' \(there are: values\)"):
        Hdf5File(path, 'a test').dataset('depths')
    with pytest.raises(DatasetError, match=r'b\.h5 is missing: expected a test'):
        Hdf5File(tmp_path / 'b.h5', 'a test').dataset('x')
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) // 2])
    with pytest.raises(DatasetError, match=r'a\.h5: no whole HDF5 file \(half a download\?\)'):
        Hdf5File(path, 'a test').dataset('values')


def test_without_h5py(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(DatasetError, match='pip install h5py'):
        Hdf5File(path, 'a test').dataset('values')
