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

"""Pictures: size, and what is where."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mde_ros.benchmarks.figures import error_bars, GAP, MARGIN, picture_sheet, TILE, TITLE


def decode(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def write(path: Path, depth: float, frames: int = 2) -> Path:
    truths = np.tile(np.linspace(1, 4, 64), (frames, 48, 1)).astype(np.float16)
    truths[:, :24] = np.nan
    np.savez(path, images=np.full((frames, 48, 64, 3), (10, 200, 30), np.uint8), truths=truths,
             depths=np.full((frames, 48, 64), depth, np.float16))
    return path


def test_sheet(tmp_path: Path) -> None:
    found = picture_sheet({'near': write(tmp_path / 'a.npz', 1.),
                           'far': write(tmp_path / 'b.npz', 4.)})
    assert found is not None
    sheet = decode(found)
    height = 120
    assert sheet.shape == (2 * MARGIN + TITLE + 2 * (height + GAP) - GAP,
                           2 * MARGIN + 4 * (TILE + GAP) - GAP, 3)

    def pixel(row: int, place: int, y: int = 100) -> Any:
        return sheet[MARGIN + TITLE + row * (height + GAP) + y, MARGIN + place * (TILE + GAP) + 80]

    # JPEG keeps colours within a few steps.
    np.testing.assert_allclose(pixel(1, 0), (10, 200, 30), atol=8)
    np.testing.assert_allclose(pixel(0, 1, 20), (0, 0, 0), atol=8)
    # Near is red, far is blue, on the scale of the truth.
    near, far = pixel(0, 2).astype(int), pixel(1, 3).astype(int)
    assert near[0] > near[2] + 50 and far[0] < near[0] - 50


def test_no_examples(tmp_path: Path) -> None:
    np.savez(tmp_path / 'empty.npz')
    assert picture_sheet({'a': tmp_path / 'empty.npz'}) is None
    assert picture_sheet({}) is None


def test_bars_of_two_targets() -> None:
    entry = {column: {'abs_rel': {'mean': .3, 'spread': spread}} for column, spread in (
        ('raw', .05), ('site_scaled', None), ('median_scaled', .01))}
    methods = {name: {**entry, 'target_labels': name == 'oracle'}
               for name in ('source_only', 'lfda', 'oracle')}
    one = decode(error_bars('fog', {'targets': {'a': methods}}))
    two = decode(error_bars('fog', {'targets': {'a': methods, 'b': methods}}))
    assert two.shape[0] > one.shape[0] + 300 and two.shape[1] == one.shape[1]
    # The bars of the raw column.
    assert (np.abs(one.astype(int) - (0xc2, 0x41, 0x3b)).sum(-1) < 10).sum() > 1000
