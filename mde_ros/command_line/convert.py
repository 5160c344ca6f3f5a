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

"""``mde convert``: RGB-D folders to bags, bags to RGB-D folders, bags to bags."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
import json
import logging
import os
from pathlib import Path
import shutil
import tempfile
import time
from typing import Any

from rich.console import Console
from rich.progress import track

from mde_ros.command_line.bag_arguments import add_bag_arguments, dataset_options
from mde_ros.datasets.bag_notes import read_notes
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.bag_writer import (
    BagWriter, DEPTH_FORMATS, IMAGE_FORMATS, STORAGES, SUFFIXES)
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter

PNG_MAGIC = b'\x89PNG'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mde convert``."""
    parser.add_argument('input', metavar='IN',
                        help='RGB-D folder, bag or KIND:PATH?key=value')
    parser.add_argument('output', type=Path, metavar='OUT',
                        help='NAME.mcap, NAME.db3, or a folder: from an RGB-D folder a rosbag2 '
                             'folder, from a bag an RGB-D folder (a rosbag2 folder with '
                             '--storage); must not exist')
    parser.add_argument('--split', help="only the frames of a split of the folder's meta.json")
    parser.add_argument('--rate', type=float, default=30., metavar='HZ',
                        help='for frames without stamps')
    parser.add_argument('--image', choices=IMAGE_FORMATS, default='compressed',
                        help='compressed keeps JPEG and PNG files as they are; raw writes rgb8 '
                             'into bags and PNG into folders where there is no JPEG')
    parser.add_argument('--depth', choices=DEPTH_FORMATS, default='16UC1',
                        help='depth in bags; all but 32FC1 hold millimetres up to 65 m')
    parser.add_argument('--no-depth', action='store_true', help='leave the depth out')
    parser.add_argument('--storage', choices=tuple(STORAGES), help='of the bag that is written')
    parser.add_argument('--frame-id', default='camera_optical_frame', help='in written bags')
    parser.add_argument('--camera-name', help='noted in the output; by default as in the input')
    parser.add_argument('--licence', help='noted in the output; by default as in the input')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the counts there')
    add_bag_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert; return 0."""
    began = time.monotonic()
    output: Path = arguments.output
    if output.exists():
        raise DatasetError(f'{output} exists already: remove it or give another name')
    if arguments.json and not arguments.json.parent.is_dir():
        raise DatasetError(f'--json {arguments.json}: no such folder')
    source = open_dataset(arguments.input, split=arguments.split,
                          read_depth=not arguments.no_depth, **dataset_options(arguments))
    frames = _progress(source, Path(arguments.input))
    to_bag = (isinstance(source, RgbdFolder) or output.suffix in SUFFIXES
              or arguments.storage is not None)
    write = _write_bag if to_bag else _write_folder
    counts = write(source, frames, arguments)
    if not counts['written']:
        raise DatasetError(f'{arguments.input}: no frame could be converted; skipped: '
                           f'{_listed(counts["skipped"]) or "none, it is empty"}')
    report = {'input': str(arguments.input), 'output': str(output), 'frames': counts,
              'seconds': round(time.monotonic() - began, 3)}
    if isinstance(source, BagFrames):
        report['bag'] = {
            'topics': {'image': source.topics.image, 'depth': source.topics.depth,
                       'info': source.topics.info},
            'pairing': vars(source.pairing), 'stamps_backwards': source.stamps_backwards,
            'rectified': source.rectified, 'damage': source.damage}
    _print(report, len(source))
    if arguments.json:
        try:
            arguments.json.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
        except OSError as error:
            raise DatasetError(f'--json {arguments.json}: {error}') from error
    return 0


def _progress(source: IndexedDataset | BagFrames,
              path: Path) -> Iterator[tuple[Frame, bytes | None]]:
    """Yield frames with their image files, as the source has them."""
    logging.basicConfig(format='%(levelname)s: %(message)s')
    console = Console(stderr=True)
    if isinstance(source, BagFrames):
        yield from track(source.encoded(), f'{path.name}', len(source), console=console)
        return
    for index in track(range(len(source)), f'{path.name}', console=console):
        frame = source.get(index)
        if frame is not None:
            if isinstance(source, RgbdFolder):
                yield frame, source.image_path(frame.name).read_bytes()
            else:
                # Readers change pictures, and name frames with their folders.
                yield replace(frame, name=frame.name.replace('/', '_').lstrip('.')), None


def _write_bag(source: IndexedDataset | BagFrames, frames: Iterator[tuple[Frame, bytes | None]],
               arguments: argparse.Namespace) -> dict[str, Any]:
    written = labelled = 0
    with BagWriter(arguments.output, arguments.storage, image=arguments.image,
                   depth=arguments.depth, frame_id=arguments.frame_id,
                   rate=arguments.rate, notes=_notes(source, arguments)) as writer:
        for frame, file in frames:
            writer.write(frame, file)
            written += 1
            labelled += frame.depth is not None
        if not written:
            writer.abort()
    return {'read': len(source), 'written': written, 'labelled': labelled,
            'skipped': dict(source.skipped), 'messages': writer.counts}


def _write_folder(source: IndexedDataset | BagFrames, frames: Iterator[tuple[Frame, bytes | None]],
                  arguments: argparse.Namespace) -> dict[str, Any]:
    written = labelled = 0
    unfit = 0
    output: Path = arguments.output
    writer: RgbdFolderWriter | None = None
    notes = _notes(source, arguments)
    aside = _folder_beside(output)
    try:
        for frame, file in frames:
            if writer is None:
                suffix = 'png' if arguments.image == 'raw' or (
                    file or b'').startswith(PNG_MAGIC) else 'jpg'
                writer = RgbdFolderWriter(
                    aside / output.name, frame.intrinsics, camera=notes.get('camera', ''),
                    licence=notes.get('licence', 'unknown'),
                    source=notes.get('source') or f'bag {Path(arguments.input).resolve().name}',
                    image_format=suffix, sequence=isinstance(source, BagFrames))
            if not _same_kind(frame, writer):
                unfit += 1
                continue
            # Only JPEG is kept as it is; PNG comes out equal when it is encoded again.
            writer.write(frame, None if (file or b'').startswith(PNG_MAGIC) else file)
            written += 1
            labelled += frame.depth is not None
        if writer is not None:
            writer.close()
            os.rename(aside / output.name, output)
    except OSError as error:
        raise DatasetError(f'{output}: cannot write there: {error}') from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    skipped = dict(source.skipped)
    if unfit:
        skipped['size or distortion differs from the first frame'] = unfit
    return {'read': len(source), 'written': written, 'labelled': labelled, 'skipped': skipped}


def _notes(source: IndexedDataset | BagFrames, arguments: argparse.Namespace) -> dict[str, str]:
    """Return camera, licence and source of the input, or what the options say instead."""
    known = source.meta if isinstance(source, IndexedDataset) else read_notes(source.path)
    notes = {key: str(known[key]) for key in ('camera', 'licence', 'source') if known.get(key)}
    told = {'camera': arguments.camera_name, 'licence': arguments.licence}
    return notes | {key: value for key, value in told.items() if value is not None}


def _folder_beside(output: Path) -> Path:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f'.{output.name}.', dir=output.parent))
    except OSError as error:
        raise DatasetError(f'{output}: cannot write there: {error}') from error


def _same_kind(frame: Frame, writer: RgbdFolderWriter) -> bool:
    """Return whether a folder of one size and lens can hold the frame."""
    own, common = frame.intrinsics, writer.intrinsics
    return (own.width, own.height, own.distortion_model, own.distortion) == (
        common.width, common.height, common.distortion_model, common.distortion)


def _listed(counts: dict[str, int]) -> str:
    return ', '.join(f'{count} {reason}' for reason, count in counts.items())


def _print(report: dict[str, Any], listed: int) -> None:
    counts = report['frames']
    print(f'{report["output"]}: {counts["written"]} of {listed} frames, '
          f'{counts["labelled"]} with depth, {report["seconds"]:.1f} s')
    if counts['skipped']:
        print(f'skipped: {_listed(counts["skipped"])}')
    bag = report.get('bag')
    if bag:
        pairing = bag['pairing']
        print(f'read {bag["topics"]["image"]} with {bag["topics"]["depth"] or "no depth"}: '
              f'{pairing["exact"]} paired by equal stamps, {pairing["near"]} by near ones, '
              f'{pairing["unpaired"]} without depth')
        for text in bag['damage']:
            print(f'damaged: {text}')
