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

"""The page of a comparison."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from off_estimator import Off

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.evaluation.compare import compare
from mde_ros.evaluation.compare_report import write_comparison

SHEET = np.zeros((40, 60, 3), np.uint8)


class Page(HTMLParser):
    """Gathers the words and the addresses of pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.sources = '', []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.sources += [value for name, value in attrs if name == 'src']


def test_the_table_and_the_pictures(rgbd_folder: Path, tmp_path: Path) -> None:
    found = compare(lambda: RgbdFolder(rgbd_folder), Off(1.2), Off(1.1))
    found.close()
    fields = {**found.to_dict(), 'labels': True, 'command': 'mde compare <a> & b'}
    write_comparison(tmp_path / 'page.html', fields, SHEET)
    page = Page((tmp_path / 'page.html').read_text())
    assert '0.200' in page.words and '-0.100' in page.words and 'better' in page.words
    assert 'off by 1.2' in page.words and 'mde compare <a> & b' in page.words
    assert len(page.sources) == 1 and page.sources[0].startswith('data:image/jpeg;base64,')


def test_without_labels(tmp_path: Path) -> None:
    write_comparison(tmp_path / 'page.html', {
        'data': {'name': 'set'}, 'frames': 3, 'labels': False, 'command': 'c',
        'before': {'model': {'id': 'a'}}, 'after': {'model': {'id': 'b'}},
        'check': {'why': 'refused: worse', 'rows': [
            {'kept': False, 'line': 'flip: 0.1 before'}, {'kept': True, 'line': 'zoom'}]}}, SHEET)
    text = (tmp_path / 'page.html').read_text()
    assert 'refused: worse' in text and text.count('<li class="broken">') == 1
