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
A robot gets a new camera, drives, and adapts to it while its depth node runs: ``make adapt-demo``.

Everything is simulated but the software: depth node, adaptation node and camera are processes of
their own that talk over DDS, in a ROS domain of their own on this machine.
"""

import argparse
import contextlib
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, TYPE_CHECKING

from adapt_processes import RATE, Running, running
from domains import free_domain
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mde_ros.errors import MdeError
from mde_ros.nodes.transport import export_large_image_profile

if TYPE_CHECKING:
    from adapt_listener import AdaptListener

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Rooms of seeds that no shipped network was trained on, other ones to drive in and to score in.
RECORD_SEED, SCORE_SEED = 3101, 3202
START_LIMIT = 120.
console = Console(highlight=False, soft_wrap=True)


class DemoError(MdeError):
    """The demonstration cannot go on; the message says where to look."""


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        prog='make adapt-demo', description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--out', type=Path, default=ROOT / 'output' / 'adapt_demo')
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--steps', type=int, default=400, help='steps of the adaptation')
    parser.add_argument('--method', default='', help='as mde adapt --method takes it')
    parser.add_argument('--priority', default='idle', help='of the adaptation')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rooms', type=int, default=10, help='to drive through')
    parser.add_argument('--views', type=int, default=30, help='pictures of each room')
    parser.add_argument('--size', default='320x240', help='of the pictures, WIDTHxHEIGHT')
    parser.add_argument('--rate', type=float, default=RATE, help='of the camera, Hz')
    parser.add_argument('--alone', type=float, default=20.,
                        help='seconds to measure the depth node alone')
    parser.add_argument('--no-height', action='store_true',
                        help='do not tell the robot where its camera is')
    parser.add_argument('--pictures', type=int, default=3)
    parser.add_argument('--parameter', action='append', default=[], metavar='NAME:=VALUE',
                        help='of the adaptation node')
    return parser.parse_args()


def main() -> int:
    """Run the demonstration; return the exit code."""
    arguments = parse_arguments()
    # An end from outside must not leave nodes behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        demonstrate(arguments)
    except MdeError as error:
        console.print(f'[red]adapt-demo: error:[/] {error}')
        return 2
    console.print(f'Done in {time.monotonic() - began:.0f} s.')
    return 0


def demonstrate(arguments: argparse.Namespace) -> None:
    """Drive, record, adapt, exchange, score, and say where the results are."""
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    # 'mde' and what it starts: the OpenGL library is chosen at import.
    os.environ.setdefault('MUJOCO_GL', 'egl')
    export_large_image_profile()
    from adapt_drive import HEIGHT, PITCH

    console.rule('[bold]1. A robot with a new camera')
    record = out / 'drive'
    scored = {'the same rooms, another drive': out / 'same_rooms',
              'rooms where it never was': out / 'other_rooms'}
    size, few = arguments.size, -(-arguments.views // 4)
    _render(record, RECORD_SEED, size, arguments.rooms, arguments.views, 5.)
    # Fewer pictures to score in, farther apart.
    _render(out / 'same_rooms', RECORD_SEED, size, arguments.rooms, few, 2., path=1)
    _render(out / 'other_rooms', SCORE_SEED, size, arguments.rooms, few, 2.)
    shutil.rmtree(out / 'site', ignore_errors=True)
    parameters = [f'steps:={arguments.steps}', f'seed:={arguments.seed}', 'camera:=camera_b',
                  f'priority:={arguments.priority}', f"replay:={out / 'replay'}",
                  'min_interval:=0.05',
                  *([] if arguments.no_height else [
                      f'camera_height:={HEIGHT}', f'camera_pitch:={PITCH}']),
                  *([f'method:={arguments.method}'] if arguments.method else []),
                  *arguments.parameter]
    with running(out, arguments.weights, free_domain(), record, arguments.rate,
                 parameters) as processes:
        facts = _on_the_robot(arguments, processes)
    console.rule('[bold]4. Before and after')
    _score(arguments, facts, scored)


def _render(folder: Path, seed: int, size: str, rooms: int, views: int, rate: float,
            path: int = 0) -> None:
    """Render drives; what is there is kept."""
    began = time.monotonic()
    command = [sys.executable, str(HERE / 'adapt_drive.py'), str(folder), '--seed', str(seed),
               '--size', size, '--rooms', str(rooms), '--views', str(views), '--rate', str(rate),
               '--path', str(path)]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True)
    if done.returncode:
        raise DemoError(f'{(done.stderr or done.stdout).strip().splitlines()[-1]}')
    console.print(f'{_shown(folder)}: {rooms} rooms, {views} pictures each, '
                  f'{time.monotonic() - began:.0f} s')


def _on_the_robot(arguments: argparse.Namespace, processes: Running) -> dict[str, Any]:
    """Record, adapt and exchange while the depth node runs; return what was measured."""
    from adapt_listener import AdaptListener
    listener = AdaptListener(processes.domain)
    try:
        if not listener.wait_until(
                lambda heard: len(heard.arrivals) > 3 and bool(heard.depth_node), START_LIMIT):
            processes.check()
            raise DemoError(f'no depth came: see {arguments.out}/depth_node.log')
        console.print(f"depth_node runs {listener.heard.depth_node.get('model', '-')}, camera at "
                      f'{arguments.rate:g} Hz, ROS domain {processes.domain}')
        began = time.monotonic()
        time.sleep(arguments.alone)
        alone = listener.heard.rate(began, time.monotonic())
        console.rule('[bold]2. It drives and records')
        _ask(listener, 'start_recording')
        time.sleep(arguments.rooms * arguments.views / arguments.rate + 5)
        console.print(_ask(listener, 'stop_recording'))
        before = dict(listener.heard.depth_node)
        console.rule('[bold]3. It adapts, and exchanges the network')
        asked = time.monotonic()
        console.print(_ask(listener, 'adapt'))
        _watch(listener, processes)
        message = listener.heard.adaptation.get('message', '')
        console.print(message)
        heard, end = listener.heard, time.monotonic()
        training, swap = heard.last('training', asked), heard.last('swapping', asked)
        # A refused profile is not exchanged.
        over = end if swap is None else swap
        time.sleep(5)
        facts: dict[str, Any] = {
            'message': message, 'rate_alone': alone, 'adaptation_s': over - asked,
            'rate_adapting': heard.rate(asked, over), 'depth_node_before': before,
            'depth_node_after': dict(heard.depth_node)}
        if training is not None:
            facts['rate_training'] = heard.rate(training, heard.next_after(training) or over)
        if swap is not None:
            facts |= {'swap_s': end - swap, 'gap_at_swap_s': heard.longest_gap(swap - 1, end + 3)}
        return facts
    finally:
        listener.close()


def _ask(listener: 'AdaptListener', service: str) -> str:
    """Call a service of the adaptation node; return its line."""
    done, line = listener.call(f'adaptation_node/{service}')
    if not done:
        raise DemoError(f'~/{service}: {line}')
    return line


def _watch(listener: 'AdaptListener', processes: Running) -> None:
    """Show the progress until the adaptation is over."""
    bar = Progress(TextColumn('{task.description}'), BarColumn(),
                   TextColumn('{task.completed}/{task.total}'), TimeElapsedColumn(),
                   console=console)
    with bar:
        task = bar.add_task('starting', total=None)
        # The services answer before the next progress does.
        listener.wait_until(lambda heard: heard.adaptation.get('phase') != 'idle', 10)
        while listener.heard.adaptation.get('phase') != 'idle':
            values = listener.heard.adaptation
            bar.update(task, description=values.get('trainer says', values.get('phase', '')),
                       completed=int(values.get('step', 0)), total=int(values.get('steps', 0)))
            processes.check()
            time.sleep(.5)


def _score(arguments: argparse.Namespace, facts: dict[str, Any], scored: dict[str, Path]
           ) -> None:
    """Evaluate before and after, print and keep everything."""
    # PyTorch, only now: while the robot drives, its memory and cores belong to the nodes.
    from adapt_scores import compare_pictures, evaluate, rows_of, score_table
    out: Path = arguments.out
    report = json.loads((out / 'site' / 'run' / 'report.json').read_text())
    profile = out / 'site' / 'run' / 'profile.safetensors'
    if not profile.exists():
        raise DemoError(f"not adapted: {report.get('why')}")
    rows = rows_of(arguments.weights, profile, out, bool(report['accepted']))
    facts['scores'], pictures = {}, []
    for title, data in scored.items():
        results = [evaluate(data, arguments.weights, row, out / f'{data.name}_{number}.json',
                            os.cpu_count() or 2) for number, row in enumerate(rows)]
        console.print(score_table(title, rows, results))
        pictures += compare_pictures(data, arguments.weights, rows, out, arguments.pictures)
        facts['scores'][title] = {row.name: {column: result[column] for column in (
            'raw', 'site_scaled', 'median_scaled')} for row, result in zip(rows, results)}
    console.print(_numbers(facts, report))
    facts['report'] = report
    facts['command'] = 'make adapt-demo'
    facts['arguments'] = {name: str(value) for name, value in vars(arguments).items()}
    (out / 'result.json').write_text(json.dumps(facts, indent=1) + '\n')
    console.rule('[bold]Results')
    for path in (out / 'result.json', *pictures):
        console.print(f'  {_shown(path)}')
    console.print('\nWith your own camera: ros2 launch mde_ros adapt.launch.py '
                  'image:=/camera/image_raw site:=/data/my_place')


def _numbers(facts: dict[str, Any], report: dict[str, Any]) -> Table:
    """Return the table of what it cost."""
    before, after = facts['depth_node_before'], facts['depth_node_after']

    def new(key: str) -> int:
        return int(after.get(key, 0)) - int(before.get(key, 0))

    lost = new('lost before the node')
    other = sum(new(key) for key in after if key.startswith('dropped,'))
    facts |= {'frames_lost': lost, 'frames_unusable': other}
    table = Table(show_header=False, box=None, padding=(0, 2))
    rows = [('in use', facts['message']), ('the check', str(report.get('why', '-'))),
            ('depth images a second, alone', f"{facts['rate_alone']:.2f}")]
    if 'rate_training' in facts:
        facts['rate_ratio'] = facts['rate_training'] / max(1e-9, facts['rate_alone'])
        rows.append(('while it trains', (f"{facts['rate_training']:.2f} "
                                         f"({100 * facts['rate_ratio']:.0f} %)")))
    if 'swap_s' in facts:
        rows += [('exchanging the network took', f"{facts['swap_s']:.1f} s"),
                 ('longest pause of depth meanwhile', f"{facts['gap_at_swap_s']:.2f} s")]
    rows += [('images lost in transport, and unusable', f'{lost}, {other}'),
             ('the adaptation took', f"{facts['adaptation_s']:.0f} s"),
             ('its memory, at most', f"{report.get('peak_memory_mb', 0):.0f} MB")]
    for row in rows:
        table.add_row(*row)
    return table


def _shown(path: Path) -> str:
    """Return a path as one would type it here."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


if __name__ == '__main__':
    sys.exit(main())
