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
"""The sheet of all room types."""

from pathlib import Path
from unittest.mock import patch

import cv2
import pytest

from mde_ros.simulation.errors import SimulationError


def test_every_room_type_has_four_views(load_script, tmp_path: Path) -> None:
    script = load_script('room_pictures')
    try:
        with patch.object(script, 'RECIPES', {'office': None, 'hall': None, 'lab': None}):
            made = script.sheet(4, 64, 48)
    except SimulationError as error:
        pytest.skip(str(error))
    assert made.shape == (2 * 48, 2 * 4 * 64, 3)
    assert made[:48].std() > 20
    assert made[48:, :4 * 64].std() > 20
    assert not made[48:, 4 * 64:].any(), 'two types a row, the last place is empty'


def test_the_sheet_is_written_or_the_file_named(load_script, tmp_path: Path) -> None:
    script = load_script('room_pictures')
    with patch.object(script, 'sheet', lambda *sizes: cv2.merge([cv2.UMat(8, 8, 0).get()] * 3)):
        with patch('sys.argv', ['x', str(tmp_path / 'a.png'), '--seed', '1', '--size', '8x8']):
            script.main()
        assert (tmp_path / 'a.png').stat().st_size
        with patch('sys.argv', ['x', str(tmp_path / 'no' / 'a.png')]), pytest.raises(
                SystemExit, match=r'no/a.png: cannot be written'):
            script.main()
