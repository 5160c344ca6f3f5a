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

"""The tables of a benchmark for people."""

from typing import Any

from rich.table import Table

from mde_ros.benchmarks.summary import ERROR
from mde_ros.evaluation.result_tables import COLUMN_TITLES

LEFT = ('method',)
HEADINGS = (
    'method', 'seeds', 'Abs Rel raw', 'site-scaled', 'median-scaled', 'RMSE {}', 'delta1 {}',
    'vs source only', 'vs best predecessor', 'vs lfda', 'gap closed', 'GMACs',
    'parameters', 'training s')


def format_spread(entry: dict[str, Any] | None, digits: int = 3) -> str:
    """Return 'mean ± spread', the mean alone for one seed, '-' without a value."""
    if entry is None or entry['mean'] is None:
        return '-'
    text = f"{entry['mean']:.{digits}f}"
    return text if entry['spread'] is None else f"{text} ± {entry['spread']:.{digits}f}"


def format_share(value: float | None) -> str:
    """Return a share in percent."""
    return '-' if value is None else f'{value:.0%}'


def column_of(entry: dict[str, Any]) -> str:
    """Return the column of a row or summary that counts: the protocol's, raw without one."""
    return str((entry.get('protocol') or {'column': 'raw'})['column'])


def cells(method: str, entry: dict[str, Any]) -> list[str]:
    """Return one row of a target's table."""
    main = column_of(entry)
    best = entry['ratio_to_best_predecessor'].get(main)
    return [
        method + (' (target labels)' if entry['target_labels'] else ''),
        str(len(entry['seeds'])),
        *(format_spread(entry[column].get(ERROR))
          for column in ('raw', 'site_scaled', 'median_scaled')),
        format_spread(entry[main].get('rmse')), format_spread(entry[main].get('delta1')),
        format_spread(entry['ratio_to_source_only'][main], 2),
        '-' if best is None else f"{format_spread(best, 2)} ({best['of']})",
        format_spread(entry['ratio_to_lfda'][main], 2),
        format_share(entry['gap_closed'][main]),
        f"{entry['gmacs'][entry['input']]:.2f}", f"{entry['parameters'] / 1e6:.2f} M",
        format_spread(entry['seconds'], 0)]


def target_table(scenario: str, target: str, methods: dict[str, Any]) -> Table:
    """Return the table of one target."""
    entry = next(iter(methods.values()))
    main = COLUMN_TITLES[column_of(entry)]
    title = f"{scenario}: {target}, scored at input {entry['input']}"
    if protocol := entry.get('protocol'):
        title += f", protocol {protocol['name']} ({main})"
    table = Table(title=title)
    for heading in HEADINGS:
        table.add_column(heading.format(main), justify='left' if heading in LEFT else 'right')
    for method, numbers in methods.items():
        table.add_row(*cells(method, numbers))
    return table


def mean_table(scenario: str, methods: dict[str, Any]) -> Table:
    """Return the table of ratios and gaps over all targets."""
    table = Table(title=f'{scenario}: over all targets')
    columns = ('raw', 'site_scaled', 'median_scaled')
    for heading in ('method', *(f'{name} {column}' for name in (
            'vs source only', 'vs best predecessor', 'vs lfda') for column in columns),
            'gap closed'):
        table.add_column(heading, justify='left' if heading in LEFT else 'right')
    for method, entry in methods.items():
        ratios = [entry[f'ratio_to_{other}'][column]
                  for other in ('source_only', 'best_predecessor', 'lfda') for column in columns]
        table.add_row(method, *('-' if value is None else f'{value:.2f}' for value in ratios),
                      format_share(entry['gap_closed']['raw']))
    return table


def tables(scenario: str, summary: dict[str, Any]) -> list[Table]:
    """Return the tables of a scenario, the one over the targets last where there are several."""
    found = [target_table(scenario, name, methods)
             for name, methods in summary['targets'].items()]
    if len(found) > 1:
        found.append(mean_table(scenario, summary['mean']))
    return found
