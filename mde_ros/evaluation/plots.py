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

"""Plots of a report as PNG bytes."""

from collections.abc import Mapping, Sequence
import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation.colour import ticks
from mde_ros.evaluation.result_tables import COLUMN_TITLES
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.evaluation.scoring import FrameScore

COLOURS = {'raw': '#c2413b', 'site_scaled': '#d99a1c', 'median_scaled': '#1f6f8b'}
FLOOR_COLOUR = '#8a8f98'
_INK = '#2b3038'
# Markers where single frames can be told apart, thin lines where they cannot.
_FEW = 60


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=150, layout='constrained')
    # Without pyplot: no global state, no display.
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set_color('#b5bac2')
    axes.tick_params(colors=_INK, labelsize=8, length=3)
    axes.grid(axis='y', color='#e6e8ec', linewidth=.8)
    axes.set_axisbelow(True)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', metadata={'Software': None})
    return buffer.getvalue()


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=8.5, color=_INK)
    axes.set_ylabel(y, fontsize=8.5, color=_INK)


def _legend(axes: Axes, columns: int) -> None:
    axes.legend(fontsize=8, frameon=False, ncols=columns, loc='lower left',
                bbox_to_anchor=(-.01, 1.), borderaxespad=.2, handlelength=1.4,
                columnspacing=1.2)


def error_over_frames(frames: Sequence[FrameScore], floor: float | None) -> bytes:
    """
    Plot AbsRel of every frame in order, one line a column.

    :param floor: median-scaled AbsRel of the constant floor, drawn as a level.
    """
    figure, axes = _figure(5.2, 2.6)
    x = np.arange(1, len(frames) + 1)
    marker = 'o' if len(frames) <= _FEW else ''
    for column in COLUMNS:
        axes.plot(x, [frame.columns[column].abs_rel for frame in frames],
                  color=COLOURS[column], linewidth=1.2, marker=marker, markersize=2.5,
                  label=COLUMN_TITLES[column])
    if floor is not None:
        axes.axhline(floor, color=FLOOR_COLOUR, linewidth=1, linestyle=(0, (4, 3)),
                     label='constant floor (mean)')
    axes.set_ylim(bottom=0)
    axes.margins(x=.01)
    _label(axes, 'scored frame, in order', 'AbsRel')
    _legend(axes, 4)
    return _png(figure)


def ratio_over_frames(frames: Sequence[FrameScore], site_factor: float) -> bytes:
    """Plot each frame's median(reference) / median(prediction): how the scale drifts."""
    figure, axes = _figure(5.2, 2.6)
    x = np.arange(1, len(frames) + 1)
    axes.plot(x, [frame.ratio for frame in frames], color=COLOURS['median_scaled'],
              linewidth=1.2, marker='o' if len(frames) <= _FEW else '', markersize=2.5,
              label="frame's ratio")
    axes.axhline(site_factor, color=COLOURS['site_scaled'], linewidth=1.2,
                 label=f'site factor {site_factor:.3f}')
    axes.axhline(1, color=FLOOR_COLOUR, linewidth=1, linestyle=(0, (4, 3)),
                 label='right scale')
    axes.margins(x=.01, y=.15)
    _label(axes, 'scored frame, in order', 'reference / prediction')
    _legend(axes, 3)
    return _png(figure)


def error_by_range(ranges: Sequence[Mapping[str, Any]]) -> bytes:
    """
    Plot pooled AbsRel by range of reference depth, with the share of pixels.

    :param ranges: as in the JSON.
    """
    figure, axes = _figure(5.2, 2.6)
    total = sum(part['pixels'] for part in ranges) or 1
    places = np.arange(len(ranges))
    for shift, column in zip((-.27, 0, .27), COLUMNS, strict=True):
        values = [part[column]['abs_rel'] if part[column]['abs_rel'] is not None else 0
                  for part in ranges]
        bars = axes.bar(places + shift, values, .25, color=COLOURS[column],
                        label=COLUMN_TITLES[column])
        axes.bar_label(bars, [f'{value:.2f}' if value else '' for value in values],
                       fontsize=7, color=_INK, padding=1)
    axes.set_xticks(places, [f'{part["from"]:g}–{part["to"]:g} m\n'
                             f'{part["pixels"] / total:.0%} of pixels' for part in ranges])
    axes.margins(y=.12)
    _label(axes, '', 'AbsRel')
    _legend(axes, 3)
    return _png(figure)


def density(counts: NDArray[np.float64], edges: NDArray[np.float64]) -> bytes:
    """
    Plot prediction over reference, both logarithmic, as a density.

    :param counts: pixels by (reference, prediction).
    :param edges: of the bins of both, metres.
    """
    figure, axes = _figure(5.2, 4.1)
    axes.grid(visible=False)
    shown = np.ma.masked_equal(counts.T, 0)
    peak = float(counts.max()) or 1.
    mesh = axes.pcolormesh(edges, edges, shown, cmap='viridis',
                           norm=LogNorm(peak / 1e3, peak, clip=True), rasterized=True)
    low, high = float(edges[0]), float(edges[-1])
    for factor, style in ((1, '-'), (1.25, (0, (4, 3))), (1 / 1.25, (0, (4, 3)))):
        axes.plot([low, high], [low * factor, high * factor], color='#111', linewidth=.9,
                  linestyle=style)
    axes.set_xscale('log')
    axes.set_yscale('log')
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect('equal')
    marks = ticks(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(marks, [f'{mark:g}' for mark in marks])
        axis.set_ticks([], minor=True)
    _label(axes, 'reference, m', 'prediction (raw), m')
    bar = figure.colorbar(mesh, ax=axes, shrink=.6, pad=.02, aspect=24)
    bar.set_ticks([peak / 1e3, peak], labels=['few', 'many pixels'])
    bar.ax.tick_params(labelsize=8, length=0, which='both')
    bar.outline.set_visible(False)
    return _png(figure)


def age_over_frames(ages: Sequence[float]) -> bytes:
    """Plot the age of each depth image at its arrival, milliseconds, with its median."""
    figure, axes = _figure(5.2, 2.6)
    axes.plot(np.arange(1, len(ages) + 1), ages, color=COLOURS['median_scaled'], linewidth=1.2,
              marker='o' if len(ages) <= _FEW else '', markersize=2.5, label='age')
    middle = float(np.median(ages))
    axes.axhline(middle, color=FLOOR_COLOUR, linewidth=1, linestyle=(0, (4, 3)),
                 label=f'median {middle:.1f} ms')
    axes.set_ylim(bottom=0)
    axes.margins(x=.01)
    _label(axes, 'processed frame, in order', 'ms from stamp to arrival')
    _legend(axes, 2)
    return _png(figure)


def latency_bars(latency: Mapping[str, Mapping[str, float]]) -> bytes:
    """Plot p50, p95 and p99 of every stage, milliseconds."""
    figure, axes = _figure(5.2, 2.6)
    stages = list(latency)
    places = np.arange(len(stages))
    shades = {'p50': '#1f6f8b', 'p95': '#7fb3c6', 'p99': '#c9dfe7'}
    for shift, (rank, shade) in zip((-.27, 0, .27), shades.items(), strict=True):
        values = [latency[stage][rank] for stage in stages]
        bars = axes.bar(places + shift, values, .25, color=shade, label=rank)
        axes.bar_label(bars, [f'{value:.0f}' if value >= 10 else f'{value:.1f}'
                              for value in values], fontsize=7, color=_INK, padding=1)
    axes.set_xticks(places, stages)
    axes.margins(y=.12)
    _label(axes, '', 'ms a frame')
    _legend(axes, 3)
    return _png(figure)
