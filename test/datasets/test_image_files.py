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

"""Image, depth and text files: values and errors."""

from pathlib import Path

import cv2
from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.image_files import (
    iterate_lines, need_folder, read_16bit, read_lines, read_numbers, read_rgb, sorted_names,
    to_metres)

CAMERA = Intrinsics(4, 3, 5., 5., 2., 1.)


def test_images(tmp_path: Path) -> None:
    picture = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), picture[..., ::-1])
    assert np.array_equal(read_rgb(path, CAMERA), picture)
    with pytest.raises(FrameError, match=r'a\.png is 4x3: size is not 5x3'):
        read_rgb(path, Intrinsics(5, 3, 5., 5., 2., 1.))
    with pytest.raises(FrameError, match=r'b\.png: no image file'):
        read_rgb(tmp_path / 'b.png')
    path.write_bytes(b'nothing')
    with pytest.raises(FrameError, match=r'a\.png: corrupt image'):
        read_rgb(path)


def test_depths(tmp_path: Path) -> None:
    stored = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), stored)
    assert np.array_equal(read_16bit(path, CAMERA), stored)
    cv2.imwrite(str(path), stored.astype(np.uint8))
    with pytest.raises(FrameError, match='not one channel of 16 bit'):
        read_16bit(path)
    with pytest.raises(FrameError, match=r'b\.png: no depth file'):
        read_16bit(tmp_path / 'b.png')
    path.write_bytes(b'')
    with pytest.raises(FrameError, match='corrupt depth'):
        read_16bit(path)


@given(st.integers(0, 65535), st.sampled_from([256., 1000., 5000., 100.]))
def test_metres_are_the_nearest_float(stored: int, per_metre: float) -> None:
    metres = to_metres(np.array([[stored]], np.uint16), per_metre, 65535)[0, 0]
    assert metres.dtype == np.float32
    if stored in (0, 65535):
        assert np.isnan(metres)
    else:
        assert metres == np.float32(stored / per_metre)


def test_texts(tmp_path: Path) -> None:
    path = tmp_path / 'a.txt'
    with pytest.raises(DatasetError, match=r'a\.txt is missing: expected a list'):
        read_lines(path, 'a list')
    path.write_text('# comment\n\n 1 2,\n 3.5 \n')
    assert read_lines(path, 'a list') == ['1 2,', '3.5']
    assert read_numbers(path, 3, 'numbers') == [1, 2, 3.5]
    with pytest.raises(DatasetError, match=r'a\.txt: 3 numbers; expected nine'):
        read_numbers(path, 9, 'nine')
    path.write_text('1 x')
    with pytest.raises(DatasetError, match=r"a\.txt: .*'x'; expected nine"):
        read_numbers(path, 1, 'nine')
    path.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(DatasetError, match='not a readable text file'):
        read_lines(path, 'a list')


def test_folders(tmp_path: Path) -> None:
    need_folder(tmp_path)
    with pytest.raises(DatasetError, match='x: no such folder'):
        need_folder(tmp_path / 'x')
    (tmp_path / 'rgb').mkdir()
    with pytest.raises(DatasetError, match=r'depth is missing: expected rgb, depth in'):
        need_folder(tmp_path, 'rgb', 'depth')


def test_lines_come_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / 'list.txt'
    path.write_bytes(b'# comment\n\n a b \r\n' + b'# ...\n' * 100_000 + b'\xff\n')
    lines = iterate_lines(path, 'a list')
    assert next(lines) == 'a b'
    with pytest.raises(DatasetError, match=r'list\.txt: not a readable text file: expected a'):
        next(lines)
    with pytest.raises(DatasetError, match=r'none\.txt is missing: expected a list'):
        next(iterate_lines(tmp_path / 'none.txt', 'a list'))


def test_names_in_order(tmp_path: Path) -> None:
    for name in ('b.png', 'a.png', 'c.jpg', 'd.txt'):
        (tmp_path / name).write_text('')
    assert sorted_names(tmp_path) == ['a.png', 'b.png', 'c.jpg', 'd.txt']
    assert sorted_names(tmp_path, ('.jpg', '.png')) == ['a.png', 'b.png', 'c.jpg']
    assert sorted_names(tmp_path / 'none') == sorted_names(tmp_path / 'd.txt') == []
