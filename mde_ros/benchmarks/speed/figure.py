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

"""The plot of a speed benchmark: contenders, stages by camera, and the limits."""

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, BAR, LIMIT = '#2b3038', '#3b6ea8', '#c0392b'
STAGE_COLOURS = {'decode': '#9aa5b1', 'resize': '#5fa55a', 'network': '#3b6ea8',
                 'upsample': '#8e6bbf', 'depth message': '#d8a13c', 'cloud': '#c0632b'}


def speed_figure(report: dict[str, Any]) -> bytes:
    """Return a PNG: milliseconds of every contender and of every stage of a frame."""
    figure = Figure(figsize=(9, 6.5), dpi=130, layout='constrained')
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1)
    _contenders(upper, report['networks'][0])
    _frames(lower, report['frames'])
    stream = io.BytesIO()
    figure.savefig(stream, format='png')
    return stream.getvalue()


def _contenders(axes: Any, row: dict[str, Any]) -> None:
    names = sorted(row['contenders'], key=lambda name: -row['contenders'][name]['ms']['p50'])
    times = [row['contenders'][name]['ms']['p50'] for name in names]
    bars = axes.barh(names, times, color=BAR)
    axes.bar_label(bars, [
        f"{time:.1f} ms, {row['contenders'][name]['times_as_fast_as_torch']:.2g}x torch eager"
        for name, time in zip(names, times, strict=True)], fontsize=7, color=INK, padding=3)
    axes.axvline(row['least_ms'], color=LIMIT, linestyle='--', linewidth=1)
    axes.annotate(f"{row['gmacs']:.2f} GMAC at the machine's {row['roofline']['gmacs']:.0f} "
                  'GMAC/s in float32', (row['least_ms'], len(names) - .45), fontsize=7,
                  color=LIMIT)
    axes.set_ylim(-.6, len(names) + .2)
    axes.set_xscale('log')
    axes.set_xlim(min(row['least_ms'], min(times)) / 2, max(times) * 6)
    axes.set_title(f"network, {row['input']}, {row['threads']} threads: ms of one run (median)",
                   fontsize=9, loc='left')
    axes.tick_params(labelsize=7)


def _frames(axes: Any, frames: list[dict[str, Any]]) -> None:
    names = [f"{frame['camera']} {frame['encoding']}" for frame in frames]
    left = [0.] * len(frames)
    for stage, colour in STAGE_COLOURS.items():
        widths = [frame['stages_ms'][stage]['p50'] for frame in frames]
        axes.barh(names, widths, left=left, color=colour, label=stage)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for place, (frame, end) in enumerate(zip(frames, left, strict=True)):
        axes.annotate(f"  {frame['share_without_network']:.0%} is not the network", (end, place),
                      va='center', fontsize=7, color=INK)
    axes.set_xlim(0, max(left) * 1.25)
    axes.invert_yaxis()
    axes.legend(fontsize=7, ncols=6, loc='upper center', bbox_to_anchor=(.5, -.08), frameon=False)
    axes.set_title("the frame's way by camera, without DDS: ms (median)", fontsize=9, loc='left')
    axes.tick_params(labelsize=7)
