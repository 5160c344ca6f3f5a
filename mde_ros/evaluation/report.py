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

"""One self-contained HTML page of a result: tables, plots, pictures; no file beside it."""

import base64
from collections.abc import Mapping
import json
import math
from pathlib import Path
from typing import Any

import cv2
import jinja2
from markupsafe import Markup
import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation import plots
from mde_ros.evaluation.colour import colour_depth, colour_table, ticks
from mde_ros.evaluation.floors import FLOORS
from mde_ros.evaluation.material import drawn_range, ReportMaterial
from mde_ros.evaluation.result import EvaluationResult
from mde_ros.evaluation.result_files import write_text
from mde_ros.evaluation.result_tables import (
    COLUMN_TITLES, FLOOR_TITLES, format_metric, METRIC_HEADINGS, shown_protocol)
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.evaluation.scoring import FrameScore

# Relative error at which the colours of the error pictures end.
ERROR_END = .5


def write_report(path: Path, result: EvaluationResult, fields: Mapping[str, Any],
                 material: ReportMaterial | None) -> None:
    """
    Write the page.

    :param fields: the result as its JSON has it, with what the command added.
    :param material: pictures and density; None when only latency was measured.
    :raises mde_ros.evaluation.result_files.OutputError: when the file cannot be written.
    """
    write_text(path, render_report(result, fields, material))


def render_report(result: EvaluationResult, fields: Mapping[str, Any],
                  material: ReportMaterial | None) -> str:
    """Return the page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader('mde_ros.evaluation', '.'), autoescape=True,
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(
        metric=format_metric, percent=lambda value: f'{value:.1%}',
        number=lambda value: '–' if value is None else f'{value:.4g}')
    return environment.get_template('report.html.jinja').render(
        r=fields, columns=COLUMN_TITLES, floors=FLOOR_TITLES, floor_names=FLOORS,
        total_pixels=sum(part['pixels'] for part in fields.get('ranges', ())) or 1,
        column_names=COLUMNS, metrics=METRIC_HEADINGS, colours=plots.COLOURS,
        best=best_values(fields), plots=draw_plots(result, fields, material),
        pictures=draw_pictures(result, material), scales=draw_scales(fields['settings']),
        facts=facts(fields), protocol_line=shown_protocol(fields))


def best_values(fields: Mapping[str, Any]) -> dict[str, float]:
    """Return the best value of every metric over the three columns, to set it in bold."""
    if 'raw' not in fields:
        return {}
    found = {}
    for name, heading, _ in METRIC_HEADINGS:
        values = [fields[column][name] for column in COLUMNS if fields[column][name] is not None]
        if values:
            found[name] = max(values) if '↑' in heading else min(values)
    return found


def draw_plots(result: EvaluationResult, fields: Mapping[str, Any],
               material: ReportMaterial | None) -> dict[str, str]:
    """Return the plots that the result has, as data URIs."""
    found: dict[str, bytes] = {}
    ages = [frame['age'] for frame in result.timings.values() if 'age' in frame]
    if ages:
        found['latency'] = plots.age_over_frames(ages)
    elif fields['latency_ms']:
        found['latency'] = plots.latency_bars(fields['latency_ms'])
    if result.scores:
        floor = fields['floors']['constant']['median_scaled']
        found['frames'] = plots.error_over_frames(
            result.scores.frames, floor['abs_rel'] if floor else None)
        found['ratio'] = plots.ratio_over_frames(
            result.scores.frames, result.scores.scale.site_factor)
        found['ranges'] = plots.error_by_range(fields['ranges'])
    if material:
        found['density'] = plots.density(material.density, material.edges)
    return {name: data_uri(data, 'png') for name, data in found.items()}


def draw_pictures(result: EvaluationResult,
                  material: ReportMaterial | None) -> list[dict[str, Any]]:
    """Return the best, the median and the worst frame by median-scaled AbsRel."""
    if not (material and result.scores):
        return []
    ranked = sorted((frame for frame in result.scores.frames if frame.name in material),
                    key=lambda frame: frame.columns['median_scaled'].abs_rel)
    places = {'best': 0, 'median': len(ranked) // 2, 'worst': len(ranked) - 1}
    # One frame is shown once, under its first title.
    chosen = {place: title for title, place in reversed(places.items()) if ranked}
    low, high = float(material.edges[0]), float(material.edges[-1])
    return [draw_row(chosen[place], ranked[place], material, low, high)
            for place in sorted(chosen)]


def draw_row(title: str, frame: FrameScore, material: ReportMaterial, low: float,
             high: float) -> dict[str, Any]:
    """Return one frame's pictures: image, reference, prediction, errors raw and scaled."""
    picture = material.picture(frame.name)
    truth = picture.truth.copy()
    with np.errstate(invalid='ignore'):
        truth[~((truth > low) & (truth < high))] = np.nan
    scaled = picture.prediction * np.float32(frame.ratio)
    return {
        'title': title, 'name': frame.name, 'ratio': frame.ratio,
        'raw': frame.columns['raw'].abs_rel, 'scaled': frame.columns['median_scaled'].abs_rel,
        'images': [
            encode(picture.image, 'jpg'), encode(colour_depth(truth, low, high), 'png'),
            encode(colour_depth(picture.prediction, low, high), 'png'),
            encode(colour_error(picture.prediction, truth, low, high), 'png'),
            encode(colour_error(scaled, truth, low, high), 'png')]}


def colour_error(prediction: NDArray[np.float32], truth: NDArray[np.float32], low: float,
                 high: float) -> NDArray[np.uint8]:
    """
    Return the signed relative error as h x w x 3 RGB: red too far, blue too near.

    White is right, the colours end at plus and minus 50 %, dark grey has no reading.
    """
    with np.errstate(invalid='ignore'):
        error = (np.clip(prediction, low, high) - truth) / truth
    known = np.isfinite(error)
    index = np.zeros(error.shape, np.uint8)
    index[known] = np.rint(
        (np.clip(error[known], -ERROR_END, ERROR_END) / ERROR_END + 1) * 127).astype(np.uint8)
    found = error_table()[index]
    found[~known] = 48
    return found


def error_table() -> NDArray[np.uint8]:
    """Return 255 x 3 RGB from blue over white (entry 127) to red."""
    anchors = np.array([[20, 60, 130], [90, 150, 210], [250, 250, 250], [225, 110, 80],
                        [130, 15, 30]], np.float64)
    steps = np.arange(255) / 254 * (len(anchors) - 1)
    return np.rint(np.stack([
        np.interp(steps, range(len(anchors)), anchors[:, channel]) for channel in range(3)],
        axis=1)).astype(np.uint8)


def draw_scales(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the colour bars with their ticks as percent of their length."""
    low, high = drawn_range(settings['min_depth'], settings['max_depth'])
    span = math.log(high / low)
    return {
        'depth': {'bar': encode(colour_table()[None, :0:-1], 'png'), 'ticks': [
            (f'{tick:g}', 100 * math.log(tick / low) / span) for tick in ticks(low, high)]},
        'error': {'bar': encode(error_table()[None], 'png'), 'ticks': [
            (f'{share:+.0%}' if share else '0', 50 + 50 * share / ERROR_END)
            for share in (-.5, -.25, 0, .25, .5)]}}


def facts(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the numbers were measured with, as rows."""
    rows = [('data', fields['data']), ('model', fields['model']),
            ('protocol', fields.get('protocol')), ('settings', fields['settings']),
            ('machine', fields.get('machine')), ('versions', fields.get('versions'))]
    found = [(name, _flat(value)) for name, value in rows if value]
    if 'peak_memory_mb' in fields:
        found.append(('peak memory', f'{fields["peak_memory_mb"]:.0f} MB'))
    return found + [(name, str(fields[name])) for name in ('command', 'finished')
                    if fields.get(name)]


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ', '.join(f'{key} {_flat(item)}' for key, item in value.items()
                         if item is not None and item is not False)
    return value if isinstance(value, str) else json.dumps(value)


def encode(image: NDArray[np.uint8], form: str) -> str:
    """Return RGB pixels as a data URI, 'png' or 'jpg'."""
    _, data = cv2.imencode(f'.{form}', np.ascontiguousarray(image[..., ::-1]))
    return data_uri(data.tobytes(), {'jpg': 'jpeg'}.get(form, form))


def data_uri(data: bytes, kind: str) -> Markup:
    """Return bytes of an image as the address of an img element."""
    return Markup(f'data:image/{kind};base64,' + base64.b64encode(data).decode())
