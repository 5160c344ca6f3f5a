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

"""``mde benchmark``: all methods on one scenario, trained and scored alike."""

import argparse
import json
import logging
from pathlib import Path
import shlex
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
import torch

from mde_ros.benchmarks.claims import sole, write_json
from mde_ros.benchmarks.configured import Configured, is_configuration, read_configured
from mde_ros.benchmarks.data import DataMaker, ReadyData
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.figures import error_bars, picture_sheet
from mde_ros.benchmarks.methods import contenders, KINDS
from mde_ros.benchmarks.runner import Benchmark
from mde_ros.benchmarks.scenarios import Scenario, scenario_named, SCENARIOS
from mde_ros.benchmarks.settings import Settings, SIZES
from mde_ros.benchmarks.summary import summarise
from mde_ros.benchmarks.tables import column_of, tables
from mde_ros.benchmarks.training import Machine
from mde_ros.command_line.arguments import whole_positive
from mde_ros.evaluation.surroundings import machine, versions
from mde_ros.network.depth_network import SIZES as NETWORKS

SPEED = 'speed'
# Fields of Settings that are options of the same name; None takes the size's.
OPTIONS = ('steps', 'warm_steps', 'batch', 'source_frames', 'adapt_frames', 'score_frames',
           'translator_channels')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('name', metavar='NAME', help='; '.join(
        f'{one.name}: {one.summary}' for one in SCENARIOS.values())
        + '; or a YAML file as in config/benchmarks; or speed: milliseconds by back end, stage, '
        'size and camera')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=FOLDER',
                        help="what ${NAME} of a YAML file is; the environment's otherwise")
    parser.add_argument('--size', choices=list(SIZES), default='quick',
                        help='quick: half an hour a seed on two cores; full: for a GPU')
    parser.add_argument('--methods', nargs='+', metavar='METHOD',
                        help=f"of {', '.join(KINDS)}, and files of config/methods by their name; "
                        'quick leaves t2net out unless asked')
    parser.add_argument('--targets', nargs='+', metavar='TARGET', help='only these targets')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], metavar='N')
    parser.add_argument('--data', type=Path, metavar='DIR', help='recordings of real cameras')
    parser.add_argument('--out', type=Path, default=Path('runs/benchmark'), metavar='DIR',
                        help='weights, scores and rendered rooms; the same command goes on')
    parser.add_argument('--encoder-start', type=Path, metavar='FILE',
                        help='ImageNet MobileNetV2 weights that all our networks start from')
    parser.add_argument('--recognition', metavar='FILE',
                        help='weights of the network that judges in the row lfda_recognition: '
                             'VGG or MobileNetV2 (all others: the frozen content encoder)')
    parser.add_argument('--network', choices=sorted(NETWORKS), help='size of our network')
    for option in OPTIONS:
        parser.add_argument('--' + option.replace('_', '-'), type=int, metavar='N',
                            help='instead of what the size says')
    parser.add_argument('--device', default='cpu', help="'cpu', 'cuda', as Fabric names them")
    parser.add_argument('--threads', type=int, help='CPU threads of PyTorch')
    parser.add_argument('--workers', type=int, default=1, help='processes that make samples')
    parser.add_argument('--render-workers', type=int, default=2, help='processes that render')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write rows and summary')
    speed = parser.add_argument_group('speed (with --size, --threads, --device, --json, --out)')
    speed.add_argument('--weights', default='shipped', help="weight file, or 'shipped'")
    speed.add_argument('--rounds', type=whole_positive, metavar='N',
                       help='turns of each contender')
    speed.add_argument('--live', type=whole_positive, metavar='N',
                       help='also send N images of 640x480 at 30 Hz to a depth node through DDS')


def run(arguments: argparse.Namespace) -> int:
    """Run what is not finished, print and write the tables."""
    if arguments.name == SPEED:
        from mde_ros.command_line.speed import run_speed
        return run_speed(arguments)
    # One line a training on the precision, through the bars.
    logging.getLogger('lightning_fabric').setLevel(logging.WARNING)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.json and not arguments.json.parent.is_dir():
        raise BenchmarkError(f'--json {arguments.json}: no such folder')
    if min(arguments.seeds) < 0:
        raise BenchmarkError(f'--seeds {min(arguments.seeds)}: must not be negative')
    scenario: Scenario | Configured
    if is_configuration(arguments.name):
        if arguments.data:
            raise BenchmarkError(f'--data does not go with {arguments.name}: its folders are '
                                 'given by --set NAME=FOLDER')
        scenario = read_configured(arguments.name, arguments.set)
        changes: dict[str, Any] = {'max_depth': scenario.max_depth}
    else:
        scenario = scenario_named(arguments.name)
        if arguments.set:
            raise BenchmarkError(f'--set does not go with {scenario.name}: it is for YAML files')
        changes = dict(zip(('warm_steps', 'steps'), scenario.quick_steps)
                       ) if arguments.size == 'quick' else {}
    given = {name: getattr(arguments, name) for name in (*OPTIONS, 'network')}
    changes |= {name: value for name, value in given.items() if value is not None}
    settings = Settings.of(arguments.size, **changes)
    rows_of = contenders(arguments.methods, arguments.size, settings.translator_channels,
                         arguments.recognition)
    console = Console(stderr=True)
    out = arguments.out / arguments.size
    data = (scenario.ready(arguments.targets) if isinstance(scenario, Configured) else
            made(arguments, scenario, settings, out / 'data', console))
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())
    rows: list[dict[str, Any]] = []
    with sole(out / scenario.name), Progress(
            *columns, console=console, disable=not console.is_terminal) as bar:
        def watch(title: str, steps: int) -> Any:
            task = bar.add_task(title, total=steps)
            if not console.is_terminal:
                console.print(f'{title}: {steps} steps')
            return lambda step, losses: bar.update(task, completed=step)

        benchmark = Benchmark(
            scenario.name, data, settings, rows_of, sorted(set(arguments.seeds)),
            out / scenario.name, arguments.encoder_start,
            Machine(arguments.device, arguments.workers), watch)
        for row in benchmark.run():
            rows.append(row)
            console.print(f"{row['target']} {row['method']}, seed {row['seed']}: Abs Rel "
                          f"{row[column_of(row)]['abs_rel']:.3f}, trained {row['seconds']:.0f} s")
            # After every cell: whoever looks in has a table of what is there.
            write_results(arguments, benchmark, rows)
    show(scenario.name, rows)
    if benchmark.failures and rows:
        write_results(arguments, benchmark, rows)
    for failed in benchmark.failures:
        console.print(f"failed: {failed['target']} {failed['method']}, seed {failed['seed']}: "
                      f"{failed['reason']}", style='red', soft_wrap=True)
    return 1 if benchmark.failures else 0


def made(arguments: argparse.Namespace, scenario: Scenario, settings: Settings, cache: Path,
         console: Console) -> ReadyData:
    """Return the data of the wanted targets of a scenario, rendered where needed."""
    targets = scenario.targets_of(arguments.size)
    if arguments.targets:
        known = {target.name: target for target in scenario.targets}
        if wrong := sorted(set(arguments.targets) - set(known)):
            raise BenchmarkError(f"--targets {', '.join(wrong)}: {scenario.name} has "
                                 f"{', '.join(known)}")
        targets = tuple(known[name] for name in known if name in arguments.targets)
    maker = DataMaker(settings, cache, arguments.data, arguments.render_workers, console.print)
    with sole(cache):
        return maker.make(scenario, targets)


def write_results(arguments: argparse.Namespace, benchmark: Benchmark,
                  rows: list[dict[str, Any]]) -> None:
    """Write JSON, the plot and the picture sheets of the rows so far."""
    summary = summarise(rows)
    report = {
        'command': 'mde ' + shlex.join(sys.argv[1:]), 'scenario': benchmark.scenario,
        'size': arguments.size, 'settings': benchmark.settings.to_dict(),
        'seeds': list(benchmark.seeds), 'machine': machine(), 'versions': versions(),
        'failures': benchmark.failures, 'summary': summary, 'rows': rows}
    write_json(benchmark.out / 'results.json', report)
    if arguments.json:
        write_json(arguments.json, json.loads(json.dumps(report)))
    (benchmark.out / 'errors.png').write_bytes(error_bars(benchmark.scenario, summary))
    for target in summary['targets']:
        sheet = picture_sheet(benchmark.examples(target, benchmark.seeds[0]))
        if sheet:
            (benchmark.out / f'pictures_{target}.jpg').write_bytes(sheet)


def show(scenario: str, rows: list[dict[str, Any]]) -> None:
    """Print the tables."""
    console = Console()
    # A table that is cut tells nothing: wide where the terminal's width is not known.
    console = console if console.is_terminal else Console(width=240)
    for table in tables(scenario, summarise(rows)):
        console.print(table)
