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

"""HDF5 files opened when they are first read, once in each process."""

import os
from pathlib import Path
from typing import Any

from mde_ros.datasets.frame import DatasetError


class Hdf5File:
    """
    A file whose data sets are read part by part.

    The handle is not shared between processes, where HDF5's own state would break: after a
    fork or pickling (data loader workers) the file is opened again.

    :param what: what the file is, for messages.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what = path, what
        self._file: Any = None
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave the handle out of a pickle."""
        return {**self.__dict__, '_file': None}

    def dataset(self, name: str) -> Any:
        """
        Return an h5py data set; index it to read.

        :raises DatasetError: when the file or the data set is missing or damaged.
        """
        if self._file is None or self._process != os.getpid():
            self._file = open_hdf5(self.path, self.what)
            self._process = os.getpid()
        try:
            return self._file[name]
        except (KeyError, OSError) as error:
            there = ', '.join(self._file)
            raise DatasetError(f"{self.path}: no data set '{name}' (there are: {there}); "
                               f'expected {self.what}') from error

    def close(self) -> None:
        """Close the file; reading opens it again."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None


def open_hdf5(path: Path, what: str) -> Any:
    """
    Open a file for reading.

    :raises DatasetError: when it is missing or no whole HDF5 file, or h5py is not installed.
    """
    try:
        import h5py  # only these data sets need it
    except ImportError as error:
        raise DatasetError(f'{path}: reading HDF5 needs h5py: pip install h5py') from error
    if not path.is_file():
        raise DatasetError(f'{path} is missing: expected {what}')
    try:
        return h5py.File(path, 'r')
    except OSError as error:
        raise DatasetError(f'{path}: no whole HDF5 file (half a download?); expected {what}: '
                           f'{" ".join(str(error).split())}') from error
