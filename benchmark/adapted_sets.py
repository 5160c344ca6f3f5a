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
Adapt the packaged network to each real camera and score it before and after.

    .venv/bin/python benchmark/adapted_sets.py DATA --sets d435_lab_floor xtion_ist_a --mount ...
        --json results/adapted_sets.json --markdown docs/real_sets.md

Each set is adapted to by ``mde adapt`` on its split 'adapt', whose depth is not read, and scored
on its split 'score'. The oracle is trained with the labels of 'adapt': an upper bound only.
Stopped and started again it goes on.
"""

import argparse
import json
from pathlib import Path
import shlex
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.onsite.adapt_settings import stages

BEGIN, END = '<!-- adapted -->', '<!-- end of adapted -->'
HEADINGS = ('set', 'verdict', 'floor', *(f'{column.replace("_", "-")} {row}' for column in (
    'raw', 'site_scaled', 'median_scaled') for row in ('before', 'after', 'oracle')))
ORACLE_STEPS = 150
# As mde adapt has them for these cameras.
SIZES = ','.join(f'{width}x{height}:{share:g}' for share, width, height in stages((320, 240)))


class CommandFailed(Exception):
    """A command of mde ended with an error."""


def mde(*words: str) -> None:
    """Run a command of mde."""
    done = subprocess.run([sys.executable, '-m', 'mde_ros.command_line.main', *words],
                          capture_output=True, text=True)
    if done.returncode:
        raise CommandFailed(f"mde {' '.join(words)}: {done.stderr.strip()[-400:]}")


def mount_options(text: str) -> tuple[str, list[str]]:
    """
    Return set and options of SET=HEIGHT[,PITCH[,ROLL]].

    :raises ValueError: for anything else.
    """
    name, equals, values = text.partition('=')
    numbers = [str(float(value)) for value in values.split(',')]
    if not (name and equals and 1 <= len(numbers) <= 3):
        raise ValueError(text)
    options = [word for option, number in zip(
        ('--camera-height', '--camera-pitch', '--camera-roll'), numbers)
        for word in (option, number)]
    return name, options


def score(folder: Path, estimator: DepthEstimator) -> dict[str, Any]:
    """Return Abs Rel by column, delta1 and the floor of the score frames."""
    found = evaluate(RgbdFolder(folder, split='score'), estimator).to_dict()
    return {'constant': found['floors']['constant']['median_scaled']['abs_rel'],
            **{column: {key: found[column][key] for key in ('abs_rel', 'rmse', 'delta1')}
               for column in COLUMNS}}


def adapt_set(folder: Path, out: Path, arguments: argparse.Namespace,
              options: list[str]) -> dict[str, Any]:
    """Adapt to a set and return its numbers."""
    common = ['--threads', str(arguments.threads), '--seed', str(arguments.seed)]
    run, area = out / 'adapt', arguments.input_area
    if not (run / 'report.json').exists():
        mde('adapt', '--target', str(folder), '--split', 'adapt', '--out', str(run), '--force',
            '--replay', str(arguments.out / 'replay'), '--weights', arguments.weights,
            *common, *options, *shlex.split(arguments.options))
    report = json.loads((run / 'report.json').read_text())
    found: dict[str, Any] = {
        'options': options, 'accepted': report['accepted'], 'why': report['why'],
        'floor': report['settings'].get('floor', {}), 'scale': report['scale'],
        'seconds': report['seconds'], 'peak_memory_mb': report['peak_memory_mb'],
        'before': score(folder, DepthEstimator(arguments.weights, input_area=area)),
        'after': score(folder, DepthEstimator(arguments.weights, profile=run / 'profile',
                                              input_area=area))}
    if arguments.oracle:
        labelled = arguments.out / folder.name / 'oracle'
        if not (labelled / 'weights.json').exists():
            mde('train', '--source', f'{folder}:adapt', '--weights', arguments.weights, '--out',
                str(labelled), '--steps', str(ORACLE_STEPS), '--batch', '8', '--sizes',
                SIZES, '--learning-rate', '2e-4', '--warm-up', '20', '--average', '.99',
                *common)
        found['oracle'] = score(folder, DepthEstimator(labelled / 'weights', input_area=area))
    return found


def cells(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    """Return one row of the table."""
    floor = found['floor']
    height = '-' if not floor else f"{floor['height']:.2f} m" + (
        '' if floor['known'] else ' (own)')
    numbers = [found.get(row, {}).get(column, {}).get('abs_rel') for column in COLUMNS
               for row in ('before', 'after', 'oracle')]
    return (name, 'accepted' if found['accepted'] else 'refused', height,
            *('-' if number is None else f'{number:.3f}' for number in numbers))


def write_table(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Replace the table of a Markdown page, between its two marker lines."""
    text = path.read_text()
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    lines = ['| ' + ' | '.join(row) + ' |' for row in (
        HEADINGS, ('---', '---', '---', *['---:'] * (len(HEADINGS) - 3)), *rows)]
    path.write_text(f'{before}{BEGIN}\n' + '\n'.join(lines) + f'\n{after}')


def main() -> int:
    """Adapt, score, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path)
    parser.add_argument('--sets', nargs='+', required=True)
    parser.add_argument('--mount', nargs='+', default=[], metavar='SET=HEIGHT[,PITCH[,ROLL]]',
                        help='metres over the floor and degrees, where they are known')
    parser.add_argument('--unmeasured', action='store_true',
                        help='adapt to the sets of --mount without their measurements as well')
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--oracle', action='store_true', help='train with labels too')
    parser.add_argument('--input-area', type=int, metavar='PIXELS',
                        help="of the network while scoring; the weights' own otherwise")
    parser.add_argument('--options', default='', help='more of mde adapt, as one text')
    parser.add_argument('--out', type=Path, default=Path('runs/adapted_sets'))
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    mounts = dict(mount_options(text) for text in arguments.mount)
    found: dict[str, Any] = {}
    table = Table(title='Abs Rel')
    for heading in HEADINGS:
        table.add_column(heading)
    jobs = [(name, name, mounts.get(name, [])) for name in arguments.sets]
    if arguments.unmeasured:
        jobs += [(f'{name}, height unknown', name, []) for name in arguments.sets
                 if name in mounts]
    for name, folder, options in jobs:
        out = arguments.out / (folder if name == folder else f'{folder}_unmeasured')
        found[name] = adapt_set(arguments.data / folder, out, arguments, options)
        table.add_row(*cells(name, found[name]))
        print(*cells(name, found[name]), flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps({
                'command': '.venv/bin/python benchmark/adapted_sets.py '
                           + shlex.join(sys.argv[1:]), 'sets': found}, indent=1) + '\n')
    Console(width=200).print(table)
    if arguments.markdown:
        write_table(arguments.markdown, [cells(name, row) for name, row in found.items()])
    return 0


if __name__ == '__main__':
    sys.exit(main())
