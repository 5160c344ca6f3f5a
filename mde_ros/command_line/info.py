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

"""``mde info``: what a weight file or a data set holds."""

import argparse
from itertools import islice
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mde_ros.command_line.arguments import parse_size
from mde_ros.command_line.bag_arguments import add_bag_arguments, dataset_options
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.estimation.profile import load_profile
from mde_ros.estimation.profile_card import FORMAT as PROFILE_FORMAT
from mde_ros.estimation.profile_store import CURRENT, ProfileStore
from mde_ros.estimation.weights import load_weights, SHIPPED
from mde_ros.evaluation.contact_sheet import contact_sheet, SHEET_FRAMES
from mde_ros.network.complexity import count
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.network.fold import fold_network

DEPTH_EDGES = (0., .5, 1., 1.5, 2., 3., 4., 6., 8., 10., 15., 20.)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('what', help="weight file, 'shipped', 'small', 'base', camera profile, "
                                     'profile store, folder, bag or data set '
                                     'KIND:PATH?key=value')
    parser.add_argument('--size', type=parse_size, default='320x240',
                        help='network input size at which multiply-accumulates are counted')
    parser.add_argument('--limit', type=int, default=200, help='frames of a data set to read')
    parser.add_argument('--sheet', type=Path, metavar='FILE.png',
                        help='write a contact sheet of a data set: pictures and coloured depth')
    parser.add_argument('--json', type=Path, help='write what is printed as JSON')
    add_bag_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print, and write --json."""
    what = arguments.what
    if (Path(what) / CURRENT).exists():
        facts = store_facts(Path(what))
    elif is_profile(Path(what)):
        facts = profile_facts(Path(what))
    elif what in SIZES or what == SHIPPED or Path(what).suffix in ('.safetensors', '.json'):
        facts = weight_facts(what, arguments.size)
    else:
        source = open_dataset(what, **dataset_options(arguments))
        facts = data_facts(source, arguments.limit)
        if arguments.sheet:
            write_sheet(arguments.sheet, sheet_frames(source, arguments.limit))
    table = Table(title=str(what), show_header=False)
    for key, value in facts.items():
        table.add_row(key, value if isinstance(value, str) else json.dumps(value))
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(facts, indent=1) + '\n')
    return 0


def weight_facts(what: str, size: tuple[int, int]) -> dict[str, Any]:
    """Return parameters, GMACs and the card of weights, or of a size of network."""
    if what in SIZES:
        network, card = DepthNetwork(SIZES[what]), None
    else:
        network, card = load_weights(what)
    # The inference path: statistics and style folded, as it runs on the robot.
    cost = count(fold_network(network), *size)
    facts: dict[str, Any] = {
        'parameters': cost.parameters, 'gmacs': round(cost.gmacs, 4),
        'size': f'{size[0]}x{size[1]}',
        'network': network.config.to_dict()}
    if card:
        facts.update({key: value for key, value in card.to_dict().items() if key != 'network'})
        facts['model_id'] = card.model_id
    return facts


def is_profile(path: Path) -> bool:
    """Return whether a .safetensors or .json file is a camera profile by its card."""
    if path.suffix not in ('.safetensors', '.json'):
        return False
    try:
        card = json.loads(path.with_suffix('.json').read_text())
    except (OSError, ValueError):
        return False
    return isinstance(card, dict) and card.get('format') == PROFILE_FORMAT


def profile_facts(path: Path) -> dict[str, Any]:
    """Return what a profile changes, and its card."""
    tensors, card = load_profile(path)
    return {'profile_id': card.profile_id, 'tensors': len(tensors),
            'values': sum(value.numel() for value in tensors.values()), **card.to_dict()}


def store_facts(folder: Path) -> dict[str, Any]:
    """Return the profiles of a store and their history."""
    store = ProfileStore(folder)
    current = store.current()
    return {
        'current': current.stem if current else None,
        'profiles': {entry.name: entry.problem or (
            f'{entry.card.profile_id}, {entry.card.method or "scale alone"}, '
            f'x {entry.card.scale.factor:.3f} ({entry.card.scale.source}), {entry.card.created}')
            if entry.card else entry.problem for entry in store.entries()},
        'history': store.history()}


def data_facts(source: IndexedDataset | BagFrames, limit: int) -> dict[str, Any]:
    """Return counts, intrinsics and the depth histogram of the first ``limit`` frames."""
    cameras: dict[str, int] = {}
    histogram = np.zeros(len(DEPTH_EDGES), np.int64)
    read = labelled = pixels = valid = 0
    for frame in source:
        if read == limit:
            break
        read += 1
        k = frame.intrinsics
        camera = (f'{k.width}x{k.height} fx {k.fx:.1f} fy {k.fy:.1f} cx {k.cx:.1f} '
                  f'cy {k.cy:.1f} {k.distortion_model}')
        cameras[camera] = cameras.get(camera, 0) + 1
        if frame.depth is not None:
            labelled += 1
            depths = frame.depth[np.isfinite(frame.depth)]
            pixels, valid = pixels + frame.depth.size, valid + depths.size
            histogram += np.histogram(depths, (*DEPTH_EDGES, np.inf))[0]
    total = max(int(histogram.sum()), 1)
    # What a data set says of itself; sizes and lists stand elsewhere.
    said = {key: value for key, value in getattr(source, 'meta', {}).items()
            if isinstance(value, (str, bool)) and value}
    return {
        **said,
        'frames': len(source), 'read': read, 'labelled': labelled, 'skipped': source.skipped,
        'cameras': dict(list(cameras.items())[:8]), 'different_cameras': len(cameras),
        'valid_pixels': round(valid / max(pixels, 1), 4),
        'depth_histogram': {
            f'{low:g}-{high:g} m': round(int(n) / total, 4) for low, high, n in zip(
                DEPTH_EDGES, (*DEPTH_EDGES[1:], float('inf')), histogram)}}


def sheet_frames(source: IndexedDataset | BagFrames, limit: int) -> list[Frame]:
    """Return readable frames spread over the whole data set, of a bag over the first ones."""
    if isinstance(source, IndexedDataset):
        indices = np.unique(np.linspace(0, len(source) - 1, SHEET_FRAMES).round().astype(int))
        return [frame for index in indices if (frame := source.get(int(index))) is not None]
    step = max(1, min(limit, len(source)) // SHEET_FRAMES)
    return list(islice(source, 0, SHEET_FRAMES * step, step))


def write_sheet(path: Path, frames: list[Frame]) -> None:
    """
    Write the contact sheet.

    :raises DatasetError: when there is no frame to show or the file cannot be written.
    """
    if not frames:
        raise DatasetError(f'--sheet {path}: no readable frame to show')
    encoded = cv2.imencode('.png', contact_sheet(frames)[..., ::-1])[1]
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise DatasetError(f'--sheet {path}: cannot write there: {error}') from error
