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

"""The line for the person who drives."""

import json

import pytest

from mde_ros.onsite.frame_choice import REASONS
from mde_ros.onsite.recording_status import advise, RecordingStatus, REMEDIES


@pytest.mark.parametrize(('latest', 'words'), [
    (['too dark'] * 43 + [''] * 57, 'too dark: 43 %'),
    (['too dark'] * 39 + [''] * 61, 'going well: 7 of 50'),
    (['no motion'] * 9 + [''], 'move the robot: 90 %'),
    (['seen before'] * 9 + [''], 'go to other places: 90 %'),
    (['too soon'] * 95 + ['blurred'] * 4 + [''], 'blurred: 80 %'),
    (['too soon'] * 5, 'going well'),
    ([], 'is the camera running'),
    (['another lens'] * 3, 'another lens: 100 %'),
])
def test_advice(latest, words):
    assert words in advise('recording', '', latest, 7, 50)


def test_every_reason_but_too_soon_has_a_remedy():
    assert set(REMEDIES) == set(REASONS) - {'too soon'}
    assert all('{share}' in text for text in REMEDIES.values())


def test_a_recording_that_ended_says_why():
    assert advise('full', 'max_frames: 3', [''], 3, 3) == 'full: max_frames: 3'
    assert advise('closed', '', [''], 3, 9) == 'closed'


def test_summary_and_json():
    status = RecordingStatus('full', 'max_frames: 3', 9, 3, 5, {'no motion': 2, 'too soon': 3},
                             {'another lens': 1}, 12.4, 2_500_000, 'x')
    assert status.summary() == (
        '3 of 9 frames kept in 12 s; 5 in the folder (2.5 MB); 3 too soon; 2 no motion; '
        '1 another lens; full: max_frames: 3')
    assert json.loads(json.dumps(status.to_dict()))['refused'] == {'no motion': 2, 'too soon': 3}
