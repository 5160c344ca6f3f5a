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

"""The files of RGB-D folders: sorting, journal, encodings, truncation."""

import json
from pathlib import Path
import pickle
from random import Random

import cv2
from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder_files import (
    decode, FrameError, list_images, load, natural_key, read_depth_png, read_meta)


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)


def test_natural_order() -> None:
    names = ['f10', 'f9', 'f9b', 'e100', '10', '9', 'f9_2', 'f9_10', '']
    assert sorted(names, key=natural_key) == [
        '', '9', '10', 'e100', 'f9', 'f9_2', 'f9_10', 'f9b', 'f10']


@given(st.lists(st.text('ab01_.\u00b2\u0663', max_size=6)), st.randoms(use_true_random=False))
def test_natural_order_does_not_depend_on_the_file_system(
        names: list[str], random: Random) -> None:
    once = sorted(names, key=natural_key)
    random.shuffle(names)
    assert sorted(names, key=natural_key) == once


def test_list_images(tmp_path: Path) -> None:
    for name in ('a.jpg', 'b.PNG', 'c.jpeg', 'd.1.jpg', '.e.jpg.tmp', '.f.jpg', 'g.txt', 'png'):
        (tmp_path / name).write_bytes(b'')
    assert list_images(tmp_path) == {
        'a': 'a.jpg', 'b': 'b.PNG', 'c': 'c.jpeg', 'd.1': 'd.1.jpg'}
    # PNG wins over JPEG, as it has lost nothing.
    (tmp_path / 'a.png').write_bytes(b'')
    assert list_images(tmp_path)['a'] == 'a.png'
    with pytest.raises(DatasetError, match='nowhere'):
        list_images(tmp_path / 'nowhere')


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_truncated_files_are_corrupt_wherever_they_are_cut(suffix: str) -> None:
    whole = cv2.imencode(suffix, picture())[1].tobytes()
    found = decode(whole, cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape == (40, 50, 3)
    for share in (0, .01, .3, .7, .99):
        assert decode(whole[:int(share * len(whole))], cv2.IMREAD_COLOR) is None
    assert decode(b'no image at all', cv2.IMREAD_COLOR) is None


def test_jpeg_with_bytes_after_its_end() -> None:
    # Some cameras fill up their buffers.
    whole = cv2.imencode('.jpg', picture())[1].tobytes()
    assert decode(whole + b'\0' * 32, cv2.IMREAD_COLOR) is not None


def test_every_depth_value_survives(tmp_path: Path) -> None:
    path = tmp_path / 'depth.png'
    millimetres = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    cv2.imwrite(str(path), millimetres)
    metres = read_depth_png(path, (256, 256))
    assert np.isnan(metres[0, 0])
    assert metres[0, 1] == np.float32(.001)
    assert metres[255, 255] == np.float32(65.535)
    np.testing.assert_array_equal(np.rint(metres.ravel()[1:] * 1000),
                                  millimetres.ravel()[1:])


def test_depth_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / 'depth.png'
    for content, reason in (
            (np.ones((4, 5), np.uint8), '16 bit'), (np.ones((4, 5, 3), np.uint16), '16 bit'),
            (np.ones((5, 4), np.uint16), 'size')):
        cv2.imwrite(str(path), content)
        with pytest.raises(FrameError, match=rf'depth\.png.*{reason}'):
            read_depth_png(path, (4, 5))
    path.unlink()
    with pytest.raises(FrameError, match=r'depth\.png: no depth file'):
        read_depth_png(path, (4, 5))
    with pytest.raises(FrameError, match='unreadable'):
        load(tmp_path)


def test_errors_come_back_from_workers() -> None:
    error = pickle.loads(pickle.dumps(FrameError('corrupt image', 'rgb/a.jpg')))
    assert (str(error), error.reason) == ('rgb/a.jpg: corrupt image', 'corrupt image')


def test_journal_is_merged_into_meta(tmp_path: Path) -> None:
    (tmp_path / 'meta.json').write_text(json.dumps({'stamps': {'a': 1, 'b': 2}}))
    assert read_meta(tmp_path)['stamps'] == {'a': 1, 'b': 2}
    k = {'fx': 1, 'fy': 2, 'cx': 3, 'cy': 4}
    (tmp_path / 'frames.jsonl').write_text(
        json.dumps({'name': 'b', 'stamp': 3}) + '\n'
        + json.dumps({'name': 'c', 'stamp': 4, 'intrinsics': k}) + '\n[7]\n{"name": "d", "sta')
    meta = read_meta(tmp_path)
    assert meta['stamps'] == {'a': 1, 'b': 3, 'c': 4}
    assert meta['frame_intrinsics'] == {'c': k}
