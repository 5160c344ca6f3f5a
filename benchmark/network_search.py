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
Train networks of several sizes alike and tell which give the best accuracy at their latency.

    .venv/bin/python benchmark/network_search.py --threads 1 --seeds 0 1
        --score DATA/d435_lab_floor DATA/xtion_ist_a --json results/network_search.json
        --plot docs/images/network_search.png --markdown docs/speed.md

Rooms that ``mde benchmark`` renders (made where they are missing) are split by room: all but the
last 15 % train, the others are scored by the estimator of the depth node. Every candidate starts
from RANDOM weights and takes the same steps on the same samples in the same order. None has an
ImageNet start, which there is only for width 1.0: errors compare sizes, they are not what a
finished training reaches. Input sizes are scored with weights that are there already.

Stopped and started again it goes on; latencies are measured anew at every start.
"""

import argparse
from collections.abc import Sequence
import logging
import os
from pathlib import Path
import shlex
import sys
from typing import Any

import cv2
from rich.console import Console
import torch

from mde_ros.benchmarks.claims import sole, write_json
from mde_ros.benchmarks.data import DataMaker
from mde_ros.benchmarks.input_sizes import score_input_sizes
from mde_ros.benchmarks.network_search import CANDIDATES, judge, Search, split_by_room
from mde_ros.benchmarks.network_search_figure import search_figure
from mde_ros.benchmarks.network_search_page import page
from mde_ros.benchmarks.scenarios import SCENARIOS
from mde_ros.benchmarks.settings import Settings
from mde_ros.benchmarks.speed.network_latency import measure_apart, with_ratio
from mde_ros.benchmarks.summary import ERROR
from mde_ros.benchmarks.training import Machine
from mde_ros.command_line.arguments import parse_size, whole_positive
from mde_ros.estimation.backends.cache import library_versions
from mde_ros.estimation.weights import load_card
from mde_ros.evaluation.surroundings import machine, versions
from mde_ros.network.complexity import count
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.network.fold import fold_network

BEGIN, END = '<!-- network sizes -->', '<!-- end of network sizes -->'
AREAS = ((160, 120), (224, 168), (256, 192), (320, 240), (384, 288), (448, 336))
REFERENCE = 'base'
# Rooms by camera A, all of one focal length.
SOURCE = SCENARIOS['cross_camera'].source[0]
START = 'random weights (no ImageNet start: there is one only for width 1.0)'


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('runs/benchmark/quick/data'),
                        metavar='DIR', help='rendered rooms of mde benchmark')
    parser.add_argument('--out', type=Path, default=Path('runs/network_search'), metavar='DIR')
    parser.add_argument('--candidates', nargs='+', choices=list(CANDIDATES), metavar='NAME',
                        default=list(CANDIDATES), help=f"of {', '.join(CANDIDATES)}; the shipped "
                        f"sizes {' and '.join(SIZES)} always take part")
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1], metavar='N')
    parser.add_argument('--steps', type=whole_positive, default=1500, metavar='N')
    parser.add_argument('--batch', type=whole_positive, default=8, metavar='N')
    parser.add_argument('--size', type=parse_size, default=(128, 96), metavar='WxH',
                        help='input in training, and of the scored frames')
    parser.add_argument('--frames', type=whole_positive, default=Settings.source_frames,
                        metavar='N', help='rendered frames')
    parser.add_argument('--frame-size', type=parse_size, metavar='WxH', default=(
        Settings.frame_width, Settings.frame_height))
    parser.add_argument('--input', type=parse_size, default=(320, 240), metavar='WxH',
                        help='input at which candidates are timed')
    parser.add_argument('--score', type=Path, nargs='+', default=[], metavar='FOLDER',
                        help='indoor RGB-D folders on which input sizes are scored')
    parser.add_argument('--weights', default='shipped', help='whose input sizes are scored')
    parser.add_argument('--areas', type=parse_size, nargs='+', default=list(AREAS), metavar='WxH')
    parser.add_argument('--rounds', type=whole_positive, default=30, metavar='N')
    parser.add_argument('--device', default='cpu', help="'cpu' or 'cuda'")
    parser.add_argument('--threads', type=whole_positive, default=1)
    parser.add_argument('--workers', type=int, default=1, help='processes that make samples')
    parser.add_argument('--json', type=Path, metavar='FILE')
    parser.add_argument('--plot', type=Path, metavar='FILE', help='PNG')
    parser.add_argument('--markdown', type=Path, metavar='FILE',
                        help=f'page whose text between {BEGIN} and {END} becomes the tables')
    return parser.parse_args(arguments)


def timed(options: argparse.Namespace, names: Sequence[str], rows: list[dict[str, Any]]
          ) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Time all candidates and input sizes in one run.

    :param rows: of the input sizes; each gets its 'latency'.
    :return: facts by candidate, and which back end judges and which are not there.
    """
    networks = {name: (CANDIDATES[name], options.input) for name in names}
    own = load_card(options.weights).network
    sizes = {f"input {row['input']}": (own, tuple(row['size'])) for row in rows}
    times, missing = measure_apart({**networks, **sizes}, options.rounds, options.threads,
                                   options.device)
    usual = next((row for row in rows if row['shipped']), rows[0])
    for row in rows:
        row['latency'] = with_ratio(times, f"input {row['input']}", f"input {usual['input']}")
    facts = {}
    for name, (config, size) in networks.items():
        cost = count(fold_network(DepthNetwork(config)), *size)
        facts[name] = {'network': config.to_dict(), 'shipped': name in SIZES,
                       'parameters': cost.parameters, 'gmacs': round(cost.gmacs, 4),
                       'latency': with_ratio(times, name, REFERENCE)}
    return facts, {'judged_by': next(iter(times)), 'missing': missing}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is not finished, time everything, write what was asked for."""
    options = parse(arguments)
    logging.getLogger('lightning_fabric').setLevel(logging.WARNING)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    if options.markdown:
        options.markdown.read_text().index(BEGIN)  # not after all the work
    console = Console(stderr=True)
    settings = Settings(
        source_frames=options.frames, frame_width=options.frame_size[0],
        frame_height=options.frame_size[1], width=options.size[0], height=options.size[1],
        warm_steps=0, steps=options.steps, batch=options.batch)
    with sole(options.data):
        rooms = DataMaker(settings, options.data, report=console.print).part(SOURCE)
    with sole(options.out):
        train, held_out = split_by_room(rooms.path, options.out / rooms.path.name)
        sizes = score_input_sizes(options.weights, options.areas, options.score,
                                  options.out / 'input_sizes', options.device, console.print)
        names = [name for name in CANDIDATES if name in (*options.candidates, *SIZES)]
        facts, measured = timed(options, names, sizes)
        search = Search({name: CANDIDATES[name] for name in names}, settings, train, held_out,
                        options.seeds, options.out, Machine(options.device, options.workers),
                        lambda title, steps: console.print(f'{title}: {steps} steps'))
        rows: list[dict[str, Any]] = []
        for row in search.run():
            rows.append(row)
            console.print(f"{row['name']}, seed {row['seed']}: Abs Rel "
                          f"{row['raw'][ERROR]:.3f}, trained {row['seconds']:.0f} s")
            report = {
                'command': '.venv/bin/python benchmark/network_search.py '
                           + shlex.join(arguments or sys.argv[1:]),
                'machine': machine(), 'versions': {**versions(), **library_versions()},
                'settings': {
                    **settings.to_dict(), 'size': f'{settings.width}x{settings.height}',
                    'input': 'x'.join(map(str, options.input)), 'start': START,
                    'train_frames': train.to_dict()['frames'],
                    'scored_frames': held_out.to_dict()['frames'], 'rounds': options.rounds,
                    'threads': options.threads, 'device': options.device},
                'seeds': options.seeds, 'model': load_card(options.weights).model_id, **measured,
                **judge(facts, rows), 'input_sizes': sizes, 'failures': search.failures,
                'rows': rows}
            # After every cell: whoever looks in has what is there.
            write_json(options.json or options.out / 'results.json', report)
            (options.out / 'front.png').write_bytes(search_figure(report))
    for failed in search.failures:
        console.print(f"failed: {failed['name']}, seed {failed['seed']}: {failed['reason']}")
    if not rows:
        return 1
    if options.plot:
        options.plot.write_bytes(search_figure(report))
    text = page(report, os.path.relpath(
        options.plot, (options.markdown or options.plot).parent) if options.plot else '')
    print(text)
    if options.markdown:
        before = options.markdown.read_text()
        options.markdown.write_text(
            before[:before.index(BEGIN)] + f'{BEGIN}\n{text}\n' + before[before.index(END):])
    return 1 if search.failures else 0


if __name__ == '__main__':
    sys.exit(main())
