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

"""Checksums of split lists."""

import hashlib
from pathlib import Path

import pytest

from mde_ros.datasets.indoor.split_lists import describe_split, list_checksum


def test_order_and_kind_do_not_matter() -> None:
    expected = hashlib.sha256(b'1\n10\n2').hexdigest()
    assert list_checksum([2, 10, 1]) == list_checksum(('10', '1', '2')) == expected
    assert list_checksum([2, 10]) != expected


def test_other_lists_are_told(caplog: pytest.LogCaptureFixture) -> None:
    published = list_checksum(['a', 'b'])
    assert describe_split('test', ['b', 'a'], published, Path('x.mat')) == 'test, as published'
    assert not caplog.records
    assert describe_split('test', ['a', 'c'], published, Path('x.mat')) \
        == 'test, not as published'
    assert 'x.mat: its split test has the right length' in caplog.text
