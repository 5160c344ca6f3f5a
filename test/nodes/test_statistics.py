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

"""Tests of counts, rates and percentiles."""

import math

from hypothesis import given, strategies as st
import pytest

from mde_ros.nodes.statistics import percentiles, Statistics


def test_percentiles_by_hand():
    assert percentiles(range(101)) == (50., 95., 99.)
    assert all(math.isnan(value) for value in percentiles([]))


def test_a_frame_is_received_then_processed_or_dropped():
    s = Statistics()
    for now in (0., .1, .2, .3):
        s.receive(now)
    assert s.drop('busy') == 1
    assert s.drop('busy') == 2
    s.process(.4, .05, {'inference': .02, 'decode': .001})
    shot = s.snapshot(.4)
    assert (shot.received, shot.processed, shot.pending, shot.dropped) == (4, 1, 1, {'busy': 2})
    assert shot.age == (.05, .05, .05)
    assert shot.stages == {'inference': .02, 'decode': .001}


def test_rates_are_over_the_last_five_seconds():
    s = Statistics()
    for index in range(100):
        s.receive(index / 10, lost=1)
        if index % 2:
            s.process(index / 10, None, {})
    shot = s.snapshot(9.9)
    assert shot.input_rate == pytest.approx(10, abs=.1)
    assert shot.source_rate == pytest.approx(20, abs=.2)
    assert shot.output_rate == pytest.approx(5, abs=.2)
    assert shot.lost == 100
    assert s.snapshot(15.).input_rate == 0


def test_rates_soon_after_the_start_refer_to_the_time_since():
    s = Statistics()
    s.begin(100.)
    for index in range(20):
        s.receive(100 + index / 10)
    assert s.snapshot(102.).input_rate == pytest.approx(10)


def test_silence_counts_from_opening_and_from_the_last_frame():
    s = Statistics()
    assert s.snapshot(3.).silent_for == math.inf
    s.begin(10.)
    assert s.snapshot(12.).silent_for == 2.
    s.receive(13.)
    assert s.snapshot(17.).silent_for == 4.


@pytest.mark.parametrize('age', [-3., 1.7e9, 61.])
def test_ages_of_clocks_that_differ_are_noted_not_averaged(age):
    s = Statistics()
    for value in (age, .1):
        s.receive(0.)
        s.process(0., value, {})
    shot = s.snapshot(0.)
    assert shot.age[0] == .1
    assert shot.noted == {'clock mismatch': 1}


@given(st.lists(st.sampled_from(['receive', 'drop x', 'drop y', 'process'])))
def test_the_counts_always_balance(steps):
    s = Statistics()
    for step in steps:
        if step == 'receive':
            s.receive(0.)
        elif s.snapshot(0.).pending and step == 'process':
            s.process(0., None, {})
        elif s.snapshot(0.).pending:
            s.drop(step[-1])
        shot = s.snapshot(0.)
        assert shot.received == shot.processed + sum(shot.dropped.values()) + shot.pending
