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

"""Counts of a recording: seconds without pauses, reasons, what the advice goes by."""

from mde_ros.onsite.recording_counts import LATEST, RecordingCounts

S = 1_000_000_000


def status(counts, state='recording'):
    return counts.status(state, '', frames=7, used=1000, wanted=50)


def test_pauses_do_not_count_as_time():
    counts = RecordingCounts()
    for stamp in (10, 11, 100, 101, 50, 52):
        counts.pass_time(stamp * S)
    assert status(counts).seconds == 4.


def test_frames_without_stamps_take_the_time_of_now(monkeypatch):
    now = iter((5 * S, 6 * S, 6.5 * S, 20 * S))
    monkeypatch.setattr('time.monotonic_ns', lambda: int(next(now)))
    counts = RecordingCounts()
    for _ in range(4):
        counts.pass_time(0)
    assert status(counts).seconds == 1.5


def test_bad_frames_are_counted_by_reason_and_logged_once(caplog):
    counts = RecordingCounts()
    for reason, detail in (('no picture', 'a'), ('no picture', 'b'), ('another lens', 'c')):
        choice = counts.count_bad(reason, detail)
        assert (choice.keep, choice.reason) == (False, reason)
    assert status(counts).bad == {'no picture': 2, 'another lens': 1}
    assert caplog.text.count('no picture a') == 1
    assert 'no picture b' not in caplog.text
    assert 'another lens c' in caplog.text


def test_the_status_has_what_was_counted():
    counts = RecordingCounts()
    counts.seen, counts.kept = 3, 1
    counts.refused['no motion'] += 2
    found = status(counts, 'closed')
    assert (found.state, found.seen, found.kept, found.frames, found.bytes) == (
        'closed', 3, 1, 7, 1000)
    counts.refused['no motion'] += 1
    assert found.refused == {'no motion': 2}  # of then, not of now


def test_the_advice_goes_by_the_latest_frames():
    counts = RecordingCounts()
    assert 'no picture yet' in status(counts).advice
    for _ in range(LATEST):
        counts.note('too dark')
    assert status(counts).advice.startswith('too dark: 100 %')
    for _ in range(LATEST):
        counts.note('')
    assert status(counts).advice == 'going well: 7 of 50 frames'
