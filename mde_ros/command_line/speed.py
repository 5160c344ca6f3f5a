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

"""``mde benchmark speed``: measure, print, write JSON and a plot."""

import argparse
import json
import shlex
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from mde_ros.benchmarks.claims import write_json
from mde_ros.benchmarks.errors import BenchmarkError

LIVE_RATE = 30.


def run_speed(arguments: argparse.Namespace) -> int:
    """Measure and write; return 0."""
    from mde_ros.benchmarks.speed.benchmark import at, FULL, measure_speed, QUICK
    from mde_ros.benchmarks.speed.figure import speed_figure
    settings = at(FULL if arguments.size == 'full' else QUICK, weights=arguments.weights,
                  rounds=arguments.rounds, threads=arguments.threads, device=arguments.device)
    progress, console = Console(stderr=True), Console()
    # A table that is cut tells nothing: wide where the terminal's width is not known.
    console = console if console.is_terminal else Console(width=140)
    report: dict[str, Any] = {'command': 'mde ' + shlex.join(sys.argv[1:])}
    if arguments.live:
        report['live'] = live(arguments)
    report |= measure_speed(settings, lambda line: progress.print(line, highlight=False))
    # Settings hold tuples; what is written and what is read are the same.
    report = json.loads(json.dumps(report))
    folder = arguments.out / 'speed'
    write_json(folder / 'speed.json', report)
    (folder / 'speed.png').write_bytes(speed_figure(report))
    if arguments.json:
        write_json(arguments.json, report)
    for table in tables(report):
        console.print(table)
    console.print(f'wrote {folder}/speed.json and speed.png', highlight=False)
    return 0


def live(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """
    Return what a depth node does with a camera of 30 Hz, without and with a cloud.

    :raises BenchmarkError: without ROS 2.
    """
    try:
        from mde_ros.nodes.live_rate import measure_rate, measure_start, RateOptions
    except ImportError as error:
        raise BenchmarkError(f'--live needs ROS 2 (rclpy): {error}; source its setup.bash, or '
                             'pip install -r requirements-ros.txt') from error
    parameters = {'weights': arguments.weights, 'device': arguments.device,
                  **({'threads': arguments.threads} if arguments.threads else {})}
    wanted = [RateOptions(rate=LIVE_RATE, frames=arguments.live, cloud=cloud,
                          parameters=parameters) for cloud in (False, True)]
    rows = [measure_rate(options) for options in wanted]
    # After these the engine is in the cache.
    start = measure_start(wanted[0])
    return [{**row, 'start_to_first_depth_s': start} for row in rows]


def tables(report: dict[str, Any]) -> list[Table]:
    """Return the results for people."""
    made = []
    for row in report['networks']:
        table = Table('network', 'ms p50', 'p95', 'x torch', 'x T2Net', 'x roofline',
                      'differs', title=f"{row['input']}, {row['threads']} threads, "
                      f"{row['gmacs']:.2f} GMAC, at least {row['least_ms']:.1f} ms")
        for name, one in row['contenders'].items():
            table.add_row(name, f"{one['ms']['p50']:.2f}", f"{one['ms']['p95']:.2f}",
                          *(f'{one[key]:.2f}' if key in one else '' for key in (
                              'times_as_fast_as_torch', 'times_as_fast_as_t2net',
                              'times_of_roofline')),
                          f"{one['difference']['largest']:.1e}" if 'difference' in one else '')
        made.append(table)
    stages = list(report['frames'][0]['stages_ms'])
    table = Table('camera', *stages, 'not network', title="the frame's way, ms p50")
    for frame in report['frames']:
        table.add_row(f"{frame['camera']} {frame['encoding']}", *(
            f"{frame['stages_ms'][stage]['p50']:.2f}" for stage in stages),
            f"{frame['share_without_network']:.0%}")
    made.append(table)
    table = Table('cameras at once', 'ms a camera', 'x in turn')
    for one in report['cameras']:
        table.add_row(str(one['cameras']), f"{one['ms_a_camera']:.2f}",
                      f"{one['times_as_fast_as_in_turn']:.2f}")
    made.append(table)
    if 'live' in report:
        table = Table('live', 'processed', 'dropped', 'age p50 ms', 'p95', 'first depth s')
        for one in report['live']:
            table.add_row(
                f"{one['size']} {one['rate_hz']:g} Hz{' cloud' if one['cloud'] else ''}",
                f"{one['processed']} of {one['sent']}", str(sum(one['dropped'].values())),
                f"{one['node_age_ms']['p50']:.1f}", f"{one['node_age_ms']['p95']:.1f}",
                f"{one['start_to_first_depth_s']:.1f}")
        made.append(table)
    return made
