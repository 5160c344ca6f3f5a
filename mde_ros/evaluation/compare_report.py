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

"""A comparison as one self-contained page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation.report import encode
from mde_ros.evaluation.result_files import write_text
from mde_ros.evaluation.result_tables import COLUMN_TITLES, METRIC_HEADINGS
from mde_ros.evaluation.scaling import COLUMNS

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<title>{{ r.data.name }}: before and after</title>
<style>
 body { font: 15px/1.5 system-ui, sans-serif; color: #2b3038; margin: 2em auto;
        max-width: 1500px; padding: 0 1em }
 table { border-collapse: collapse } td, th { padding: .2em .9em; text-align: right }
 th { border-bottom: 1px solid #b5bac2; font-weight: 600 }
 td:first-child, td:nth-child(2) { text-align: left }
 .better { color: #1a7a3c } .worse, .broken { color: #b3261e } img { max-width: 100% }
 code { font-size: .9em }
</style>
<h1>{{ r.data.name }}: before and after</h1>
<p>{{ r.frames }} frames; before {{ r.before.model.id }}, after {{ r.after.model.id }}.</p>
{% if r.labels %}
<table><tr><th></th><th>metric</th><th>before</th><th>after</th><th>difference</th>
<th>95 % interval</th><th></th></tr>
{% for column in columns %}{% for name, heading, digits in metrics %}
{% set v = r[column][name] %}
<tr class="{{ v.verdict }}"><td>{{ titles[column] if loop.first }}</td><td>{{ heading }}</td>
<td>{{ v.before|digits(digits) }}</td><td>{{ v.after|digits(digits) }}</td>
<td>{{ v.difference|digits(digits, '+') }}</td>
<td>{{ v.interval_95[0]|digits(digits, '+') }} to {{ v.interval_95[1]|digits(digits, '+') }}</td>
<td>{{ v.verdict }}</td></tr>
{% endfor %}{% endfor %}</table>
<p>The interval is a bootstrap over frames, paired; frames of one place are alike, so that it says
nothing of other places.</p>
{% else %}
<p>No labels: {{ r.check.why }}</p>
<ul>{% for row in r.check.rows %}
<li class="{{ '' if row.kept else 'broken' }}">{{ row.line }}</li>{% endfor %}</ul>
{% endif %}
<img alt="frames before and after" src="{{ sheet }}">
<p><code>{{ r.command }}</code></p>
</html>
"""


def write_comparison(path: Path, fields: Mapping[str, Any], sheet: NDArray[np.uint8]) -> None:
    """
    Write the page.

    :param fields: as ``--json`` has them.
    :param sheet: of :func:`mde_ros.evaluation.compare_pictures.comparison_sheet`.
    :raises mde_ros.evaluation.result_files.OutputError: when the file cannot be written.
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    environment.filters['digits'] = lambda value, digits, sign='': (
        '–' if value is None else f'{value:{sign}.{digits}f}')
    write_text(path, environment.from_string(PAGE).render(
        r=fields, columns=COLUMNS, titles=COLUMN_TITLES, metrics=METRIC_HEADINGS,
        sheet=encode(sheet, 'jpg')))
