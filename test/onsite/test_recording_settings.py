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

"""Settings of a recording: ranges, types, the table that others build on."""

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mde_ros.errors import MdeError
from mde_ros.onsite.recording_settings import RecordingError, RecordingSettings, TABLE

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'recording.md'


@pytest.mark.parametrize('name', TABLE)
def test_every_setting_holds_its_range(name):
    entry = TABLE[name].metadata
    for value in (entry['low'], entry['high']):
        kind = type(TABLE[name].default)
        try:
            assert getattr(RecordingSettings(**{name: kind(value)}), name) == value
        except RecordingError as error:
            assert 'below max_brightness' in str(error)
    step = 1
    for value in (entry['low'] - step, entry['high'] + step, float('nan')):
        with pytest.raises(RecordingError, match=name):
            RecordingSettings(**{name: value})
    for value in ('3', True, None):
        with pytest.raises(RecordingError, match=f'{name}.*number'):
            RecordingSettings(**{name: value})


def test_errors_are_for_users_and_say_what_is_expected():
    with pytest.raises(MdeError, match=r'min_interval = -1: must be from 0 to 3600 \(s\)'):
        RecordingSettings(min_interval=-1)
    with pytest.raises(RecordingError, match='max_frames.*whole'):
        RecordingSettings(max_frames=1.5)
    with pytest.raises(RecordingError, match='min_brightness 200 must be below'):
        RecordingSettings(min_brightness=200., max_brightness=150.)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        RecordingSettings().min_motion = 3.


def test_values_of_options_replace_defaults_where_they_are_given():
    options = SimpleNamespace(min_motion=3., max_frames=None, other=1)
    found = RecordingSettings().changed(['min_motion', 'max_frames', 'absent'], options)
    assert found == replace(RecordingSettings(), min_motion=3.)


def test_keep_all_switches_every_filter_off():
    found = RecordingSettings.keep_all(max_frames=7)
    assert found.max_frames == 7
    filters = [entry.name for entry in fields(found) if entry.name.startswith('min_')
               and entry.name != 'min_free_megabytes']
    assert len(filters) == 7
    assert not any(getattr(found, name) for name in filters)


@pytest.mark.parametrize('name', TABLE)
def test_the_page_lists_every_setting_with_its_default(name):
    entry = TABLE[name]
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith(f'| `{name}`')]
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].split('|')]
    assert float(cells[2]) == entry.default
    assert cells[3] == entry.metadata['unit']
    assert cells[4] == f"{entry.metadata['low']:g} to {entry.metadata['high']:g}"
    assert cells[5]
