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

"""Plots: images come out, and they show what they are given."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.evaluation import plots
from mde_ros.evaluation.evaluator import evaluate


def pixels(png: bytes) -> NDArray[np.uint8]:
    """Return decoded RGB."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image[..., ::-1], np.uint8)


def has(image: NDArray[np.uint8], colour: str) -> int:
    """Return the number of pixels of about this colour."""
    rgb = np.array([int(colour[place:place + 2], 16) for place in (1, 3, 5)])
    return int((np.abs(image.astype(int) - rgb).max(axis=2) < 12).sum())


def test_lines_and_levels(memory_source: Any, perfect: Any) -> None:
    """The site factor is drawn in its colour; a floor only where there is one."""
    result = evaluate(memory_source, perfect)
    assert result.scores is not None
    ratio = pixels(plots.ratio_over_frames(result.scores.frames, 1.3))
    assert has(ratio, plots.COLOURS['site_scaled']) > 300
    with_floor = pixels(plots.error_over_frames(result.scores.frames, .3))
    without = pixels(plots.error_over_frames(result.scores.frames, None))
    assert has(with_floor, plots.FLOOR_COLOUR) > has(without, plots.FLOOR_COLOUR) + 100


def test_bars_grow_with_the_error() -> None:
    """Twice the error, about twice the ink; an empty range is no error."""
    def part(raw: float | None) -> dict[str, Any]:
        rest = {'abs_rel': .4}
        return {'from': 1, 'to': 2, 'pixels': 10, 'raw': {'abs_rel': raw},
                'site_scaled': rest, 'median_scaled': rest}
    ink = [has(pixels(plots.error_by_range([part(raw)])), plots.COLOURS['raw'])
           for raw in (None, .2, .4)]
    legend = ink[0]
    assert (ink[2] - legend) / (ink[1] - legend) == pytest.approx(2, rel=.05)


def test_ages() -> None:
    """A level line where nothing varies is shorter than one that goes up and down."""
    flat, jumping = (has(pixels(plots.age_over_frames(ages)), '#1f6f8b')
                     for ages in ([30.] * 80, [30., 60.] * 40))
    assert jumping > 3 * flat > 0
    assert has(pixels(plots.age_over_frames([10., 10., 40.])), plots.FLOOR_COLOUR) > 200


def test_density_and_latency_are_drawn() -> None:
    """Also with nothing in them."""
    edges = np.geomspace(.3, 10, 11)
    counts = np.zeros((10, 10))
    empty = pixels(plots.density(counts, edges))
    counts[5, 5] = 1
    full = pixels(plots.density(counts, edges))
    assert has(full, '#fde725') > has(empty, '#fde725') + 1000  # the brightest of viridis
    bars = plots.latency_bars({'network': {'p50': 20., 'p95': 22., 'p99': 30.}})
    assert has(pixels(bars), '#1f6f8b') > 1000
