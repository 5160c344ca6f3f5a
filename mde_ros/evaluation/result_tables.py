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

"""The result as rich tables for a terminal."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from mde_ros.evaluation.floors import FLOORS
from mde_ros.evaluation.scaling import COLUMNS

# Name in the JSON, heading with the direction of better, digits.
METRIC_HEADINGS = (
    ('abs_rel', 'AbsRel ↓', 3), ('sq_rel', 'SqRel ↓', 3), ('rmse', 'RMSE ↓', 3),
    ('rmse_log', 'RMSElog ↓', 3), ('log10', 'log10 ↓', 3), ('silog', 'SILog ↓', 1),
    ('delta1', 'δ1 ↑', 3), ('delta2', 'δ2 ↑', 3), ('delta3', 'δ3 ↑', 3))
COLUMN_TITLES = {'raw': 'raw', 'site_scaled': 'site-scaled', 'median_scaled': 'median-scaled'}
FLOOR_TITLES = {'constant': 'constant', 'row_prior': 'row prior'}


def format_metric(value: float | None, digits: int = 3) -> str:
    """Return a metric as text, a dash when it was not measured."""
    return '–' if value is None else f'{value:.{digits}f}'


def shown_protocol(result: Mapping[str, Any]) -> str:
    """Return the table row of a result's protocol, '' without one; * marks its column."""
    protocol = result.get('protocol')
    if not protocol:
        return ''
    flip = protocol['flip'] or result['settings'].get('flip')
    cells = [
        f'crop {protocol["crop"]}', f'{protocol["minimum"]:g} to {protocol["maximum"]:g} m',
        f'scaling {protocol["scaling"].replace("_", " ")} (*)',
        f'flip averaging {"yes" if flip else "no"}',
        f'upsampling {protocol["upsampling"]}', f'reference {protocol["truth"]}',
        f'as in {protocol["code"]}']
    if protocol['input_crop'] != 'none':
        cells.insert(0, f'input {protocol["input_crop"]}')
    return f'protocol {protocol["name"]}: ' + ', '.join(cells)


class ResultTables:
    """
    Tables of a result: print it with a rich Console.

    :param result: as :meth:`EvaluationResult.to_dict` gives it.
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        self._result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the tables that the result has."""
        yield Group(*self._parts())

    def _parts(self) -> list[RenderableType]:
        result = self._result
        parts: list[RenderableType] = []
        if 'raw' in result:
            parts += [*self._metrics(), *self._ranges()]
        if 'live' in result:
            parts += self._live()
        elif result['latency_ms']:
            parts += self._latency()
        return [*parts, self._summary()]

    def _metrics(self) -> list[RenderableType]:
        result = self._result
        # Narrow enough for 80 columns: log10 and the arrows are in the report.
        table = _table()
        for name, heading, _ in METRIC_HEADINGS:
            if name != 'log10':
                table.add_column(heading.split()[0], justify='right', no_wrap=True)
        for name in COLUMNS:
            table.add_row(self._title(name), *_cells(result[name]), style=self._style(name))
        table.add_section()
        for floor in FLOORS:
            for name in COLUMNS:
                metrics = result['floors'][floor][name]
                if metrics:
                    table.add_row(f'{FLOOR_TITLES[floor]}, {COLUMN_TITLES[name].split("-")[0]}',
                                  *_cells(metrics), style='dim')
        parts = _titled(f'{result["model"]["id"]} on {result["data"]["name"]}: '
                        f'mean over {result["frames"]["scored"]} frames', table)
        if line := shown_protocol(result):
            parts.insert(1, Text(line))
        return parts

    def _title(self, column: str) -> str:
        """Return the name of a column, with a mark where it is the protocol's."""
        protocol = self._result.get('protocol')
        mark = '* ' if protocol and protocol['column'] == column else ''
        return mark + COLUMN_TITLES[column]

    def _style(self, column: str) -> str:
        """Return bold, without a protocol or for its column."""
        protocol = self._result.get('protocol')
        return '' if protocol and protocol['column'] != column else 'bold'

    def _ranges(self) -> list[RenderableType]:
        table = _table()
        for part in self._result['ranges']:
            table.add_column(f'{part["from"]:g}–{part["to"]:g} m', justify='right')
        total = sum(part['pixels'] for part in self._result['ranges']) or 1
        table.add_row('share of pixels', *(f'{part["pixels"] / total:.1%}'
                                           for part in self._result['ranges']), style='dim')
        for name in COLUMNS:
            table.add_row(self._title(name), *(format_metric(part[name]['abs_rel'])
                                               for part in self._result['ranges']))
        return _titled('AbsRel by reference depth, pixels pooled', table)

    def _latency(self) -> list[RenderableType]:
        table = _table()
        stages = self._result['latency_ms']
        for stage in stages:
            table.add_column(stage, justify='right')
        for rank in ('p50', 'p95', 'p99'):
            table.add_row(rank, *(f'{stages[stage][rank]:.1f}' for stage in stages))
        return _titled(f'latency in ms, {self._result.get("device", "cpu")}', table)

    def _live(self) -> list[RenderableType]:
        """Return what went to the running node and what came back."""
        live = self._result['live']
        dropped = ', '.join(f'{count} {reason}' for reason, count in live['node_dropped'].items())
        table = _table()
        table.show_header = False
        table.add_column('', overflow='fold')
        table.add_row('images sent', f'{live["sent"]} ({live["transport"]}, '
                                     f'{live["reliability"]})')
        table.add_row('depth received', str(live['depth_received']))
        table.add_row('dropped by the node', dropped or '0')
        table.add_row('lost in transport', f'{live["lost_before_node"]} before the node, '
                                           f'{live["lost_after_node"]} after it')
        age = live['age_ms']
        table.add_row('age at arrival, ms', ', '.join(
            f'{rank} {age[rank]:.1f}' for rank in ('p50', 'p95', 'p99')))
        return _titled('through the running node', table)

    def _summary(self) -> RenderableType:
        """Return counts and scale in lines."""
        result = self._result
        frames = result['frames']
        lines = [f'frames: {frames["read"]} read, {frames["scored"]} scored'
                 + ''.join(f', {count} skipped ({reason})'
                           for reason, count in frames['skipped'].items())]
        if pairing := result['data'].get('pairing'):
            lines.append('pairing of image and depth by stamp: ' + ', '.join(
                f'{count} {name.replace("_", " ")}' for name, count in pairing.items()))
        lines += [f'damage: {note}' for note in result['data'].get('damage', ())]
        if 'scale' in result:
            scale = result['scale']
            spread = scale['ratio_spread']
            lines.append(
                f'scale: site factor {scale["site_factor"]:.3f}, median ratio '
                f'{scale["median_ratio"]:.3f}, its spread over frames {spread:.1%}')
            low, high = result['abs_rel_interval_95']['median_scaled']
            if low is not None:
                lines.append(f'median-scaled AbsRel, 95 % over frames: {low:.3f} to {high:.3f}')
            cover = result['coverage']
            lines.append(f'coverage: reference on {cover["reference"]:.1%} of the image, '
                         f'prediction on {cover["predicted"]:.1%} of that')
        return '\n'.join(lines)


def _cells(metrics: Mapping[str, float | None]) -> list[str]:
    return [format_metric(metrics[name], digits) for name, _, digits in METRIC_HEADINGS
            if name != 'log10']


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column('', no_wrap=True)
    return table


def _titled(title: str, table: Table) -> list[RenderableType]:
    """Return a title, which rich would break at the width of the table, and the table."""
    return [Text(title, style='bold'), table]
