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

"""``mde train``: a depth network from labelled data, with or without a target."""

import argparse
from dataclasses import fields
import json
import os
from pathlib import Path
import re
from typing import Any

from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
import torch

from mde_ros.adaptation.augmentation import make_sample
from mde_ros.adaptation.encoder_start import start_encoder
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.methods.registry import method_named, METHODS
from mde_ros.adaptation.train_config import PARTS, TrainConfig
from mde_ros.adaptation.trainer import Trainer
from mde_ros.adaptation.training_data import TrainingData
from mde_ros.adaptation.validation import Validation
from mde_ros.command_line.arguments import parse_sizes
from mde_ros.command_line.config_option import apply_config, Given
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.registry import open_spec, parse_spec
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, normalise, SIZES

# Fields of TrainConfig that are options of the same name.
OPTIONS = [f for f in fields(TrainConfig) if f.name not in ('sizes', 'network', *PARTS)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--source', required=True, nargs='+', metavar='DATA',
                        help='labelled data: RGB-D folders, FOLDER or FOLDER:SPLIT, and data '
                             'sets, KIND:PATH?key=value, such as nyu:PATH?split=train')
    parser.add_argument('--source-weight', type=float, nargs='+', metavar='W',
                        help='how often each folder is drawn (by its number of frames)')
    parser.add_argument('--out', type=Path, required=True,
                        help='folder of the run; the same command resumes it')
    parser.add_argument('--config', type=Path, metavar='FILE',
                        help='YAML of settings, such as config/methods/lfda.yaml; options that '
                             'are given go before it')
    parser.add_argument('--network', choices=sorted(SIZES), default='base', action=Given,
                        help='size')
    parser.add_argument('--weights', help='weights to start from')
    parser.add_argument('--encoder-start', metavar='FILE',
                        help='ImageNet MobileNetV2 weights for the encoder')
    parser.add_argument('--validation', metavar='DATA',
                        help='labelled source frames kept apart, scored while training')
    parser.add_argument('--validation-frames', type=int, default=60)
    parser.add_argument('--sizes', type=parse_sizes, default=TrainConfig.sizes, action=Given,
                        metavar='WxH:SHARE,...', help='input sizes and their share of the steps')
    for field in OPTIONS:
        parser.add_argument('--' + field.name.replace('_', '-'), type=type(field.default),
                            default=field.default, action=Given, help=help_of(field.name))
    # Only --config sets the parts of methods.
    parser.set_defaults(**{name: kind() for name, kind in PARTS.items()})
    parser.add_argument('--method', choices=list(METHODS), default='source_only', action=Given,
                        help='; '.join(f'{m.name}: {m.summary}' for m in METHODS.values()))
    parser.add_argument('--target', nargs='+', default=[], metavar='DATA',
                        help='unlabelled data of the target, for all methods but source_only')
    parser.add_argument('--name', default='trained', help='name on the weight card')
    parser.add_argument('--notice', action='append', default=[],
                        help='licence notice that has to travel with the weights')
    parser.add_argument('--workers', type=int, default=1, help='processes that make samples')
    parser.add_argument('--threads', type=int, help='CPU threads of PyTorch')
    parser.add_argument('--device', default='cpu', help="'cpu', 'cuda', as Fabric names them")
    parser.add_argument('--json', type=Path, help='write loss history, time and memory')


def help_of(field: str) -> str:
    """Return what the docstring of TrainConfig says about a field."""
    found = re.search(rf':param {field}: (.*?)(?=:param|\Z)', TrainConfig.__doc__ or '', re.S)
    return ' '.join(found[1].split()).rstrip('.') if found else field


def open_source(text: str, read_depth: bool = True) -> IndexedDataset:
    """Open 'FOLDER', 'FOLDER:SPLIT' or 'KIND:PATH?key=value'; a path that exists comes first."""
    spec = parse_spec(text)
    if spec.kind:
        return open_spec(spec, read_depth=read_depth)
    path, split = text, ''
    if ':' in Path(text).name and not Path(text).exists():
        path, _, split = text.rpartition(':')
    return RgbdFolder(path, split=split or None, read_depth=read_depth)


def run(arguments: argparse.Namespace) -> int:
    """Train or resume, write OUT/weights.safetensors and its card."""
    apply_config(arguments, arguments.config, ('method', *(f.name for f in fields(TrainConfig))))
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    start_card = None
    if arguments.weights:
        network, start_card = load_weights(arguments.weights)
        network_config = start_card.network
    else:
        # A configuration file may give its fields instead of a name.
        network_config = (SIZES[arguments.network] if isinstance(arguments.network, str)
                          else arguments.network)
    config = TrainConfig(sizes=arguments.sizes, network=network_config, **{
        name: getattr(arguments, name) for name in (*PARTS, *(f.name for f in OPTIONS))})
    method = method_named(arguments.method)
    if method.needs_target != bool(arguments.target):
        raise TrainingError(f'method {method.name} ' + (
            'needs a target: give --target FOLDER' if method.needs_target
            else 'uses no target: leave --target out, or choose another --method'))
    sources = [open_source(text) for text in arguments.source]
    targets = [open_source(text, read_depth=False) for text in arguments.target]
    data = TrainingData(sources, config, arguments.source_weight, targets)
    fabric = open_fabric(arguments.device, config)
    fabric.launch()
    torch.manual_seed(config.seed)
    notices = list(arguments.notice)
    if not arguments.weights:
        network = DepthNetwork(network_config)
        if arguments.encoder_start:
            notices.append(start_encoder(network.content_encoder, arguments.encoder_start,
                                         _first_images(data, sources)))
    else:
        notices += start_card.notices if start_card else []
    trainer = Trainer(
        method(network, config), data, arguments.out, fabric,
        {'sources': [[str(t), len(s)] for t, s in zip(arguments.source, sources)],
         'targets': [[str(t), len(s)] for t, s in zip(arguments.target, targets)],
         'source_weight': arguments.source_weight, 'start': arguments.weights,
         'encoder_start': arguments.encoder_start}, arguments.workers)
    validation = Validation(open_source(arguments.validation), arguments.validation_frames,
                            config) if arguments.validation else None
    if trainer.step:
        fabric.print(f'resumed at step {trainer.step}')
    result = _run_with_progress(trainer, validation, config.steps, fabric)
    if fabric.is_global_zero:
        _write(arguments, config, trainer, result, sources, notices, validation)
    return 0


def open_fabric(device: str, config: TrainConfig) -> Fabric:
    """
    Return the devices of this process and, under torchrun, of its peers.

    :raises TrainingError: for a device that is not there.
    """
    try:
        # torchrun says how many machines there are and how many processes on this one.
        return Fabric(accelerator=device, devices=int(os.environ.get('LOCAL_WORLD_SIZE', '1')),
                      num_nodes=int(os.environ.get('GROUP_WORLD_SIZE', '1')),
                      precision=config.precision)  # type: ignore[arg-type]
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"--device '{device}' cannot be used: {reason}") from error


def _first_images(data: TrainingData, sources: list[IndexedDataset], count: int = 48
                  ) -> torch.Tensor:
    """Return a batch of pictures as training sees them, to measure statistics on."""
    import numpy as np
    width, height = data.config.size_at(0)
    rng = np.random.default_rng(data.config.seed)
    images = []
    for number in range(count):
        source = sources[number % len(sources)]
        frame = source.get(int(rng.integers(len(source))))
        if frame is not None and frame.depth is not None:
            images.append(make_sample(frame, width, height, data.config, rng).image)
    if not images:
        raise TrainingError(f'{sources[0].name}: no readable labelled frame')
    return normalise(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))


def _run_with_progress(trainer: Trainer, validation: Validation | None, steps: int,
                       fabric: Fabric) -> DepthNetwork:
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not fabric.is_global_zero) as bar:
        task = bar.add_task('training', total=steps, completed=trainer.step)
        smooth = [float('nan')]

        def progress(step: int, losses: dict[str, float]) -> None:
            loss = losses['loss']
            smooth[0] = loss if smooth[0] != smooth[0] else .98 * smooth[0] + .02 * loss
            bar.update(task, completed=step, description=f'loss {smooth[0]:.3f}')
            if 'validation/abs_rel' in losses or (not console.is_terminal and step % 100 == 0):
                values = '  '.join(f'{k.split("/")[1]} {v:.4f}' for k, v in losses.items()
                                   if k.startswith('validation/'))
                console.print(f'step {step}  loss {smooth[0]:.4f}  {values}')

        return trainer.run(validation, progress)


def _write(arguments: argparse.Namespace, config: TrainConfig, trainer: Trainer,
           network: DepthNetwork, sources: list[IndexedDataset], notices: list[str],
           validation: Validation | None) -> None:
    width, height = config.sizes[-1][1:]
    data: list[dict[str, Any]] = [
        {'name': source.name, 'frames': len(source),
         **{key: source.meta[key] for key in ('camera', 'licence', 'source', 'seed')
            if key in source.meta}} for source in sources]
    facts = {'method': arguments.method, 'config': config.to_dict(),
             'start': Path(arguments.weights or arguments.encoder_start or 'random').name,
             'seconds': round(trainer.seconds, 1)}
    scores = {validation.source.name: validation(network)} if validation else {}
    card = save_weights(arguments.out / 'weights', network, WeightCard(
        arguments.name, config.network, width * height, (config.min_depth, config.max_depth),
        data, facts, scores, notices))
    Console().print(f'{arguments.out / "weights.safetensors"}: {card.model_id}', scores or '',
                    soft_wrap=True)
    if arguments.json:
        from mde_ros.adaptation.history import read_history
        arguments.json.write_text(json.dumps({
            **facts, 'peak_memory_mb': round(trainer.peak_memory_mb),
            'validation': scores, 'history': read_history(arguments.out / 'history.jsonl')},
            indent=1) + '\n')
