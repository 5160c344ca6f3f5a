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

"""The tables of a network search, from numbers made up."""

from typing import Any

from mde_ros.benchmarks.network_search_page import candidate_lines, page, size_lines

CPU, TORCH = 'openvino fp32', 'torch fp32'


def made_report() -> dict[str, Any]:
    """Return what the tables read of a report: base is on the front, slow is not."""
    def one(time: float, error: float, over: float, shipped: bool) -> dict[str, Any]:
        values = {'abs_rel': {'mean': error, 'spread': .0123},
                  'delta1': {'mean': .5, 'spread': None}}
        return {'shipped': shipped, 'gmacs': 1.167, 'parameters': 2_240_000,
                'latency': {CPU: {'p50': time, 'ratio': time / 4}, TORCH: {'p50': 2 * time}},
                'raw': values, 'median_scaled': values,
                'excess': {CPU: {'raw': over, 'median_scaled': over}}}

    errors = {column: {'abs_rel': .25} for column in ('raw', 'median_scaled')}
    return {
        'command': 'python search', 'judged_by': CPU, 'seeds': [0, 1], 'model': 'tiny-0',
        'candidates': {'slow': one(5., .36, 1.2, False), 'base': one(4., .3, 1., True)},
        'front': {CPU: {'raw': ['base'], 'median_scaled': ['base']}},
        'settings': {'input': '320x240', 'steps': 600, 'batch': 8, 'size': '128x96',
                     'start': 'random weights', 'scored_frames': 228},
        'input_sizes': [{'input': '64x48', 'shipped': True, 'gmacs': .05, 'mean': errors,
                         'sets': {'cam': errors}, 'latency': {CPU: {'p50': 2., 'ratio': 1.}}}]}


def test_candidates_the_fastest_first() -> None:
    headings, _, base, slow, end = candidate_lines(made_report())
    assert end == '' and headings.count('|') == base.count('|') == slow.count('|')
    assert base == ('| **base** | 1.17 | 2.24 M | 4.0 | 8.0 | 1.00 | 0.300 ± 0.012 | '
                    '0.300 ± 0.012 | 0.500 | front | front |')
    assert slow.startswith('| slow |') and slow.endswith('| 1.20 | 1.20 |')


def test_input_sizes_with_and_without_errors() -> None:
    report = made_report()
    assert size_lines(report)[2] == (
        '| **64x48** | 0.05 | 2.0 | 1.00 | 0.250 / 0.250 | 0.250 / 0.250 |')
    report['input_sizes'][0] |= {'mean': {}, 'sets': {}, 'shipped': False}
    assert size_lines(report)[2] == '| 64x48 | 0.05 | 2.0 | 1.00 |'


def test_the_page_says_how_it_was_made() -> None:
    text = page(made_report(), 'images/search.png')
    assert '```\npython search\n```' in text and '600 steps of 8 images of 128x96' in text
    assert 'seeds 0, 1; scored on 228 frames' in text
    assert text.rstrip().endswith('![Abs Rel against latency](images/search.png)')
    assert '![' not in page(made_report(), '')
