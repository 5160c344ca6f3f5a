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

"""Tests of the choice of reliability."""

import pytest

pytest.importorskip('rclpy')

from rclpy.qos import DurabilityPolicy, HistoryPolicy, ReliabilityPolicy

from mde_ros.nodes import qos


@pytest.mark.parametrize(('wanted', 'offered', 'current', 'expected'), [
    ('reliable', ['best_effort'], None, 'reliable'),
    ('best_effort', ['reliable'], None, 'best_effort'),
    ('auto', [], None, 'reliable'),
    ('auto', [], 'best_effort', 'best_effort'),
    ('auto', ['reliable'], 'best_effort', 'reliable'),
    ('auto', ['reliable', 'best_effort'], 'reliable', 'best_effort'),
    ('auto', ['best_effort'], None, 'best_effort'),
    ('auto', ['unknown'], None, 'reliable'),
])
def test_choice(wanted, offered, current, expected):
    assert qos.choose(wanted, offered, current) == expected


def test_profile_keeps_the_newest_only():
    profile = qos.profile('best_effort')
    assert (profile.depth, profile.history) == (1, HistoryPolicy.KEEP_LAST)
    assert profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert profile.durability == DurabilityPolicy.VOLATILE
    assert qos.profile('reliable', 3).depth == 3


def test_names_of_policies():
    assert qos.reliability_name(ReliabilityPolicy.RELIABLE) == 'reliable'
    assert qos.reliability_name(ReliabilityPolicy.BEST_EFFORT) == 'best_effort'
    assert qos.reliability_name(ReliabilityPolicy.SYSTEM_DEFAULT) == 'unknown'


def test_the_state_says_what_fits():
    fits = qos.QosState('/image', 'best_effort', ('reliable', 'best_effort'))
    assert fits.compatible
    assert fits.describe() == (
        'requested best_effort, offered reliable, best_effort, compatible')
    fails = qos.QosState('/image', 'reliable', ('best_effort',))
    assert not fails.compatible
    assert 'INCOMPATIBLE' in fails.describe()
    assert 'image_reliability' in fails.advice()
    assert '/image' in fails.advice()
    assert qos.QosState('/image', 'reliable', ()).describe() == (
        'requested reliable, offered no publisher')
