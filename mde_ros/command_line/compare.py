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

"""``mde compare``: two networks or camera profiles on the same frames."""

import argparse
from collections.abc import Callable
from pathlib import Path
import shlex
import sys
from typing import Any

import cv2
from rich import box
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from mde_ros.command_line.arguments import whole_positive
from mde_ros.command_line.bag_arguments import add_bag_arguments, dataset_options
from mde_ros.datasets.frame import FrameSource
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.evaluation.metrics import MAXIMUM, MINIMUM
from mde_ros.evaluation.result_files import check_writable, OutputError, write_json
from mde_ros.evaluation.result_tables import COLUMN_TITLES, METRIC_HEADINGS
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.evaluation.scoring import ScoringOptions

SHOWN = ('abs_rel', 'rmse', 'silog', 'delta1')
PICTURE_SUFFIXES = ('.png', '.jpg', '.jpeg')
COLOURS = {'better': 'green', 'worse': 'red', 'unclear': ''}
CHECK_FRAMES = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    for name in ('old', 'new'):
        parser.add_argument(name, metavar=name.upper(), help=(
            "weight file or 'shipped', WEIGHTS, or with a camera profile, WEIGHTS@PROFILE"))
    parser.add_argument('what', metavar='WHAT', help=(
        'RGB-D folder, bag or KIND:PATH; without depth the label-free check is printed'))
    parser.add_argument('--split', help='frames of this split only, such as score')
    parser.add_argument('--every', type=whole_positive, default=1, metavar='N',
                        help='take every Nth frame')
    parser.add_argument('--limit', type=whole_positive, metavar='N', help='take at most N frames')
    parser.add_argument('--min-depth', type=float, default=MINIMUM, metavar='M',
                        help='score reference depths beyond this many metres')
    parser.add_argument('--max-depth', type=float, default=MAXIMUM, metavar='M',
                        help='score reference depths nearer than this; 80 for roads')
    parser.add_argument('--threads', type=whole_positive, help='CPU threads of the network')
    parser.add_argument('--no-labels', action='store_true',
                        help='print the label-free check although there is depth, which is not '
                             'read')
    parser.add_argument('--source', nargs='+', default=[], metavar='DATA',
                        help='labelled data for the label-free check: adds what was forgotten')
    add_bag_arguments(parser)
    output = parser.add_argument_group('output')
    output.add_argument('--pictures', type=Path, metavar='FILE.png',
                        help='write frames side by side: image, reference, before, after, errors')
    output.add_argument('--json', type=Path, metavar='FILE', help='write all numbers')
    output.add_argument('--report', type=Path, metavar='FILE.html',
                        help='write one page with the table and the pictures')


def run(arguments: argparse.Namespace) -> int:
    """Compare, print, write."""
    for path in (arguments.json, arguments.pictures, arguments.report):
        if path:
            check_writable(path)
    if arguments.pictures and arguments.pictures.suffix.lower() not in PICTURE_SUFFIXES:
        raise OutputError(f'--pictures {arguments.pictures}: give a name that ends with '
                          f'{", ".join(PICTURE_SUFFIXES)}')
    options = ScoringOptions(arguments.min_depth, arguments.max_depth)

    def open_source() -> FrameSource:
        return open_dataset(arguments.what, split=arguments.split,
                            read_depth=not arguments.no_labels, **dataset_options(arguments))

    labelled = not arguments.no_labels and bool(getattr(open_source(), 'labelled', True))
    work = _with_labels if labelled else _without_labels
    fields, table, sheet = work(arguments, open_source, options)
    fields['command'] = 'mde ' + shlex.join(sys.argv[1:])
    console = Console()
    console.print(table)
    for line in fields.get('lines', ()):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if arguments.json:
        write_json(arguments.json, fields)
    if arguments.pictures and not cv2.imwrite(str(arguments.pictures), sheet[..., ::-1]):
        raise OutputError(f'{arguments.pictures}: cannot be written')
    if arguments.report:
        from mde_ros.evaluation.compare_report import write_comparison
        write_comparison(arguments.report, fields, sheet)
    for path in (arguments.json, arguments.pictures, arguments.report):
        if path:
            console.print(f'wrote {path}', highlight=False, soft_wrap=True)
    return 0


def parse_model(text: str) -> tuple[str, str]:
    """
    Return (weights, profile) of 'WEIGHTS' or 'WEIGHTS@PROFILE'; a file that exists comes first.

    >>> parse_model('shipped@site/profile.safetensors')
    ('shipped', 'site/profile.safetensors')
    """
    weights, at, profile = text.partition('@')
    if not at or Path(text).exists():
        return text, ''
    return weights, profile


def _with_labels(arguments: argparse.Namespace, open_source: Callable[[], FrameSource],
                 options: ScoringOptions) -> tuple[dict[str, Any], Table, Any]:
    # PyTorch takes seconds to import: not before the arguments are known to be right.
    from mde_ros.estimation.estimator import DepthEstimator
    from mde_ros.evaluation.compare import compare
    from mde_ros.evaluation.compare_pictures import comparison_rows, comparison_sheet
    before, after = (DepthEstimator(weights, profile=profile, threads=arguments.threads)
                     for weights, profile in map(parse_model, (arguments.old, arguments.new)))
    total = -(-len(open_source()) // arguments.every)
    total = 2 * min(total, arguments.limit or total)
    with Progress(*Progress.get_default_columns()[:3], MofNCompleteColumn(),
                  TimeRemainingColumn(), console=Console(stderr=True), transient=True,
                  disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task('comparing', total=total)
        found = compare(open_source, before, after, options, every=arguments.every,
                        limit=arguments.limit, progress=lambda: progress.advance(task))
    try:
        sheet = comparison_sheet(comparison_rows(found))
    finally:
        found.close()
    fields = {**found.to_dict(), 'labels': True}
    fields['data'].update(path=str(arguments.what), split=arguments.split)
    return fields, _table(fields), sheet


def _table(fields: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE, title=(
        f'{fields["data"]["name"]}, {fields["frames"]} frames: '
        f'{fields["before"]["model"]["id"]} to {fields["after"]["model"]["id"]}'))
    for heading in ('', 'metric', 'before', 'after', 'change', '95 % interval', ''):
        table.add_column(heading, justify='left' if heading in ('', 'metric') else 'right',
                         no_wrap=True)
    headings = {name: (heading, digits) for name, heading, digits in METRIC_HEADINGS}
    for column in COLUMNS:
        for name in SHOWN:
            heading, digits = headings[name]
            values = fields[column][name]
            low, high = values['interval_95']
            interval = '–' if low is None else f'{low:+.{digits}f} to {high:+.{digits}f}'
            table.add_row(
                COLUMN_TITLES[column] if name == SHOWN[0] else '', heading,
                f'{values["before"]:.{digits}f}', f'{values["after"]:.{digits}f}',
                f'{values["difference"]:+.{digits}f}', interval, values['verdict'],
                style=COLOURS[values['verdict']], end_section=name == SHOWN[-1])
    return table


def _without_labels(arguments: argparse.Namespace, open_source: Callable[[], FrameSource],
                    options: ScoringOptions) -> tuple[dict[str, Any], Table, Any]:
    del options
    from mde_ros.evaluation.compare_pictures import comparison_sheet
    from mde_ros.evaluation.evaluator import EvaluationError, explain
    from mde_ros.onsite.check import judge, measure
    from mde_ros.onsite.check_networks import (
        change_rows, load_network, spread_frames, unlabelled_pictures)
    from mde_ros.onsite.adapt_data import open_set
    from mde_ros.onsite.check_pictures import source_pictures
    if arguments.threads:
        import torch
        torch.set_num_threads(arguments.threads)
    old, new = (load_network(*parse_model(text)) for text in (arguments.old, arguments.new))
    source = open_source()
    frames = spread_frames(source, arguments.every, arguments.limit or CHECK_FRAMES)
    if not frames:
        raise EvaluationError(explain(source.name, 0, dict(source.skipped)))
    pictures = unlabelled_pictures(frames, old.area)
    labelled = [open_set(text, read_depth=True) for text in arguments.source]
    sources = source_pictures(labelled, CHECK_FRAMES, old.area) if labelled else []
    verdict = judge(measure(old.network, pictures, sources),
                    measure(new.network, pictures, sources))
    table = Table(box=box.SIMPLE, title=(
        f'{source.name}, {len(frames)} frames without labels: {old.model_id} to {new.model_id}'))
    for heading in ('measure', 'before', 'after', 'allowed', ''):
        table.add_column(heading, justify='left' if heading in ('', 'measure') else 'right')
    for row in verdict.rows:
        table.add_row(row.words, f'{row.before:.4f}', f'{row.after:.4f}', row.allowed,
                      'kept' if row.kept else 'broken', style='' if row.kept else 'red')
    fields = {'data': {'name': source.name, 'path': str(arguments.what)}, 'labels': False,
              'frames': len(frames), 'before': {'model': {'id': old.model_id}},
              'after': {'model': {'id': new.model_id}}, 'check': verdict.to_dict(),
              'lines': [verdict.why]}
    return fields, table, comparison_sheet(change_rows(old, new, frames))
