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

"""``mde evaluate``: measure depth on a folder, a bag or through a running node."""

import argparse
from datetime import datetime, timezone
from pathlib import Path
import shlex
import sys
from typing import Any

from rich.console import Console

from mde_ros.command_line.arguments import (
    metres_list, parse_size, whole_number, whole_positive)
from mde_ros.command_line.bag_arguments import add_bag_arguments
from mde_ros.command_line.evaluate_run import run_network, SHIPPED
from mde_ros.evaluation.metrics import MAXIMUM, MINIMUM
from mde_ros.evaluation.protocols import (
    DepthProtocol, get_protocol, ProtocolError, PROTOCOLS)
from mde_ros.evaluation.requirements import Requirement, RequirementError, Verdict
from mde_ros.evaluation.result import EvaluationResult
from mde_ros.evaluation.result_files import check_writable, write_csv, write_json
from mde_ros.evaluation.result_tables import ResultTables
from mde_ros.evaluation.scoring import ScoringOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('what', help='RGB-D folder, bag or KIND:PATH, with reference depth')
    parser.add_argument('--weights', default=SHIPPED, help="weight file, or 'shipped'")
    parser.add_argument('--profile', default='', metavar='P',
                        help='camera profile of these weights: a file, or a store folder, whose '
                             'current profile counts')
    parser.add_argument('--split', help='frames of this split of meta.json only, such as score')
    parser.add_argument('--every', type=whole_positive, default=1, metavar='N',
                        help='take every Nth frame')
    parser.add_argument('--limit', type=whole_positive, metavar='N', help='take at most N frames')
    scoring = parser.add_argument_group('scoring')
    scoring.add_argument('--protocol', metavar='NAME',
                         help='crop, range, scaling and reference as a published evaluation has '
                              f'them: {", ".join(PROTOCOLS)}')
    scoring.add_argument('--flip', action='store_true',
                         help='average every prediction with that of the mirrored image, also '
                              'where the protocol does not')
    scoring.add_argument('--min-depth', type=float, default=argparse.SUPPRESS, metavar='M',
                         help='score reference depths beyond this many metres (default: '
                              f'{MINIMUM:g})')
    scoring.add_argument('--max-depth', type=float, default=argparse.SUPPRESS, metavar='M',
                         help='score reference depths nearer than this; 80 for roads (default: '
                              f'{MAXIMUM:g})')
    scoring.add_argument('--border', type=whole_number, default=argparse.SUPPRESS, metavar='PX',
                         help='leave out so many pixels along each side of the images '
                              '(default: 0)')
    scoring.add_argument('--ranges', type=metres_list, metavar='M,M,...',
                         help='inner edges of the table by range (default: 1,2,4, on roads '
                              '10,20,40)')
    scoring.add_argument('--latency-only', action='store_true',
                         help='measure time only; no reference depth needed')
    scoring.add_argument('--require', action='append', default=[], metavar='FIELD<VALUE',
                         help='fail (exit code 1) unless it holds, such as '
                              "'median_scaled.abs_rel<0.325'; FIELD and VALUE may name any "
                              'number of the JSON; may be repeated')
    running = parser.add_argument_group('running')
    running.add_argument('--size', type=parse_size, metavar='WxH',
                         help="area of the network's input, in the camera's own aspect "
                              '(default: that of the weights)')
    running.add_argument('--threads', type=whole_positive, help='CPU threads of the network')
    running.add_argument('--device', default='cpu', help="'cpu', 'cuda' or another of PyTorch")
    running.add_argument('--backend', help="what runs the network: 'torch', 'onnx', 'openvino', "
                                           "... or 'auto' (default: torch; with --live what the "
                                           'node takes)')
    running.add_argument('--precision', help="'fp32', 'bf16' or 'fp16' (default: fp32)")
    running.add_argument('--engine', metavar='FILE', help='of mde export, in place of --precision')
    live = parser.add_argument_group('live: play the data to a real depth node and score what '
                                     'it publishes')
    live.add_argument('--live', action='store_true',
                      help='start the depth node in another process and play to it over DDS')
    live.add_argument('--node', metavar='NS', help='play to the node running in this namespace '
                                                   'instead; implies --live')
    live.add_argument('--rate', type=float, metavar='HZ',
                      help='frames per second (default: as the stamps say)')
    live.add_argument('--reliability', choices=('reliable', 'best_effort'), default='reliable',
                      help='of the image publisher')
    live.add_argument('--transport', choices=('raw', 'compressed'), default='raw',
                      help='how images are sent')
    add_bag_arguments(parser)
    output = parser.add_argument_group('output')
    output.add_argument('--json', type=Path, metavar='FILE', help='write the whole result')
    output.add_argument('--csv', type=Path, metavar='FILE', help='write one row a frame')
    output.add_argument('--report', type=Path, metavar='FILE.html',
                        help='write one self-contained page with plots and pictures')
    output.add_argument('--out', type=Path, metavar='DIR',
                        help='write result.json, frames.csv and report.html there')
    output.add_argument('--quiet', action='store_true', help='print only failed requirements')


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print, write; return 1 when a requirement does not hold."""
    requirements = [Requirement.parse(text) for text in arguments.require]
    arguments.protocol, options = _scoring(arguments)
    _fill_out(arguments)
    for path in (arguments.json, arguments.csv, arguments.report):
        if path:
            check_writable(path)
    material = _material(arguments, options)
    result = run_network(arguments, options, [material] if material else [])
    fields = result.to_dict()
    fields['command'] = 'mde ' + shlex.join(sys.argv[1:])
    fields['finished'] = datetime.now(timezone.utc).isoformat(timespec='seconds')
    verdicts, mistakes = _judge(requirements, fields)
    fields['requirements'] = [{'text': v.text, 'holds': v.holds} for v in verdicts]
    console = Console()
    if not arguments.quiet:
        console.print(ResultTables(fields))
    written = _write(arguments, result, fields, material)
    if not arguments.quiet:
        for path in written:
            console.print(f'wrote {path}', highlight=False, soft_wrap=True)
    for verdict in verdicts:
        if not (verdict.holds and arguments.quiet):
            console.print(('[green]met[/] ' if verdict.holds else '[red]FAILED[/] ')
                          + verdict.line, highlight=False, soft_wrap=True)
    if mistakes:
        raise mistakes[0]
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _scoring(arguments: argparse.Namespace) -> tuple[DepthProtocol | None, ScoringOptions]:
    """
    Return the protocol and what is scored; fill in the defaults of range and border.

    :raises ProtocolError: naming the two options that do not go together.
    """
    protocol = get_protocol(arguments.protocol) if arguments.protocol else None
    live = arguments.live or arguments.node is not None
    if protocol:
        for name in ('min_depth', 'max_depth', 'border'):
            if hasattr(arguments, name):
                raise ProtocolError(f'--protocol {protocol.name} does not go with '
                                    f'--{name.replace("_", "-")}: it sets range and crop itself')
        if arguments.latency_only:
            raise ProtocolError(f'--protocol {protocol.name} does not go with --latency-only, '
                                'which scores nothing')
        if live and (protocol.flip or protocol.input_crop != 'none'):
            what = 'flips' if protocol.flip else 'crops'
            raise ProtocolError(f'--protocol {protocol.name} does not go with --live: it {what} '
                                'what the network is given')
    if arguments.flip and live:
        raise ProtocolError('--flip does not go with --live: the node runs once a frame')
    arguments.border = getattr(arguments, 'border', 0)
    if protocol:
        return protocol, protocol.options(arguments.ranges)
    return None, ScoringOptions(getattr(arguments, 'min_depth', MINIMUM),
                                getattr(arguments, 'max_depth', MAXIMUM), arguments.ranges)


def _judge(requirements: list[Requirement],
           fields: dict[str, Any]) -> tuple[list[Verdict], list[RequirementError]]:
    """Return verdicts, and the requirements that name nothing: no reason to lose the rest."""
    verdicts, mistakes = [], []
    for requirement in requirements:
        try:
            verdicts.append(requirement.judge(fields))
        except RequirementError as error:
            mistakes.append(error)
    return verdicts, mistakes


def _material(arguments: argparse.Namespace, options: ScoringOptions) -> Any:
    """Return the collector of the report's pictures, None when no report is wanted."""
    if not arguments.report or arguments.latency_only:
        return None
    from mde_ros.evaluation.material import drawn_range, ReportMaterial
    return ReportMaterial(*drawn_range(options.minimum, options.maximum))


def _write(arguments: argparse.Namespace, result: EvaluationResult, fields: dict[str, Any],
           material: Any) -> list[Path]:
    written = []
    if arguments.json:
        write_json(arguments.json, fields)
        written.append(arguments.json)
    if arguments.csv:
        write_csv(arguments.csv, result)
        written.append(arguments.csv)
    if arguments.report:
        from mde_ros.evaluation.report import write_report
        write_report(arguments.report, result, fields, material)
        written.append(arguments.report)
    return written


def _fill_out(arguments: argparse.Namespace) -> None:
    """Let --out name the files that have no option of their own."""
    if arguments.out:
        arguments.json = arguments.json or arguments.out / 'result.json'
        arguments.csv = arguments.csv or arguments.out / 'frames.csv'
        arguments.report = arguments.report or arguments.out / 'report.html'
