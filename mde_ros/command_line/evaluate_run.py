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

"""The network runs for ``mde evaluate``: in this process, or in a depth node that is played to."""

import argparse
from pathlib import Path
import sys
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from mde_ros.command_line.bag_arguments import dataset_options
from mde_ros.datasets.frame import FrameSource
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.evaluation.evaluator import evaluate, EvaluationError, source_facts
from mde_ros.evaluation.result import EvaluationResult
from mde_ros.evaluation.scoring import ScoringOptions

# As mde_ros.estimation.weights has it, whose import would take seconds.
SHIPPED = 'shipped'


def run_network(arguments: argparse.Namespace, options: ScoringOptions,
                observers: list[Any]) -> EvaluationResult:
    """
    Run the network on the data that ``mde evaluate`` was given, and score it.

    :param arguments: of the command, ``protocol`` and ``border`` resolved.
    :param options: what is scored.
    :param observers: see frames and depth as they come, such as the report's pictures.
    :raises EvaluationError: for options that do not go together.
    """
    source = open_dataset(arguments.what, split=arguments.split,
                          read_depth=not arguments.latency_only, **dataset_options(arguments))
    area = arguments.size[0] * arguments.size[1] if arguments.size else None
    if arguments.protocol:
        arguments.protocol.check_source(source)
    if arguments.live or arguments.node is not None:
        result = _run_live(arguments, options, observers, source, area)
        result.protocol = arguments.protocol.to_dict() if arguments.protocol else None
    else:
        result = _run_offline(arguments, options, observers, source, area)
    result.data.update(path=str(arguments.what), split=arguments.split, **source_facts(source))
    return result


def _run_live(arguments: argparse.Namespace, options: ScoringOptions, observers: list[Any],
              source: FrameSource, area: int | None) -> EvaluationResult:
    if arguments.latency_only:
        raise EvaluationError('--latency-only does not go with --live: give data with depth')
    if arguments.rate is not None and arguments.rate <= 0:
        raise EvaluationError(f'--rate {arguments.rate:g}: give a rate above 0')
    try:
        from mde_ros.nodes.live_evaluation import evaluate_live, LiveOptions
    except ImportError as error:
        raise EvaluationError(f'--live needs ROS 2 (rclpy): {error}; source its setup.bash, or '
                              'pip install -r requirements-ros.txt') from error
    weights, profile = arguments.weights, arguments.profile
    if profile:  # the node goes on without a store that is not there; a measurement must not
        from mde_ros.estimation.profile_store import resolve_profile
        resolve_profile(profile)
    parameters = {'weights': weights if weights == SHIPPED else str(Path(weights).resolve()),
                  'profile': str(Path(profile).resolve()) if profile else '',
                  'device': arguments.device, 'threads': arguments.threads or 0,
                  'input_area': area or 0, **_runtime(arguments)}
    return evaluate_live(
        source, options, LiveOptions(
            arguments.node, parameters, arguments.rate, arguments.reliability,
            arguments.transport, arguments.every, arguments.limit),
        border=arguments.border, observers=observers)


def _runtime(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return back end, precision and engine as far as they were given."""
    given = {name: getattr(arguments, name) for name in ('backend', 'precision', 'engine')}
    if given['engine']:
        given['engine'] = str(Path(given['engine']).resolve())
    return {name: value for name, value in given.items() if value}


def _run_offline(arguments: argparse.Namespace, options: ScoringOptions, observers: list[Any],
                 source: FrameSource, area: int | None) -> EvaluationResult:
    # PyTorch takes seconds to import: not before the arguments are known to be right.
    from mde_ros.estimation.estimator import DepthEstimator
    estimator = DepthEstimator(arguments.weights, profile=arguments.profile, input_area=area,
                               threads=arguments.threads, device=arguments.device,
                               **_runtime(arguments))
    total = -(-len(source) // arguments.every)
    if arguments.limit:
        total = min(total, arguments.limit)
    with Progress(*Progress.get_default_columns()[:3], MofNCompleteColumn(),
                  TimeElapsedColumn(), TimeRemainingColumn(),
                  console=Console(stderr=True), transient=True,
                  disable=arguments.quiet or not sys.stderr.isatty()) as progress:
        task = progress.add_task(source.name, total=total)
        return evaluate(
            source, estimator, options, border=arguments.border, every=arguments.every,
            limit=arguments.limit, latency_only=arguments.latency_only,
            protocol=arguments.protocol, flip=arguments.flip, observers=observers,
            progress=lambda: progress.advance(task))
