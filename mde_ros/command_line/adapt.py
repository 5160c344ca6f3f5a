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

"""``mde adapt``: adapt to a new camera from a recording of it, without labels."""

import argparse
from dataclasses import fields
from pathlib import Path
import re
import signal
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mde_ros.adaptation.methods.registry import METHODS
from mde_ros.command_line.arguments import parse_sizes
from mde_ros.evaluation.result_files import check_writable, write_text
from mde_ros.onsite.adapt_job import adapt, Cancelled, REPORT
from mde_ros.onsite.adapt_settings import (
    AdaptError, AdaptSettings, MOUNTS, PRECISIONS, TRAINABLE)
from mde_ros.onsite.priority import PRIORITIES
from mde_ros.onsite.progress_file import ProgressFile
from mde_ros.onsite.source_replay import ensure_replay

CANCELLED = 3
CHOICES = {'method': [name for name, method in METHODS.items() if method.needs_target],
           'priority': list(PRIORITIES), 'precision': list(PRECISIONS), 'mount': list(MOUNTS),
           'trainable': list(TRAINABLE)}


def help_of(field: str) -> str:
    """Return what the docstring of AdaptSettings says about a field."""
    found = re.search(rf':param {field}: (.*?)(?=:param|\Z)', AdaptSettings.__doc__ or '', re.S)
    return ' '.join(found[1].split()).rstrip('.') if found else field


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: one for each field of AdaptSettings."""
    for field in fields(AdaptSettings):
        options: dict[str, Any] = {'help': help_of(field.name), 'default': field.default}
        if field.name in ('target', 'out'):
            # Needed for all but --make-replay.
            options['default'] = None
        if field.name == 'source':
            options.update(nargs='+', default=[], metavar='DATA')
        elif field.name == 'sizes':
            options.update(type=parse_sizes, metavar='WxH:SHARE,...')
        elif field.name in ('force', 'trust_consistency'):
            options.update(action='store_true')
        elif field.name in ('out', 'replay', 'ranges', 'odometry'):
            options.update(type=Path, metavar='DIR' if field.name in ('out', 'replay')
                           else 'FILE')
        elif field.name in ('tape', 'camera_height'):
            options.update(type=float, metavar='METRES')
        elif field.name in ('camera_pitch', 'camera_roll'):
            options.update(type=float, metavar='DEGREES')
        else:
            options.update(type=type(field.default) if field.name != 'target' else str,
                           choices=CHOICES.get(field.name))
        parser.add_argument('--' + field.name.replace('_', '-'), **options)
    parser.add_argument('--make-replay', action='store_true',
                        help='only render the source replay into --replay, to be copied')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the report there too')
    parser.add_argument('--progress-file', type=Path, metavar='FILE',
                        help='keep phase, step, steps, seconds_left and losses there as JSON')


class Stop:
    """Notes SIGTERM, so that the job can end at the next step."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.asked

    def note(self, number: int, frame: FrameType | None) -> None:
        """Take the signal."""
        del number, frame
        self.asked = True


def run(arguments: argparse.Namespace) -> int:
    """Adapt; return 0 when it came to a verdict, 3 when cancelled."""
    console = Console(stderr=True)
    if arguments.make_replay:
        replay = ensure_replay(arguments.replay, arguments.replay_frames, report=lambda done, of: (
            console.print(f'{done}/{of} frames') if done == of or not done % 60 else None))
        Console().print(f'{replay.folder}: {replay.facts["frames"]} frames and '
                        f'{replay.facts["check_frames"]} held out', soft_wrap=True)
        return 0
    for name in ('target', 'out'):
        if getattr(arguments, name) is None:
            raise AdaptError(f'--{name} is missing')
    for path in (arguments.json, arguments.progress_file):
        if path:
            check_writable(path)
    settings = AdaptSettings(**{
        **{field.name: getattr(arguments, field.name) for field in fields(AdaptSettings)},
        'source': tuple(arguments.source)})
    stop = Stop()
    before = signal.signal(signal.SIGTERM, stop.note)
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task('checking', total=None)
            phase = ['']

            def show(state: dict[str, Any]) -> None:
                bar.update(task, description=state['phase'], completed=state['step'],
                           total=state['steps'] or None)
                if not console.is_terminal and state['phase'] != phase[0]:
                    phase[0] = state['phase']
                    console.print(f'{phase[0]} ...')

            report = adapt(settings, ProgressFile(arguments.progress_file, show), stop)
    except Cancelled:
        console.print(f'mde adapt: cancelled; the same command goes on in {settings.out}',
                      soft_wrap=True)
        return CANCELLED
    finally:
        signal.signal(signal.SIGTERM, before)
    out = Console()
    # Names and messages may hold brackets: no markup.
    plain: dict[str, Any] = {'soft_wrap': True, 'highlight': False, 'markup': False}
    out.print(report.why, style='green' if report.accepted else 'red', **plain)
    for row in report.check.get('rows', ()):
        out.print(f"  {'kept  ' if row['kept'] else 'BROKEN'} {row['line']}", **plain)
    if report.profile:
        out.print(f'wrote {settings.out / report.profile}', **plain)
    if arguments.json:
        write_text(arguments.json, (settings.out / REPORT).read_text())
    return 0
