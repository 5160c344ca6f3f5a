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

"""Tables as text."""

from io import StringIO

from rich.console import Console

from mde_ros.benchmarks.summary import summarise
from mde_ros.benchmarks.tables import format_share, format_spread, tables


def column(value: float) -> dict[str, float]:
    return {'abs_rel': value, 'rmse': 2 * value, 'delta1': 1 - value}


def rows() -> list[dict[str, object]]:
    return [{'method': method, 'seed': seed, 'target': target, 'parameters': 2_240_000,
             'target_labels': method == 'oracle', 'input': '192x144', 'seconds': 60.,
             'gmacs': {'192x144': .42}, 'raw': column(value + .01 * seed),
             'site_scaled': column(value), 'median_scaled': column(value / 2)}
            for target in ('a', 'b') for seed in (0, 1) for method, value in (
                ('source_only', .4), ('adabn', .38), ('lfda', .3), ('oracle', .2))]


def test_numbers() -> None:
    assert format_spread({'mean': .12345, 'spread': .01, 'count': 3}) == '0.123 ± 0.010'
    assert format_spread({'mean': 12.3, 'spread': None, 'count': 1}, 0) == '12'
    assert format_spread({'mean': None, 'spread': None, 'count': 0}) == '-' == format_spread(None)
    assert format_share(.256) == '26%' and format_share(None) == '-'


def test_a_table_a_target_and_one_over_all() -> None:
    console = Console(width=240, record=True, quiet=False, file=StringIO())
    found = tables('cross_camera', summarise(rows()))
    assert [table.title for table in found] == [
        'cross_camera: a, scored at input 192x144', 'cross_camera: b, scored at input 192x144',
        'cross_camera: over all targets']
    assert [table.row_count for table in found] == [4, 4, 4]
    for table in found:
        console.print(table)
    text = console.export_text()
    assert 'oracle (target labels)' in text
    line = next(part for part in text.splitlines() if '│ lfda' in part)
    cells = [cell.strip() for cell in line.strip('│').split('│')]
    # .305 / .405 is .75; (.405 - .305) / (.405 - .205) is half.
    assert cells == ['lfda', '2', '0.305 ± 0.007', '0.300 ± 0.000', '0.150 ± 0.000',
                     '0.610 ± 0.014', '0.695 ± 0.007', '0.75 ± 0.00', '0.79 ± 0.00 (adabn)',
                     '1.00 ± 0.00', '50%', '0.42', '2.24 M', '60 ± 0']


def test_one_target_has_no_table_over_all() -> None:
    assert len(tables('fog', summarise([r for r in rows() if r['target'] == 'a']))) == 1


def test_the_column_of_a_protocol_counts() -> None:
    found = rows()
    for row in found:
        row['protocol'] = {'name': 'eigen-80m-median', 'column': 'median_scaled'}
    summary = summarise(found)
    table = tables('mine', summary)[0]
    assert table.title == ('mine: a, scored at input 192x144, protocol eigen-80m-median '
                           '(median-scaled)')
    assert [str(column.header) for column in table.columns][5:7] == [
        'RMSE median-scaled', 'delta1 median-scaled']
    lfda = [list(column.cells)[2] for column in table.columns]
    # .15 / .2; raw would be 0.305 / 0.405 with spread.
    assert lfda[5:8] == ['0.300 ± 0.000', '0.850 ± 0.000', '0.75 ± 0.00']
    assert lfda[9:11] == ['1.00 ± 0.00', '50%']
    assert summary['targets']['a']['lfda']['protocol']['name'] == 'eigen-80m-median'
