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

"""``mde export``: an engine file for robots, checked and measured."""

import argparse
from dataclasses import asdict
import json
from pathlib import Path
import shlex
import sys
from typing import Any

from rich.console import Console

from mde_ros.command_line.arguments import parse_size, whole_positive
from mde_ros.command_line.bag_arguments import add_bag_arguments, dataset_options
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.errors import MdeError

SIDE_MULTIPLE = 16
TYPICAL = 640, 480


class ExportOptionError(MdeError):
    """Options that cannot be exported with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--weights', default='shipped', help="weight file, or 'shipped'")
    parser.add_argument('--profile', default='', help='camera profile or store of these weights')
    parser.add_argument('--backend', default='openvino',
                        choices=('onnx', 'openvino', 'cuda', 'tensorrt'),
                        help='what the engine is checked and measured with; onnx and openvino '
                             'read the same file')
    parser.add_argument('--precision', default='fp32', choices=('fp32', 'bf16', 'fp16', 'int8'))
    parser.add_argument('--size', type=parse_size, metavar='WxH',
                        help="the network's input (default: what the camera of --calibration "
                             'needs, else a camera of 640x480)')
    parser.add_argument('--batch', type=whole_positive, default=1, metavar='N',
                        help='images at once')
    parser.add_argument('--calibration', metavar='DATA',
                        help='RGB-D folder, recording or bag of the very camera; INT8 is '
                             'calibrated on two thirds of its frames and judged by the rest')
    parser.add_argument('--split', help='frames of this split of meta.json only, such as adapt')
    parser.add_argument('--threads', type=whole_positive, default=1, help='CPU threads')
    parser.add_argument('--device', default='cpu', help="'cpu', 'cuda' or 'cuda:1'")
    parser.add_argument('--out', type=Path, required=True, metavar='FILE',
                        help='writes FILE.onnx and FILE.json')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the card there as well')
    add_bag_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Export, print, write."""
    # PyTorch takes seconds to import: not before the arguments are known to be right.
    from mde_ros.camera.resize import network_size
    from mde_ros.estimation.backends.base import EngineSpec, need_library
    from mde_ros.estimation.backends.engine_file import engine_path, save_engine
    from mde_ros.estimation.estimator import DepthEstimator
    for module in ('onnx', 'onnxruntime'):
        need_library('export', module, module)
    from mde_ros.estimation.export import export
    from mde_ros.evaluation.calibration_frames import collect, spread
    console = Console()
    area = arguments.size[0] * arguments.size[1] if arguments.size else None
    estimator = DepthEstimator(arguments.weights, profile=arguments.profile, input_area=area,
                               threads=arguments.threads)
    source = None
    if arguments.calibration:
        source = open_dataset(arguments.calibration, split=arguments.split,
                              **dataset_options(arguments))
    size = arguments.size
    if size is None:
        size = network_size(*TYPICAL, estimator.input_area)
        first = next(spread(source, len(source)), None) if source is not None else None
        if first is not None:
            seen = estimator.network_intrinsics(first.intrinsics)
            size = seen.width, seen.height
    if any(side % SIDE_MULTIPLE for side in size):
        raise ExportOptionError(f'--size {size[0]}x{size[1]}: both sides must be multiples of '
                                f'{SIDE_MULTIPLE}')
    spec = EngineSpec(size[0], size[1], arguments.precision, arguments.batch, arguments.threads,
                      arguments.device)
    material = None if source is None else collect(source, estimator, spec)
    data, card = export(estimator.engines.network, estimator.model_id, arguments.backend, spec,
                        material, notices=estimator.card.notices,
                        progress=lambda line: console.print(line, highlight=False))
    card = save_engine(arguments.out, data, card)
    fields: dict[str, Any] = {'command': 'mde ' + shlex.join(sys.argv[1:]), **asdict(card)}
    if arguments.json:
        arguments.json.write_text(json.dumps(fields, indent=1) + '\n')
    check, latency = card.check, card.latency_ms
    console.print(f'{card.model_id} as {card.precision} for {size[0]}x{size[1]} by '
                  f'{card.backend}', highlight=False)
    console.print(
        f"differs from torch by {check['largest']:.2e} at most, {check['mean']:.2e} in the mean, "
        f"relative, on {check['frames']} (tolerance {check['tolerance']:g} on the "
        f"{check['tolerance_on']})", highlight=False, soft_wrap=True)
    console.print(f"one run {latency['p50']} ms (p95 {latency['p95']} ms) on "
                  f"{latency['threads']} threads", highlight=False)
    console.print(f'wrote {engine_path(arguments.out)} and its card; set the parameter engine of '
                  'the depth node to it', highlight=False, soft_wrap=True)
    return 0
