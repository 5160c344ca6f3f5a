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

"""Frames before and after on one sheet, pixel by pixel where it matters."""

from pathlib import Path
from typing import Any

import numpy as np
from off_estimator import Off

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.evaluation.compare import compare
from mde_ros.evaluation.compare_pictures import comparison_rows, comparison_sheet, PictureRow


def row(**changes: Any) -> PictureRow:
    """Return a row of grey, 1 m before, 2 m after, 2 m true."""
    fields: dict[str, Any] = {
        'title': 'a frame', 'image': np.full((48, 64, 3), 128, np.uint8),
        'before': np.full((48, 64), 1., np.float32), 'after': np.full((48, 64), 2., np.float32),
        'truth': np.full((48, 64), 2., np.float32)}
    return PictureRow(**{**fields, **changes})


def test_a_sheet_of_six_columns() -> None:
    sheet = comparison_sheet([row(), row()])
    # Six pictures of 240 x 180 with gaps of 8; two rows below the bars.
    assert sheet.shape == (36 + 2 * (180 + 36 + 8), 6 * 248 + 8, 3)
    middle = 36 + 18 + 90
    columns = [sheet[middle, 8 + 248 * place + 120].tolist() for place in range(6)]
    assert columns[0] == [128] * 3
    assert columns[1] == columns[3] != columns[2]  # reference and after are alike
    blue, white = columns[4], columns[5]
    assert blue[2] > blue[0] + 60 and min(white) > 240  # half the truth is blue, right is white


def test_a_sheet_without_reference() -> None:
    sheet = comparison_sheet([row(truth=None)])
    assert sheet.shape == (36 + 180 + 36 + 8, 4 * 248 + 8, 3)
    red = sheet[36 + 18 + 90, 8 + 3 * 248 + 120]
    assert red[0] > red[2] + 60  # twice as far as before
    everything_black = np.full((48, 64), np.nan, np.float32)
    assert comparison_sheet([row(before=everything_black, after=everything_black, truth=None)]
                            ).shape == sheet.shape


def test_rows_from_the_largest_gain_to_the_largest_loss(rgbd_folder: Path) -> None:
    found = compare(lambda: RgbdFolder(rgbd_folder), Off(1.2), Off(1.1))
    try:
        rows = comparison_rows(found, 3)
        assert len(rows) == 3 and len(comparison_rows(found, 9)) == 6
        names = [name for _, name in found.gains()]
        assert rows[0].title.startswith(names[0]) and rows[-1].title.startswith(names[-1])
        assert 'raw 0.200 -> 0.100' in rows[0].title
        assert rows[0].truth is not None and rows[0].image.shape == (48, 64, 3)
        np.testing.assert_allclose(rows[0].before / rows[0].after, 1.2 / 1.1, rtol=2e-3)
    finally:
        found.close()
