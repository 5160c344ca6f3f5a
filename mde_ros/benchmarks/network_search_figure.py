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

"""The plot of a network search: accuracy against latency, of networks and of input sizes."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import StrMethodFormatter
import numpy as np

from mde_ros.benchmarks.summary import ERROR
from mde_ros.evaluation.colour import ticks
from mde_ros.evaluation.plots import COLOURS
from mde_ros.evaluation.result_tables import COLUMN_TITLES

INK, OTHER, SHIPPED, FRONT = '#2b3038', '#7d8794', '#c2413b', '#1f6f8b'
# What is published raw, and what is left when the scale is right.
SHOWN = ('raw', 'median_scaled')
# Names stay readable over bars and lines.
HALO = [withStroke(linewidth=2.5, foreground='white')]


def search_figure(report: dict[str, Any]) -> bytes:
    """
    Return a PNG: candidates, and input sizes where there are any scores of them.

    :param report: the JSON of benchmark/network_search.py.
    """
    sizes = [row for row in report['input_sizes'] if row['mean']]
    panels = 2 if sizes else 1
    figure = Figure(figsize=(6.2 * panels, 4.8), dpi=150, layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    backend = report['judged_by']
    for one in axes:
        one.spines[['top', 'right']].set_visible(False)
        one.tick_params(colors=INK, labelsize=7.5, length=3)
        one.grid(color='#e6e8ec', linewidth=.8)
        one.set_axisbelow(True)
        one.set_ylabel('Abs Rel', fontsize=8.5, color=INK)
        one.set_xlabel(f'ms p50, {backend}', fontsize=8.5, color=INK)
    _candidates(axes[0], report, backend)
    if sizes:
        _input_sizes(axes[1], report, sizes, backend)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', metadata={'Software': None})
    return buffer.getvalue()


def _candidates(axes: Axes, report: dict[str, Any], backend: str) -> None:
    found = report['candidates']
    places = {name: (one['latency'][backend]['p50'], one['raw'][ERROR]['mean'])
              for name, one in found.items()}
    front = report['front'][backend]['raw']
    _logarithmic(axes, [time for time, _ in places.values()])
    axes.margins(y=.12)
    axes.plot(*zip(*(places[name] for name in front), strict=True), color=FRONT, linewidth=1.3,
              zorder=1, label='front')
    for name, one in found.items():
        colour = SHIPPED if one['shipped'] else FRONT if name in front else OTHER
        x, y = places[name]
        axes.errorbar(x, y, yerr=one['raw'][ERROR]['spread'] or 0., color=colour, ecolor=colour,
                      elinewidth=.9, capsize=2.5, marker='D' if one['shipped'] else 'o',
                      markersize=6 if one['shipped'] else 4.5, zorder=3 if one['shipped'] else 2)
    for name, level in _levels(places, axes).items():
        axes.annotate(name, places[name], (6, level), textcoords='offset points', fontsize=7,
                      path_effects=HALO, zorder=4,
                      color=SHIPPED if found[name]['shipped'] else INK,
                      weight='bold' if found[name]['shipped'] else 'normal')
    axes.plot([], [], 'D', color=SHIPPED, label='shipped sizes')
    axes.plot([], [], 'o', color=OTHER, markersize=4.5, label='others')
    axes.legend(fontsize=7.5, frameon=False, loc='lower left')
    settings = report['settings']
    seeds = ', '.join(map(str, report['seeds']))
    axes.set_title(f"networks at {settings['input']}, raw, seeds {seeds}, {settings['steps']} "
                   'steps from random weights', fontsize=8.5, loc='left', color=INK)


def _levels(places: dict[str, tuple[float, float]], axes: Axes) -> dict[str, float]:
    """Return how many points each name stands above its marker, so that none covers another."""
    (left, right), (low, high) = np.log(axes.get_xlim()), axes.get_ylim()
    width, height, name_width, line = 370., 290., 80., 9.
    taken: list[tuple[float, float]] = []
    found: dict[str, float] = {}
    for name, (x, y) in sorted(places.items(), key=lambda item: item[1][1]):
        across = float((np.log(x) - left) / (right - left) * width)
        up = (y - low) / (high - low) * height
        level = next(shift for step in range(40) for shift in (3. + 3 * step, -8. - 3 * step)
                     if not any(abs(across - a) < name_width and abs(up + shift - u) < line
                                for a, u in taken))
        taken.append((across, up + level))
        found[name] = level
    return found


def _logarithmic(axes: Axes, times: list[float]) -> None:
    """Make milliseconds a logarithmic axis with room for the names on the right."""
    low, high = min(times) * .88, max(times) * 1.5
    axes.set_xscale('log')
    axes.set_xlim(low, high)
    marks = ticks(low, high)
    axes.set_xticks(marks, [f'{mark:.3g}' for mark in marks])
    axes.xaxis.set_minor_formatter(StrMethodFormatter('{x:.3g}'))
    axes.tick_params(axis='x', which='minor', labelsize=6, colors=INK)


def _input_sizes(axes: Axes, report: dict[str, Any], sizes: list[dict[str, Any]],
                 backend: str) -> None:
    times = [row['latency'][backend]['p50'] for row in sizes]
    _logarithmic(axes, times)
    for column in SHOWN:
        axes.plot(times, [row['mean'][column][ERROR] for row in sizes], marker='o', markersize=4.5,
                  color=COLOURS[column], linewidth=1.3, label=COLUMN_TITLES[column])
    for row, time in zip(sizes, times, strict=True):
        axes.annotate(row['input'], (time, row['mean']['raw'][ERROR]), (5, 5), fontsize=7,
                      textcoords='offset points', path_effects=HALO, color=INK,
                      weight='bold' if row['shipped'] else 'normal')
    axes.margins(y=.12)
    axes.legend(fontsize=7.5, frameon=False, loc='center right')
    count = len(sizes[0]['sets'])
    axes.set_title(f"input sizes of {report['model']}, mean of {count} recorded sets",
                   fontsize=8.5, loc='left', color=INK)
