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
Play a bag into the depth node, look at what comes out, and measure it: ``make demo``.

The node runs in a process of its own, the player in another; this one listens to the node's
topics as any other node would. Everything stays on this machine and in a ROS domain of its own.
"""

import argparse
from collections.abc import Iterable, Iterator
import contextlib
from itertools import islice
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import cv2
from domains import free_domain
import numpy as np
from pictures import overview
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mde_ros.datasets.frame import Frame
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.errors import MdeError
from mde_ros.nodes.transport import export_large_image_profile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
START_LIMIT = 60.0
console = Console(highlight=False, soft_wrap=True)


class DemoError(MdeError):
    """The demonstration cannot go on; the message says where to look."""


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        prog='make demo', description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--bag', type=Path, default=HERE / 'drive.mcap')
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--out', type=Path, default=ROOT / 'output' / 'demo')
    parser.add_argument('--rate', type=float, help='frames per second (default: as recorded)')
    parser.add_argument('--limit', type=int, help='frames to play (default: all)')
    parser.add_argument('--pictures', type=int, default=4, help='pictures to save')
    return parser.parse_args()


def main() -> int:
    """Run the demonstration; return the exit code."""
    arguments = parse_arguments()
    began = time.monotonic()
    try:
        demonstrate(arguments)
    except MdeError as error:
        console.print(f'[red]demo: error:[/] {error}')
        return 2
    console.print(f'Done in {time.monotonic() - began:.0f} s.')
    return 0


def demonstrate(arguments: argparse.Namespace) -> None:
    """Play, listen, draw, evaluate, and say where the results are."""
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob('frame_*.png'):
        old.unlink()
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    export_large_image_profile()
    # After the environment is set, which DDS reads once.
    from listener import Heard, Listener

    frames = list(_first(open_dataset(arguments.bag), arguments.limit))
    if not frames:
        raise DemoError(f'{arguments.bag}: no readable frame')
    wanted = [frame.stamp_ns for frame in _spread(frames, arguments.pictures)]
    k = frames[0].intrinsics
    console.rule('[bold]1. Depth from camera topics')
    console.print(f'{arguments.bag.name}: {len(frames)} frames of {k.width}x{k.height}, '
                  f'{k.horizontal_fov:.0f} degrees wide')
    domain = free_domain()
    with _node(arguments, domain, out / 'node.log') as node:
        console.print(f'depth_node: process {node.pid}, ROS domain {domain}, log {_shown(out)}'
                      '/node.log')
        progress = Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
                            TimeElapsedColumn(), console=console)
        task = progress.add_task('depth images received', total=len(frames))
        listener = Listener(domain, wanted, lambda: progress.advance(task))
        try:
            if not listener.node_is_active(START_LIMIT):
                raise DemoError(f'the depth node did not start: see {out}/node.log')
            with progress:
                _play(arguments, domain, out)
                # The last diagnostics of the node count every frame that it was given.
                listener.wait_until(lambda heard: _settled(heard.diagnostics, len(frames)), 10)
            heard: Heard = listener.heard
        finally:
            listener.close()
    console.print(_numbers(heard.diagnostics, len(frames), len(heard.stamps)))
    if not heard.stamps:
        raise DemoError(f'no depth came from the node: see {out}/node.log')
    pictures = []
    for number, frame in enumerate(frames):
        stamp = frame.stamp_ns
        if stamp in heard.depth and stamp in heard.points:
            pictures.append(out / f'frame_{number:04d}.png')
            picture = overview(frame.image, heard.depth[stamp], heard.points[stamp],
                               heard.colours[stamp], frame.depth)
            cv2.imwrite(str(pictures[-1]), np.ascontiguousarray(picture[..., ::-1]))
    console.rule('[bold]2. How good it is: the same bag, evaluated offline')
    _evaluate(arguments, out)
    _say_what_next(arguments, out, pictures)


def _first(frames: Iterable[Frame], limit: int | None) -> Iterator[Frame]:
    """Return the first frames."""
    return islice(frames, limit)


def _spread(frames: list[Frame], count: int) -> list[Frame]:
    """Return frames evenly spread over all."""
    positions = np.linspace(0, len(frames) - 1, min(count, len(frames)) + 2)[1:-1]
    return [frames[index] for index in sorted({round(p) for p in positions})]


def _environment(domain: int) -> dict[str, str]:
    return {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1'}


@contextlib.contextmanager
def _node(arguments: argparse.Namespace, domain: int,
          log: Path) -> Iterator['subprocess.Popen[bytes]']:
    """Run the depth node while the block runs; it gets SIGINT and time to end orderly."""
    with log.open('wb') as stream:
        node = subprocess.Popen(
            [sys.executable, '-m', 'mde_ros.nodes.depth_node', '--ros-args',
             '-p', 'use_sim_time:=true', '-p', f'weights:={arguments.weights}'],
            stdout=stream, stderr=subprocess.STDOUT, env=_environment(domain))
        try:
            yield node
        finally:
            node.send_signal(signal.SIGINT)
            try:
                node.wait(15)
            except subprocess.TimeoutExpired:
                node.kill()


def _play(arguments: argparse.Namespace, domain: int, out: Path) -> None:
    """Play the bag as a camera, in another process."""
    command = [sys.executable, '-m', 'mde_ros.command_line.main', 'play', str(arguments.bag),
               '--clock', '--no-depth', '--wait-for-subscribers', '20', '--delay', '0.5',
               '--json', str(out / 'played.json')]
    if arguments.rate:
        command += ['--rate', str(arguments.rate)]
    if arguments.limit:
        command += ['--limit', str(arguments.limit)]
    done = subprocess.run(command, env=_environment(domain), capture_output=True, text=True)
    if done.returncode:
        raise DemoError(f'mde play: {(done.stderr or done.stdout).strip()}')


def _settled(values: dict[str, str], played: int) -> bool:
    """Tell whether the node has reported on every frame."""
    came = int(values.get('received', 0)) + int(values.get('lost before the node', 0))
    return came >= played and values.get('pending') == '0'


def _numbers(values: dict[str, str], played: int, depths: int) -> Table:
    """Return the table of what went in and came out."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    dropped = {key: value for key, value in values.items()
               if key.startswith('dropped') and value != '0'}
    rows = [('played', str(played)), ('received by the node', values.get('received', '-')),
            ('lost in transport', values.get('lost before the node', '-')),
            ('processed', values.get('processed', '-')),
            ('dropped because the network was busy', values.get('dropped_busy', '-')),
            *((f'{key}', value) for key, value in dropped.items() if key != 'dropped_busy'),
            ('depth images received here', str(depths)),
            ('network, median', f"{values.get('inference p50 (ms)', '-')} ms"),
            ('weights', values.get('model', '-'))]
    for row in rows:
        table.add_row(*row)
    return table


def _evaluate(arguments: argparse.Namespace, out: Path) -> None:
    """Score the bag with the estimator of the node."""
    command = [sys.executable, '-m', 'mde_ros.command_line.main', 'evaluate', str(arguments.bag),
               '--weights', str(arguments.weights), '--out', str(out),
               # As many threads as the node takes, so that the latencies are comparable.
               '--threads', str(max(1, (os.cpu_count() or 2) - 1))]
    if arguments.limit:
        command += ['--limit', str(arguments.limit)]
    width = str(max(100, console.width))
    if subprocess.run(command, env={**os.environ, 'COLUMNS': width}).returncode:
        raise DemoError('mde evaluate failed, see above')


def _say_what_next(arguments: argparse.Namespace, out: Path, pictures: list[Path]) -> None:
    """Name the results and three things to try."""
    console.rule('[bold]Results')
    for what, path in (('report', out / 'report.html'), ('numbers', out / 'result.json'),
                       *(('picture', path) for path in pictures)):
        console.print(f'  {what:<8} {_shown(path)}')
    frames = json.loads((out / 'played.json').read_text())['images']
    console.print(f'\nTry next, with your own bag in place of {_shown(arguments.bag)} '
                  f'({frames} frames):')
    for line in (f'.venv/bin/mde info {_shown(arguments.bag)}',
                 f'.venv/bin/mde evaluate {_shown(arguments.bag)} --live --rate 30',
                 '.venv/bin/depth_node --ros-args -r image:=/camera/image_raw'):
        console.print(f'  {line}')


def _shown(path: Path) -> str:
    """Return a path as one would type it here."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


if __name__ == '__main__':
    sys.exit(main())
