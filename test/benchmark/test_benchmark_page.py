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

"""The page of tables, from rows made up."""

from collections.abc import Callable
import json
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import pytest

from mde_ros.benchmarks.summary import summarise


@pytest.fixture
def module(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/benchmark_page.py as a module."""
    return load_script('benchmark_page')


def made_row(method: str, seed: int, error: float, target: str = 'b') -> dict[str, Any]:
    """Return a row with this Abs Rel in all columns."""
    values = {'abs_rel': error, 'rmse': 1., 'delta1': .5}
    return {'target': target, 'method': method, 'seed': seed, 'target_labels': False,
            'parameters': 2_000_000, 'input': '128x96', 'gmacs': {'128x96': .2},
            'seconds': 10., 'raw': values, 'site_scaled': values, 'median_scaled': values}


def test_tables_and_ratios(module: ModuleType, tmp_path: Path,
                           monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [made_row(method, seed, error + seed / 100) for seed in (0, 1) for method, error in (
        ('source_only', .4), ('adabn', .32), ('lfda', .2), ('oracle', .1))]
    report = {'scenario': 'fog', 'size': 'quick', 'command': 'mde benchmark fog',
              'rows': rows, 'summary': summarise(rows)}
    (tmp_path / 'r.json').write_text(json.dumps(report))
    page = tmp_path / 'page.md'
    page.write_text(f'a\n{module.BEGIN}\nold\n{module.END}\nb\n')
    monkeypatch.setattr(sys, 'argv', ['benchmark_page.py', str(tmp_path / 'r.json'),
                                      '--markdown', str(page)])
    assert module.main() == 0
    lines = page.read_text().splitlines()
    assert lines[0] == 'a' and lines[-1] == 'b' and 'old' not in lines
    assert '### fog, size quick' in lines and 'mde benchmark fog' in lines
    lfda = next(line for line in lines if line.startswith('| lfda |'))
    assert '0.205 ± 0.007' in lfda and '(adabn)' in lfda
    ratios = [line for line in lines if line.startswith('| lfda |')][1]
    # (.2 / .4 + .21 / .41) / 2, of adabn (.2 / .32 + .21 / .33) / 2, of itself; 2/3 of the gap.
    assert [cell.strip() for cell in ratios.strip('|').split('|')] == [
        'lfda', '0.51', '0.63', '1.00', '67%']


def test_several_scenarios_have_a_geometric_mean(module: ModuleType) -> None:
    def means(ratio: float, of_lfda: float | None) -> dict[str, Any]:
        return {'site': {**{f'ratio_to_{other}': {'raw': ratio} for other in module.RATIOS},
                         'ratio_to_lfda': {'raw': of_lfda}, 'gap_closed': {'raw': .5}}}
    heading, _, line, _ = module.mean_lines({'fog': means(.5, 1.), 'real': means(.72, None)})
    cells = [[cell.strip() for cell in one.strip('|').split('|')] for one in (heading, line)]
    assert cells[0][7] == 'all scenarios: vs source only'
    # sqrt(.5 * .72) = .6; one ratio to lfda is missing.
    assert cells[1] == ['site', '0.50', '0.50', '1.00', '0.72', '0.72', '-', '0.60', '0.60', '-',
                        '50%', '50%']


def report_of(rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """Return a report of these rows."""
    return {'scenario': 'fog', 'size': 'quick', 'settings': {'steps': 4},
            'command': f'mde benchmark fog --seeds {rows[0]["seed"]}', 'rows': rows,
            'summary': summarise(rows), **changes}


def test_seeds_of_two_runs_make_one_table(module: ModuleType) -> None:
    parts = [report_of([made_row('source_only', seed, .4), made_row('lfda', seed, error)])
             for seed, error in ((0, .2), (1, .24))]
    one, = module.joined(parts)
    assert one['command'].splitlines() == ['mde benchmark fog --seeds 0',
                                           'mde benchmark fog --seeds 1']
    text = module.page([one])
    assert '0.220 ± 0.028' in text and text.count('**b**') == 1
    other = report_of([made_row('source_only', 0, .4)], scenario='real')
    assert [report['scenario'] for report in module.joined([*parts, other])] == ['fog', 'real']


def test_the_first_source_only_counts(module: ModuleType) -> None:
    parts = [report_of([made_row('source_only', 0, .4), made_row('oracle', 0, .1),
                        made_row('lfda', 0, .2)]),
             report_of([made_row('source_only', 0, .5), made_row('site', 0, .1),
                        made_row('source_only', 1, .6)])]
    one, = module.joined(parts)
    assert [(row['method'], row['seed'], row['raw']['abs_rel']) for row in one['rows']] == [
        ('source_only', 0, .4), ('lfda', 0, .2), ('site', 0, .1), ('source_only', 1, .6),
        ('oracle', 0, .1)]
    assert one['summary']['targets']['b']['site']['ratio_to_source_only']['raw'][
        'mean'] == pytest.approx(.25)


def test_parts_are_held_against_the_whole(module: ModuleType, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [made_row(method, seed, error + seed / 10) for seed in (0, 1) for method, error in (
        ('source_only', .4), ('site', .2), ('site_without_zoom', .32), ('adabn', .1))]
    files = [tmp_path / 'main.json', tmp_path / 'parts.json']
    files[0].write_text(json.dumps(report_of([made_row('source_only', 0, .4)])))
    files[1].write_text(json.dumps(report_of(rows)))
    page = tmp_path / 'page.md'
    page.write_text(f'{module.BEGIN}\nold\n{module.END}\n')
    monkeypatch.setattr(sys, 'argv', ['x', str(files[0]), '--parts', str(files[1]), '--markdown',
                                      str(page), '--plots', str(tmp_path / 'plots')])
    assert module.main() == 0
    assert [path.name for path in (tmp_path / 'plots').glob('*')] == ['benchmark_fog.png']
    lines = page.read_text().splitlines()
    assert '### fog: parts and variants, size quick' in lines

    def cells_of(name: str) -> list[str]:
        line = next(one for one in lines if one.startswith(f'| {name} |'))
        return [cell.strip() for cell in line.strip('|').split('|')]

    # (.32 / .2 + .42 / .3) / 2 and their deviation; (.32 / .4 + .42 / .5) / 2 of source only.
    assert cells_of('site_without_zoom') == [
        'site_without_zoom', module.about('site_without_zoom'), '2', '0.370 ± 0.071',
        '0.370 ± 0.071', '0.82 ± 0.03', '1.50 ± 0.14', '1.50 ± 0.14']
    assert cells_of('adabn')[-2:] == ['-', '-'] and module.about('adabn')
    assert module.about('site_shared') == (
        'Ablation of site: source and target share their batch statistics')


@pytest.mark.parametrize(('changes', 'seed', 'message'), [
    ({'settings': {'steps': 5}}, 1, 'reports of fog differ in settings'),
    ({'size': 'full'}, 1, 'reports of fog differ in size'),
    ({}, 0, 'reports of fog both have b lfda 0: leave one out')])
def test_runs_that_make_no_common_table_are_refused(
        module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str], changes: dict[str, Any], seed: int,
        message: str) -> None:
    files = [tmp_path / 'a.json', tmp_path / 'b.json']
    files[0].write_text(json.dumps(report_of([made_row('lfda', 0, .2)])))
    files[1].write_text(json.dumps(report_of([made_row('lfda', seed, .3)], **changes)))
    page = tmp_path / 'page.md'
    page.write_text(f'{module.BEGIN}\nold\n{module.END}\n')
    monkeypatch.setattr(sys, 'argv', ['x', *map(str, files), '--markdown', str(page)])
    with pytest.raises(SystemExit):
        module.main()
    assert message in capsys.readouterr().err
    assert 'old' in page.read_text()
