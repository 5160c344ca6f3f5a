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

"""
Write the tables of ``mde benchmark`` into a page, from the JSON that it left.

    .venv/bin/python benchmark/benchmark_page.py results/benchmark_*.json --markdown PAGE

Reports of one scenario with the same settings become one table: seeds or methods that were run
at another time, or on another machine.
"""

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import statistics
from typing import Any

from mde_ros.benchmarks.summary import summarise
from mde_ros.benchmarks.tables import cells, column_of, format_share, HEADINGS
from mde_ros.evaluation.result_tables import COLUMN_TITLES

BEGIN, END = '<!-- results -->', '<!-- end of results -->'
ALL = 'all scenarios'
RATIOS = ('source_only', 'best_predecessor', 'lfda')


def row(values: Sequence[str]) -> str:
    """Return one line of a Markdown table."""
    return '| ' + ' | '.join(values) + ' |'


def target_lines(target: str, methods: dict[str, Any]) -> list[str]:
    """Return the table of one target."""
    entry = next(iter(methods.values()))
    title = COLUMN_TITLES[column_of(entry)]
    return [f"**{target}**, input {entry['input']}", '',
            row([heading.format(title) for heading in HEADINGS]),
            row(['---', *['---:'] * (len(HEADINGS) - 1)]),
            *(row(cells(method, numbers)) for method, numbers in methods.items()), '']


def mean_lines(means: dict[str, dict[str, Any]]) -> list[str]:
    """Return the table of ratios over all scenarios: geometric means of those of the targets."""
    methods = [name for name in next(iter(means.values())) if all(
        name in mean for mean in means.values())]
    scenarios = [*means, *([ALL] if len(means) > 1 else [])]
    headings = ['method', *(f'{scenario}: vs {other.replace("_", " ")}' for scenario in scenarios
                            for other in RATIOS), *(f'{s}: gap closed' for s in means)]
    lines = [row(headings), row(['---', *['---:'] * (len(headings) - 1)])]
    for method in methods:
        ratios = [[mean[method][f'ratio_to_{other}']['raw'] for other in RATIOS]
                  for mean in means.values()]
        if ALL in scenarios:
            ratios.append([geometric_mean(column) for column in zip(*ratios)])
        lines.append(row([method, *('-' if one is None else f'{one:.2f}'
                                    for part in ratios for one in part), *(
            format_share(mean[method]['gap_closed']['raw']) for mean in means.values())]))
    return [*lines, '']


def geometric_mean(ratios: Sequence[float | None]) -> float | None:
    """Return the geometric mean, None where a ratio is missing."""
    known = [ratio for ratio in ratios if ratio is not None]
    return statistics.geometric_mean(known) if len(known) == len(ratios) else None


def joined(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Return one report a scenario, of the rows of all of its reports.

    :raises ValueError: for reports of one scenario that differ in size or settings, or have a
        row of the same target, method and seed.
    """
    found: dict[str, dict[str, Any]] = {}
    for report in reports:
        first = found.setdefault(report['scenario'], {**report, 'command': '', 'rows': []})
        different = [key for key in ('size', 'settings') if first.get(key) != report.get(key)]
        if different:
            raise ValueError(f"reports of {report['scenario']} differ in "
                             f"{' and '.join(different)}: they make no common table")
        cells_of = [(row['target'], row['method'], row['seed'])
                    for row in (*first['rows'], *report['rows'])]
        if twice := sorted({cell for cell in cells_of if cells_of.count(cell) > 1}):
            raise ValueError(f"reports of {report['scenario']} both have "
                             f"{' '.join(map(str, twice[0]))}: leave one out")
        first['command'] = '\n'.join(filter(None, (first['command'], report['command'])))
        first['rows'] = [*first['rows'], *report['rows']]
    return [{**report, 'summary': summarise(report['rows'])} for report in found.values()]


def page(reports: Sequence[dict[str, Any]]) -> str:
    """Return the Markdown of some reports."""
    lines: list[str] = []
    for report in reports:
        lines += [f"### {report['scenario']}, size {report['size']}", '', '```',
                  report['command'], '```', '']
        for target, methods in report['summary']['targets'].items():
            lines += target_lines(target, methods)
    lines += ['### Ratios', '', 'Abs Rel raw over that of another row; means over targets.', '',
              *mean_lines({report['scenario']: report['summary']['mean'] for report in reports})]
    return '\n'.join(lines)


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('reports', type=Path, nargs='+')
    parser.add_argument('--markdown', type=Path, required=True)
    arguments = parser.parse_args()
    text = arguments.markdown.read_text()
    try:
        found = page(joined([json.loads(path.read_text()) for path in arguments.reports]))
    except ValueError as error:
        parser.error(str(error))
    arguments.markdown.write_text(
        text[:text.index(BEGIN)] + f'{BEGIN}\n{found}\n' + text[text.index(END):])
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
