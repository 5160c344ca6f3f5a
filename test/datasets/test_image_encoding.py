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

"""Depth and pictures encoded for RGB-D folders, against numbers worked out by hand."""

import cv2
import numpy as np
import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.image_encoding import (
    DEPTH_MAX_M, encode_depth, encode_image, metres_to_millimetres)

NAN, INF = float('nan'), float('inf')


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))


def test_millimetres_and_what_has_none() -> None:
    depth = np.array([[1.25, .0004, .0006, NAN], [INF, -INF, -1., 0.]], np.float32)
    data, beyond = encode_depth(depth)
    stored = decoded(data)
    assert stored.dtype == np.uint16
    assert stored.tolist() == [[1250, 0, 1, 0], [0, 0, 0, 0]]
    assert beyond == 0


def test_files_and_messages_round_alike() -> None:
    # In float32 the product of .56949997 and 1000 is 569.5, which would be rounded up.
    depth = np.array([[.56949997, .51850003]], np.float32)
    data, _ = encode_depth(depth)
    assert decoded(data).tolist() == [[569, 519]] == metres_to_millimetres(depth).tolist()


def test_infinite_depth_has_no_millimetres() -> None:
    depth = np.array([[INF, -INF, NAN, 1e30]], np.float32)
    assert metres_to_millimetres(depth).tolist() == [[0, 0, 0, 0]]


def test_pixels_beyond_are_counted_and_no_readings() -> None:
    data, beyond = encode_depth(np.array([[DEPTH_MAX_M, 65.536, 80., INF]], np.float32))
    assert decoded(data).tolist() == [[65535, 0, 0, 0]]
    assert beyond == 2


def test_the_depth_given_is_left_as_it_was() -> None:
    depth = np.array([[80., NAN, 2.]], np.float32)
    encode_depth(depth)
    np.testing.assert_array_equal(depth, np.array([[80., NAN, 2.]], np.float32))


def test_pictures() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    png = encode_image(image, 'png', [cv2.IMWRITE_PNG_COMPRESSION, 1])
    np.testing.assert_array_equal(decoded(png), image)
    sizes = [len(encode_image(image, 'jpg', [cv2.IMWRITE_JPEG_QUALITY, quality]))
             for quality in (10, 100)]
    assert sizes[0] < sizes[1]


def test_what_opencv_does_not_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, 'imencode', lambda *_: (False, None))
    with pytest.raises(DatasetError, match=r'\(2, 3\) as png'):
        encode_image(np.zeros((2, 3), np.uint8), 'png', [])
