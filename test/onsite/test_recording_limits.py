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

"""Each limit of a recording, just before and just beyond it."""

from collections import namedtuple
from dataclasses import replace
import shutil

import pytest

from mde_ros.onsite.recording_limits import limit_reached
from mde_ros.onsite.recording_settings import RecordingSettings

SETTINGS = replace(RecordingSettings(), max_frames=10, max_seconds=20., max_megabytes=3.,
                   min_free_megabytes=4.)
INSIDE = {'frames': 9, 'seconds': 20., 'used': 2_000_000, 'need': 1_000_000}


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """Put 5 MB of free disk in place of this machine's."""
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage(9, 4, 5_000_000))


def test_within_all_limits():
    assert limit_reached(SETTINGS, '/somewhere', **INSIDE) == ''


@pytest.mark.parametrize(('changes', 'words'), [
    ({'frames': 10}, 'max_frames: 10 frames'),
    ({'seconds': 20.1}, 'max_seconds: 20 s'),
    ({'need': 1_000_001}, 'max_megabytes: 2.0 of 3 MB'),
    ({'used': 1, 'need': 1_000_001}, 'min_free_megabytes: the disk of /somewhere has 5 MB free'),
])
def test_beyond_one(changes, words):
    assert words in limit_reached(SETTINGS, '/somewhere', **{**INSIDE, **changes})
