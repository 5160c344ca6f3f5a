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

"""Files of lines: what a kill leaves, and going on after it."""

import os

import pytest

from mde_ros.onsite.recording_lines import cut_torn_line, JsonLines, read_lines


def test_lines_are_there_at_once_and_appended_to(tmp_path):
    path = tmp_path / 'deep' / 'a.jsonl'
    lines = JsonLines(path)
    assert not path.exists()
    assert lines.write({'a': 1}) == len('{"a": 1}\n')
    assert path.read_text() == '{"a": 1}\n'
    lines.sync()
    lines.close()
    lines.write({'b': 2})
    lines.close()
    lines.close()
    assert read_lines(path) == [{'a': 1}, {'b': 2}]


def test_a_torn_line_is_left_out_and_cut_off_before_going_on(tmp_path):
    path = tmp_path / 'a.jsonl'
    whole = b'{"a": 1}\n{"b": 2}\n'
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        before = read_lines(path)
        assert before in ([], [{'a': 1}], [{'a': 1}, {'b': 2}])
        lines = JsonLines(path)
        lines.write({'c': 3})
        lines.close()
        complete = whole[:length].count(b'\n')
        assert read_lines(path) == [{'a': 1}, {'b': 2}][:complete] + [{'c': 3}]


def test_what_is_no_object_is_left_out(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_bytes(b'[1]\n\xff\xfe\n{"a": 1}\n7\n')
    assert read_lines(path) == [{'a': 1}]
    assert read_lines(tmp_path / 'absent') == []
    cut_torn_line(tmp_path / 'absent')


def test_half_a_write_is_an_error(tmp_path):
    lines = JsonLines(tmp_path / 'a.jsonl')
    lines.write({})

    class Full:
        def write(self, data):
            return len(data) // 2

        def fileno(self):
            return os.open(tmp_path, os.O_RDONLY)

        def close(self):
            pass

    lines._file = Full()
    with pytest.raises(OSError, match='bytes were written'):
        lines.write({'a': 1})
