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

"""The pictures of a benchmark: error bars by method, and depth side by side."""

import io
from pathlib import Path
from typing import Any

import cv2
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

from mde_ros.benchmarks.summary import ERROR
from mde_ros.evaluation.colour import colour_depth
from mde_ros.evaluation.plots import COLOURS
from mde_ros.evaluation.result_tables import COLUMN_TITLES
from mde_ros.evaluation.scaling import COLUMNS

TILE, GAP, TITLE, MARGIN = 160, 4, 20, 6
INK = '#2b3038'


def error_bars(scenario: str, summary: dict[str, Any]) -> bytes:
    """
    Plot Abs Rel of every method, one panel a target, as PNG.

    Bars are means over seeds, lines the standard deviation; dashed is source only, raw.
    """
    targets = summary['targets']
    rows = max(len(methods) for methods in targets.values())
    figure = Figure(figsize=(max(5., .95 * rows + 1.5), .4 + 2.5 * len(targets)), dpi=150,
                    layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(targets), 1, squeeze=False)[:, 0]
    for axes, (target, methods) in zip(panels, targets.items(), strict=True):
        places = np.arange(len(methods))
        for shift, column in zip((-.27, 0, .27), COLUMNS, strict=True):
            entries = [entry[column][ERROR] for entry in methods.values()]
            bars = axes.bar(
                places + shift, [entry['mean'] for entry in entries], .25, color=COLOURS[column],
                label=COLUMN_TITLES[column], ecolor=INK, capsize=2,
                yerr=[entry['spread'] or np.nan for entry in entries], error_kw={'linewidth': .9})
            axes.bar_label(bars, [f"{entry['mean']:.2f}" for entry in entries], fontsize=6,
                           color=INK, padding=1)
        if source := methods.get('source_only'):
            axes.axhline(source['raw'][ERROR]['mean'], color=INK, linewidth=.8,
                         linestyle=(0, (4, 3)))
        axes.set_xticks(places, [
            name.replace('_', '\n', 1) + ('\n(target labels)' if entry['target_labels'] else '')
            for name, entry in methods.items()])
        axes.tick_params(colors=INK, labelsize=7, length=3)
        axes.spines[['top', 'right']].set_visible(False)
        axes.grid(axis='y', color='#e6e8ec', linewidth=.8)
        axes.set_axisbelow(True)
        axes.margins(y=.15)
        axes.set_ylabel('Abs Rel', fontsize=8, color=INK)
        axes.set_title(f'{scenario}: {target}', fontsize=9, color=INK, loc='left', pad=18)
        axes.legend(fontsize=7, frameon=False, ncols=3, loc='lower left',
                    bbox_to_anchor=(-.01, 1.), borderaxespad=.2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', metadata={'Software': None})
    return buffer.getvalue()


def picture_sheet(examples: dict[str, Path]) -> bytes | None:
    """
    Return a JPEG: a row an example frame; image, truth and the depth of each method.

    One colour scale a row, that of its truth: near warm, far cold, black no reading. Depth is
    raw, so a wrong scale shows as another colour.

    :param examples: .npz files of scoring.py by method.
    """
    loaded = {}
    for name, path in examples.items():
        with np.load(path) as arrays:
            if 'images' in arrays:
                loaded[name] = {key: arrays[key] for key in arrays}
    if not loaded:
        return None
    first = next(iter(loaded.values()))
    height = round(TILE * first['images'].shape[1] / first['images'].shape[2])
    rows = []
    for index, image in enumerate(first['images']):
        truth = first['truths'][index].astype(np.float32)
        low, high = _limits(truth)
        rows.append([_tile(image, height), *(
            _tile(colour_depth(depth.astype(np.float32), low, high), height)
            for depth in (truth, *(one['depths'][index] for one in loaded.values())))])
    return _assemble(rows, ['image', 'truth', *loaded], height)


def _limits(truth: NDArray[np.float32]) -> tuple[float, float]:
    known = truth[np.isfinite(truth) & (truth > 0)]
    if not known.size:
        return .3, 10.
    low, high = (float(value) for value in np.quantile(known, (.01, .99)))
    return low, max(high, low * 1.1)


def _tile(image: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    shrinks = image.shape[1] > TILE
    return np.asarray(cv2.resize(image, (TILE, height), interpolation=(
        cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)), np.uint8)


def _assemble(rows: list[list[NDArray[np.uint8]]], titles: list[str], height: int) -> bytes:
    wide = 2 * MARGIN + len(titles) * (TILE + GAP) - GAP
    high = MARGIN + TITLE + len(rows) * (height + GAP) - GAP + MARGIN
    sheet = np.full((high, wide, 3), 255, np.uint8)
    for place, title in enumerate(titles):
        cv2.putText(sheet, title, (MARGIN + place * (TILE + GAP), MARGIN + 12),
                    cv2.FONT_HERSHEY_SIMPLEX, .42, (43, 48, 56), 1, cv2.LINE_AA)
        for line, row in enumerate(rows):
            top, left = MARGIN + TITLE + line * (height + GAP), MARGIN + place * (TILE + GAP)
            sheet[top:top + height, left:left + TILE] = row[place]
    return bytes(cv2.imencode('.jpg', cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR),
                              [cv2.IMWRITE_JPEG_QUALITY, 93])[1])
