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

"""The tables of a network search in Markdown."""

from collections.abc import Sequence
from typing import Any

from mde_ros.benchmarks.summary import ERROR
from mde_ros.benchmarks.tables import format_spread


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    return ['| ' + ' | '.join(row) + ' |' for row in (
        headings, ('---', *['---:'] * (len(headings) - 1)), *rows)] + ['']


def candidate_lines(report: dict[str, Any]) -> list[str]:
    """Return the table of the candidates, the fastest first."""
    judge_by = report['judged_by']
    found = sorted(report['candidates'].items(),
                   key=lambda item: item[1]['latency'][judge_by]['p50'])
    backends = list(found[0][1]['latency'])
    rows = [[
        f'**{name}**' if one['shipped'] else name, f"{one['gmacs']:.2f}",
        f"{one['parameters'] / 1e6:.2f} M",
        *(f"{one['latency'][key]['p50']:.1f}" for key in backends),
        f"{one['latency'][judge_by]['ratio']:.2f}", format_spread(one['raw'][ERROR]),
        format_spread(one['median_scaled'][ERROR]), format_spread(one['raw']['delta1']),
        *('front' if name in report['front'][judge_by][column]
          else f"{one['excess'][judge_by][column]:.2f}" for column in ('raw', 'median_scaled'))]
        for name, one in found]
    return table(['network', 'GMACs', 'parameters', *(f'ms {key}' for key in backends), 'x base',
                  'Abs Rel raw', 'median-scaled', 'delta1 raw', 'x front, raw',
                  'x front, median-scaled'], rows)


def size_lines(report: dict[str, Any]) -> list[str]:
    """Return the table of the input sizes; errors are raw / median-scaled."""
    def pair(errors: dict[str, Any]) -> str:
        return ' / '.join(f'{errors[column][ERROR]:.3f}' for column in ('raw', 'median_scaled'))

    key, sizes = report['judged_by'], report['input_sizes']
    rows = [[f"**{one['input']}**" if one['shipped'] else one['input'], f"{one['gmacs']:.2f}",
             f"{one['latency'][key]['p50']:.1f}", f"{one['latency'][key]['ratio']:.2f}",
             *(map(pair, (one['mean'], *one['sets'].values())) if one['sets'] else ())]
            for one in sizes]
    return table(['input', 'GMACs', f'ms {key}', 'x usual', *(
        ('mean', *sizes[0]['sets']) if sizes[0]['sets'] else ())], rows)


def page(report: dict[str, Any], picture: str) -> str:
    """Return the Markdown of a report; ``picture`` is the way to the plot, '' for none."""
    settings = report['settings']
    seeds = ', '.join(map(str, report['seeds']))
    made = (
        f"Networks at {settings['input']}, trained for {settings['steps']} steps of "
        f"{settings['batch']} images of {settings['size']} from {settings['start']}, seeds "
        f"{seeds}; scored on {settings['scored_frames']} frames of rooms that none has seen. "
        '`x front` is Abs Rel over the least of all networks that take no longer in '
        f"{report['judged_by']}; names are encoder width, decoder, and its channels where they "
        'are not the usual ones.')
    return '\n'.join([
        '```', report['command'], '```', '',
        made, '', *candidate_lines(report),
        f"Input sizes of `{report['model']}`, Abs Rel raw / median-scaled:", '',
        *size_lines(report), *([f'![Abs Rel against latency]({picture})', ''] if picture else [])])
