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

"""The parameters of a node as a dataclass; the adaptation node's tests use it for real."""

from dataclasses import dataclass

import pytest
import yaml

pytest.importorskip('rclpy')

from rclpy.node import Node
from rclpy.parameter import Parameter

from mde_ros.nodes.parameter_table import (
    AT_ONCE, AT_START, bounds, descriptor, parameter, ParameterError, ParameterTable)


@dataclass(frozen=True)
class Values:
    name: str = parameter('a', AT_START, 'a name')
    count: int = parameter(3, AT_ONCE, 'a count', low=1, high=9)
    share: float = parameter(.5, AT_ONCE, 'a share', low=0., high=1.)
    mode: str = parameter('x', AT_ONCE, 'a mode', choices=('x', 'y'))
    words: tuple[str, ...] = parameter(('b', 'c'), AT_ONCE, 'some words')
    live: bool = parameter(True, AT_ONCE, 'a switch')

    def conflict(self):
        return 'count 9 needs mode y' if self.count == 9 and self.mode == 'x' else ''


TABLE = ParameterTable(Values, 'test node', 'docs/test.md')


@pytest.fixture
def node(ros_context):
    made = Node('table', context=ros_context)
    yield made
    made.destroy_node()


def change(node, **values):
    """Set parameters; return the reason of a refusal, or nothing."""
    result = node.set_parameters_atomically(
        [Parameter(name, value=value) for name, value in values.items()])
    return '' if result.successful else result.reason


def test_values_are_declared_and_read(node):
    assert TABLE.declare(node) == Values()
    assert not change(node, words=['d'], share=.25)
    assert TABLE.read(node) == Values(words=('d',), share=.25)
    assert 'words' in TABLE
    assert 'other' not in TABLE
    assert TABLE.when('name') == 'at start'


@pytest.mark.parametrize(('values', 'words'), [
    ({'mode': 'z'}, 'use one of x, y'), ({'count': 10}, 'out of range'),
    ({'share': 1.5}, 'out of range'), ({'count': 9}, 'needs mode y'), ({'name': 'b'}, 'read-only'),
    ({'live': 'yes'}, 'BOOL')])
def test_wrong_values_are_refused_with_a_reason(node, values, words):
    before = TABLE.declare(node)
    assert words in change(node, **values)
    assert TABLE.read(node) == before


def test_values_that_go_together_are_set_together(node):
    TABLE.declare(node)
    assert not change(node, count=9, mode='y')


def test_a_conflict_at_start_is_refused(ros_context):
    node = Node('conflict', context=ros_context, parameter_overrides=[
        Parameter('count', value=9)])
    with pytest.raises(ParameterError, match='needs mode y'):
        TABLE.declare(node)
    node.destroy_node()


def test_a_descriptor_tells_range_choices_and_when():
    count = descriptor(TABLE.entries['count'])
    assert (count.integer_range[0].from_value, count.integer_range[0].to_value) == (1, 9)
    assert count.description == 'a count (applies at once)'
    share = descriptor(TABLE.entries['share'])
    assert share.floating_point_range[0].to_value == 1.
    assert descriptor(TABLE.entries['mode']).additional_constraints == 'one of x, y'
    assert descriptor(TABLE.entries['name']).read_only
    assert [bounds(TABLE.entries[name]) for name in ('name', 'count', 'mode')] == [
        '', '1 to 9', 'x, y']


def test_the_files_have_every_parameter():
    assert yaml.safe_load(TABLE.yaml())['/**']['ros__parameters'] == {
        'name': 'a', 'count': 3, 'share': .5, 'mode': 'x', 'words': ['b', 'c'],
        'live': True}
    assert TABLE.yaml().startswith('# Parameters of the test node, all at their defaults; docs/te')
    assert TABLE.markdown().splitlines()[2:] == [
        "| `name` | `'a'` |  | at start | a name |",
        '| `count` | `3` | 1 to 9 | at once | a count |',
        '| `share` | `0.5` | 0.0 to 1.0 | at once | a share |',
        "| `mode` | `'x'` | x, y | at once | a mode |",
        "| `words` | `['b', 'c']` |  | at once | some words |",
        '| `live` | `true` |  | at once | a switch |']
