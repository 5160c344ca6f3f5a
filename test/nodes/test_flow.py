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

"""Tests of gaps, limits and log lines."""

from hypothesis import given, strategies as st
import pytest

from mde_ros.nodes.flow import Complaints, RateLimiter, SequenceGaps


def test_gaps_are_counted():
    gaps = SequenceGaps()
    assert [gaps.missing(n) for n in (5, 6, 9, 10)] == [0, 0, 2, 0]


def test_a_restarted_publisher_is_no_gap():
    gaps = SequenceGaps()
    assert [gaps.missing(n) for n in (50, 1, 2, 4)] == [0, 0, 0, 1]


def test_numbers_of_several_publishers_or_none_are_not_compared():
    gaps = SequenceGaps()
    gaps.missing(1)
    gaps.restart(publishers=2)
    assert [gaps.missing(n) for n in (10, 100, 12)] == [0, 0, 0]
    gaps.restart(publishers=1)
    assert [gaps.missing(n) for n in (13, None, 20, 22)] == [0, 0, 0, 1]


@given(st.sets(st.integers(1, 300), min_size=1))
def test_received_and_missing_add_up_to_what_was_published(numbers):
    ordered = sorted(numbers)
    gaps = SequenceGaps()
    missing = sum(gaps.missing(n) for n in ordered)
    assert missing + len(ordered) == ordered[-1] - ordered[0] + 1


@pytest.mark.parametrize(('rate', 'expected'), [(0, 90), (30, 90), (15, 45), (10, 30), (7, 21)])
def test_the_rate_is_kept_over_a_30_hz_camera(rate, expected):
    limiter = RateLimiter()
    accepted = sum(limiter.accepts(index / 30, rate) for index in range(90))
    assert abs(accepted - expected) <= 1


def test_after_a_pause_no_burst_follows():
    limiter = RateLimiter()
    assert limiter.accepts(0, 1)
    assert [limiter.accepts(t, 1) for t in (100, 100.1, 100.5, 101)] == [True, False, False, True]


def test_the_same_complaint_is_logged_once_a_period():
    lines, clock = [], [0.]
    complain = Complaints(lines.append, lambda: 5., lambda: clock[0])
    for now in (0, 1, 2, 5, 6, 11.5):
        clock[0] = now
        complain('a', f'at {now}')
    complain('b', 'other')
    assert lines == ['at 0', 'at 5 (2 more like this)', 'at 11.5 (1 more like this)', 'other']
