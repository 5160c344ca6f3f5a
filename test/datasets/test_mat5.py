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

"""MATLAB 5 files, against bytes that SciPy 1.x wrote (scipy.io.savemat), packed with zlib."""

import base64
from pathlib import Path
import zlib

import numpy as np
import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.mat5 import read_mat5

# {'trainNdxs': [[3], [7], [1449]] double, 'alltest': {'/n/fs/.../a', 'x', ''}, 'text': 'hello',
#  'small': uint16 [[5, 6]], 'st': struct}, do_compression=True
COMPRESSED = (
    'eNrzdQzxcXRSMNUzUPB1DNFNy8xJVQjISSxJyy/KtVIoyC/OrNBRcC5KTSxJTVHIz7NSCE4sUfDLL1MwMlQwMrYyMLQy'
    'tVAwMjAyYyADMHr68gMpSyCumPM4OSGhgyHJTOFZwyWFA1xPjZkNlUWKmQo9A5PS5sV7uRqGyHr4NDGyWcgobOFpiTM6'
    'y8jw9DTbBJABmXADfjAeyXE4w3ikh0fgQNeR9LZLbxzmzJgcPCkq5tAB9hR2hZfJBxf58520YdSIt/e3Xxuxf4fJeQtX'
    'e9WNKoH2Flf0T9w96Wq/+4yH/UTGnHWMjMWSgWdSU1YkKKzhZ5twl5mJIXAD/yuQhTpwCzeAXcyQJMbGkdD6SXJhjtsC'
    'H88s106GKfMnzpo8mX8Jo+szlniQHl0MPXkQPY0zOL2aj3QVCxcXNZhwC2xiKmVkMEtkWgTSZAHXtAKqSQ2i6eGMzoU7'
    'WFTOMYUxP1JnyrRT2OZw6Xx7sD3LB4XOZgaGS3uY2gAYA4/5')
# The first two, uncompressed, the numbers uint16.
PLAIN = (
    'eNqdkFsKwjAQRRN8I4grkFmAmjZFkf5VBRVsER8LCLSFYm2lidItuUM/TTVIFKHgwCUMmXMYxnX2a2cKo6EBrrMfhFEc'
    'wCZmIkyzkw3nlEd5H2ZZwETgQ5rYsGMCvPQK1ARq2YZpjyZADTpGfxReuR35LGXqMk2Ztvqqqb5SjKm0ZETGosTzc67m'
    'qoqtoAa6Sajw3TUf/vJhzdmQYXEsAi6e3Ebjqj+4nubrqp4kJOSEXxLLJz4TjOwO3nYxnZPjlRL22sco8eIPL0Y5Kufe'
    'J9T2KeoBQoQqtw==')
CELLS = ['/n/fs/sun3d/data/SUNRGBD/kv2/a', 'x', '']


def unpack(text: str) -> bytes:
    """Return the file."""
    return zlib.decompress(base64.b64decode(text))


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / 'a.mat'
    path.write_bytes(unpack(COMPRESSED))
    found = read_mat5(path, 'a test')
    assert np.array_equal(found['trainNdxs'], [[3.], [7.], [1449.]])
    assert found['alltest'] == CELLS and found['text'] == 'hello'
    assert np.array_equal(found['small'], [[5, 6]])
    assert found['st'] is None


def test_plain(tmp_path: Path) -> None:
    path = tmp_path / 'a.mat'
    path.write_bytes(unpack(PLAIN))
    found = read_mat5(path, 'a test')
    assert np.array_equal(found['trainNdxs'], [[3], [7], [1449]])
    assert found['alltest'] == CELLS


@pytest.mark.parametrize('cut', [10, 127, 140, 200, 300, 460])
@pytest.mark.parametrize('text', [COMPRESSED, PLAIN])
def test_cut_short(tmp_path: Path, text: str, cut: int) -> None:
    path = tmp_path / 'a.mat'
    whole = unpack(text)
    path.write_bytes(whole[:cut])
    try:
        found = read_mat5(path, 'the splits')
    except DatasetError as error:
        assert str(path) in str(error) and 'the splits' in str(error)
    else:  # cut between two variables: the whole ones come
        path.write_bytes(whole)
        assert set(found) < set(read_mat5(path, ''))


def test_missing_and_hdf5(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'a\.mat is missing.*the splits'):
        read_mat5(tmp_path / 'a.mat', 'the splits')
    path = tmp_path / 'b.mat'
    path.write_bytes(b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM' + bytes(100))
    with pytest.raises(DatasetError, match='no MATLAB 5 file'):
        read_mat5(path, 'the splits')
