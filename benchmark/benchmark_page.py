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

r"""
Write the tables of ``mde benchmark`` into a page, from the JSON that it left.

    .venv/bin/python benchmark/benchmark_page.py results/benchmark_*.json --markdown PAGE \
        --parts results/ablation_*.json --plots docs/images

Reports of one scenario with the same settings become one table: seeds or methods that were run
at another time, or on another machine. Each run trains source_only, which all ratios need: that of
the first report is kept. Reports of ``--parts`` are ablations: each gets a table of its own.
``--plots`` writes benchmark_SCENARIO.png of all but those.
"""

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import statistics
from typing import Any

from mde_ros.adaptation.config_file import method_file
from mde_ros.benchmarks.figures import error_bars
from mde_ros.benchmarks.methods import ORACLE, SOURCE_ONLY
from mde_ros.benchmarks.summary import errors_by_seed, ratio, summarise
from mde_ros.benchmarks.tables import cells, column_of, format_share, format_spread, HEADINGS
from mde_ros.evaluation.result_tables import COLUMN_TITLES

BEGIN, END = '<!-- results -->', '<!-- end of results -->'
ALL = 'all scenarios'
# A row whose name goes on from one of these leaves a part of it out, or changes it.
WHOLE = ('site', 'lfda')
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


def about(method: str) -> str:
    """Return the first sentence of the comment in the file of a method."""
    path = method_file(method)
    comment = ' '.join(line[1:].strip() for line in path.read_text().splitlines()
                       if line.startswith('#')) if path else ''
    return comment.split('. ')[0].rstrip('.')


def parts_lines(report: dict[str, Any]) -> list[str]:
    """Return the tables of an ablation: each row against the whole method, by seed."""
    lines = [f"### {report['scenario']}: parts and variants, size {report['size']}", '', '```',
             report['command'], '```', '']
    for target, methods in report['summary']['targets'].items():
        rows = [one for one in report['rows'] if one['target'] == target]
        lines += [f'**{target}**', '',
                  row(['row', 'what it is', 'seeds', 'Abs Rel raw', 'median-scaled',
                       'of source only', 'of the whole method: raw', 'median-scaled']),
                  row(['---', '---', *['---:'] * 6])]
        for method, entry in methods.items():
            whole = next((name for name in WHOLE if method.startswith(f'{name}_')), '')
            against = [ratio(*(errors_by_seed(rows, name, column) for name in (method, whole)))
                       for column in ('raw', 'median_scaled')] if whole in methods else []
            lines.append(row([
                method, about(method), str(len(entry['seeds'])),
                *(format_spread(entry[column]['abs_rel']) for column in ('raw', 'median_scaled')),
                format_spread(entry['ratio_to_source_only']['raw'], 2),
                *(format_spread(one, 2) for one in against or (None, None))]))
        lines.append('')
    return lines


def joined(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Return one report a scenario, of the rows of all of its reports.

    A source_only that an earlier report has too is left out.

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
        there = {cell_of(row) for row in first['rows']}
        rows = [row for row in report['rows']
                if row['method'] != SOURCE_ONLY or cell_of(row) not in there]
        cells_of = [cell_of(row) for row in (*first['rows'], *rows)]
        if twice := sorted({cell for cell in cells_of if cells_of.count(cell) > 1}):
            raise ValueError(f"reports of {report['scenario']} both have "
                             f"{' '.join(map(str, twice[0]))}: leave one out")
        first['command'] = '\n'.join(filter(None, (first['command'], report['command'])))
        # The upper bound stays the last line.
        first['rows'] = sorted([*first['rows'], *rows], key=lambda one: one['method'] == ORACLE)
    return [{**report, 'summary': summarise(report['rows'])} for report in found.values()]


def cell_of(row: dict[str, Any]) -> tuple[str, str, int]:
    """Return what names a row among those of its scenario."""
    return row['target'], row['method'], row['seed']


def page(reports: Sequence[dict[str, Any]], parts: Sequence[dict[str, Any]] = ()) -> str:
    """Return the Markdown of some reports, and of ablations."""
    lines: list[str] = []
    for report in reports:
        lines += [f"### {report['scenario']}, size {report['size']}", '', '```',
                  report['command'], '```', '']
        for target, methods in report['summary']['targets'].items():
            lines += target_lines(target, methods)
    lines += ['### Ratios', '', 'Abs Rel raw over that of another row; means over targets.', '',
              *mean_lines({report['scenario']: report['summary']['mean'] for report in reports})]
    for report in parts:
        lines += parts_lines(report)
    return '\n'.join(lines)


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('reports', type=Path, nargs='+')
    parser.add_argument('--parts', type=Path, nargs='+', default=[], metavar='REPORT',
                        help='ablations, each a table of its own')
    parser.add_argument('--plots', type=Path, metavar='DIR', help='folder for one plot a scenario')
    parser.add_argument('--markdown', type=Path, required=True)
    arguments = parser.parse_args()
    text = arguments.markdown.read_text()
    try:
        reports, parts = (joined([json.loads(path.read_text()) for path in paths])
                          for paths in (arguments.reports, arguments.parts))
    except ValueError as error:
        parser.error(str(error))
    if arguments.plots:
        arguments.plots.mkdir(parents=True, exist_ok=True)
        for report in reports:
            path = arguments.plots / f"benchmark_{report['scenario']}.png"
            path.write_bytes(error_bars(report['scenario'], report['summary']))
    found = page(reports, parts)
    arguments.markdown.write_text(
        text[:text.index(BEGIN)] + f'{BEGIN}\n{found}\n' + text[text.index(END):])
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
