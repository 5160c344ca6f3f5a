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

"""The plot of a network search: panels, the front, and names that do not cover each other."""

from typing import Any

import cv2
from matplotlib.figure import Figure
import numpy as np

from mde_ros.benchmarks.network_search_figure import _levels, search_figure

BACKEND = 'openvino fp32'


def made_report(sizes: bool) -> dict[str, Any]:
    """Return what the plot reads of a report."""
    def entry(name: str, time: float, error: float) -> dict[str, Any]:
        return {'shipped': name == 'base', 'latency': {BACKEND: {'p50': time}},
                'raw': {'abs_rel': {'mean': error, 'spread': .01 if name == 'base' else None}}}

    errors = {column: {'abs_rel': .4} for column in ('raw', 'median_scaled')}
    return {
        'candidates': {'base': entry('base', 4., .3), 'cheap': entry('cheap', 1., .4),
                       'worse': entry('worse', 5., .5)},
        'front': {BACKEND: {'raw': ['cheap', 'base']}}, 'judged_by': BACKEND, 'seeds': [0],
        'model': 'tiny-0', 'settings': {'input': '64x48', 'steps': 3},
        'input_sizes': [{'input': '64x48', 'shipped': True, 'latency': {BACKEND: {'p50': time}},
                         'mean': errors if sizes else {}, 'sets': {'a': {}} if sizes else {}}
                        for time in (1., 2.)]}


def decode(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def test_two_panels_where_input_sizes_are_scored() -> None:
    one, two = (decode(search_figure(made_report(sizes))) for sizes in (False, True))
    assert two.shape == (one.shape[0], 2 * one.shape[1], 3)
    for colour in ((0xc2, 0x41, 0x3b), (0x1f, 0x6f, 0x8b), (0x7d, 0x87, 0x94)):
        # The shipped size, the front and what is not on it.
        assert (np.abs(one.astype(int) - colour).sum(-1) < 10).sum() > 20


def test_names_keep_apart() -> None:
    axes = Figure().add_subplot()
    axes.set_xscale('log')
    axes.set_xlim(1, 100)
    axes.set_ylim(0, 1)
    levels = _levels({'a': (10., .5), 'b': (10., .501), 'c': (10.1, .499), 'far': (90., .5)}, axes)
    assert levels['far'] == levels['c'] == 3
    near = sorted(levels[name] for name in 'abc')
    assert min(np.diff(near)) >= 8.5
