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

"""``mde record``: chosen frames of a new camera, from a bag, a folder or a live topic."""

import argparse
from collections.abc import Iterator
import json
import logging
from pathlib import Path
import signal
import sys
import threading
from typing import Any

from mde_ros.command_line.bag_arguments import add_bag_arguments, dataset_options
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.errors import MdeError
from mde_ros.onsite.recording_settings import RecordingSettings, TABLE


class RecordError(MdeError):
    """Options of ``mde record`` that do not go together, or no ROS 2."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mde record``."""
    parser.add_argument('source', nargs='?', metavar='SOURCE',
                        help='bag, RGB-D folder or KIND:PATH?key=value; or give --topic')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder of the recording; an earlier one of the same camera goes on')
    parser.add_argument('--split', help='only this split of SOURCE, such as adapt')
    parser.add_argument('--camera-name', metavar='NAME',
                        help='noted in the recording; by default that of SOURCE or the topic')
    parser.add_argument('--licence', help='noted in the recording; by default that of SOURCE')
    parser.add_argument('--odometry', default='', metavar='TOPIC',
                        help='poses to note beside the frames, for the scale')
    parser.add_argument('--ranges', default='', metavar='TOPIC',
                        help='sensor_msgs/Range to note in scoring/, for the scale')
    parser.add_argument('--scoring-depth', action='store_true',
                        help='keep the depth of SOURCE in scoring/, where training does not look')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the counts there')
    live = parser.add_argument_group('live')
    live.add_argument('--topic', metavar='TOPIC',
                      help='record this image topic (.../compressed for CompressedImage)')
    live.add_argument('--camera-info', default='', metavar='TOPIC',
                      help='by default camera_info beside the image topic')
    live.add_argument('--wait', type=float, default=30., metavar='S',
                      help='seconds to wait for the first image')
    limits = parser.add_argument_group('which frames are kept, and how many')
    for name, entry in TABLE.items():
        about = entry.metadata
        flags = ['--seconds'] if name == 'max_seconds' else []
        limits.add_argument(
            f'--{name.replace("_", "-")}', *flags, dest=name, type=type(entry.default),
            default=entry.default, metavar='N', help=f'{about["unit"]} {about["text"]}'
            .replace('%', '%%'))
    add_bag_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record; return 0, or 2 when the disk ended it."""
    if bool(arguments.source) == bool(arguments.topic):
        raise RecordError('give either SOURCE (a bag or folder) or --topic TOPIC')
    if arguments.json and not arguments.json.parent.is_dir():
        raise RecordError(f'--json {arguments.json}: no such folder')
    settings = RecordingSettings().changed(TABLE, arguments)
    logging.basicConfig(format='%(levelname)s: %(message)s')
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set())
                for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        record = _record_topic if arguments.topic else _record_source
        report = record(arguments, settings, stop)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return _finish(arguments, report, stop.is_set())


def _record_source(arguments: argparse.Namespace, settings: RecordingSettings,
                   stop: threading.Event) -> dict[str, Any]:
    """Record from a data set; return the report."""
    from rich.console import Console
    from rich.progress import track

    from mde_ros.datasets.bag_notes import read_notes
    from mde_ros.datasets.bag_reader import BagFrames
    from mde_ros.datasets.open_dataset import open_dataset
    from mde_ros.onsite.recorder import Recorder
    from mde_ros.onsite.recording_poses import add_from_bag

    if arguments.camera_info:
        raise RecordError('--camera-info is for --topic; for a bag it is --info-topic')
    source = open_dataset(arguments.source, split=arguments.split,
                          read_depth=arguments.scoring_depth, **dataset_options(arguments))
    bag = isinstance(source, BagFrames)
    if (arguments.odometry or arguments.ranges) and not bag:
        raise RecordError('--odometry and --ranges name topics: SOURCE must be a bag')
    notes = read_notes(source.path) if isinstance(source, BagFrames) else source.meta
    frames = source.encoded() if isinstance(source, BagFrames) else _with_files(source)
    recorder: Recorder | None = None
    try:
        for frame, file in track(frames, source.name, len(source), console=Console(stderr=True)):
            if recorder is None:
                recorder = Recorder(
                    arguments.out, frame.intrinsics, settings,
                    camera=arguments.camera_name or str(notes.get('camera') or source.name),
                    licence=arguments.licence or str(notes.get('licence') or 'not stated'),
                    source=f'{source.name}, mde record', keep_depth=arguments.scoring_depth)
                if arguments.odometry or arguments.ranges:
                    add_from_bag(recorder, source.path, arguments.odometry, arguments.ranges)
            recorder.add(frame, file)
            if stop.is_set() or not recorder.recording:
                break
    finally:
        if recorder is not None:
            recorder.close()
    if recorder is None:
        raise RecordError(f'{arguments.source}: no frame could be read; skipped: '
                          f'{dict(source.skipped) or "none, it is empty"}')
    return {'source': arguments.source, 'skipped': dict(source.skipped),
            **recorder.status().to_dict()}


def _with_files(source: IndexedDataset) -> Iterator[tuple[Frame, bytes | None]]:
    """Yield frames with their image files, where what is read is what the file shows."""
    for frame in source:
        yield frame, (source.image_path(frame.name).read_bytes()
                      if isinstance(source, RgbdFolder) else None)


def _record_topic(arguments: argparse.Namespace, settings: RecordingSettings,
                  stop: threading.Event) -> dict[str, Any]:
    """Record a live topic; return the report."""
    try:
        from mde_ros.nodes.record_topic import record_topic, TopicOptions
    except ImportError as error:
        raise RecordError(f'ROS 2 (rclpy) cannot be imported: {error}; source its setup.bash, or '
                          'pip install -r requirements-ros.txt') from error
    from mde_ros.camera.intrinsics import Intrinsics
    from mde_ros.nodes.transport import export_large_image_profile
    from mde_ros.onsite.recorder import Recorder

    if arguments.scoring_depth or arguments.split:
        raise RecordError('--scoring-depth and --split are for SOURCE, not for --topic')
    print(export_large_image_profile())

    def open_recorder(intrinsics: Intrinsics) -> Recorder:
        recorder = Recorder(
            arguments.out, intrinsics, settings,
            camera=arguments.camera_name or arguments.topic,
            licence=arguments.licence or 'not stated', source=f'{arguments.topic}, mde record')
        print(f'recording {arguments.topic} ({intrinsics.width}x{intrinsics.height}) into '
              f'{arguments.out}; Ctrl-C ends it', flush=True)
        return recorder

    def show(recorder: Recorder) -> None:
        status = recorder.status()
        print(f'{status.seconds:6.0f} s {status.frames:5d} frames  {status.advice}', flush=True)

    calibrated = Intrinsics.from_yaml(arguments.camera) if arguments.camera else None
    recorder = record_topic(TopicOptions(
        arguments.topic, arguments.camera_info, arguments.odometry, arguments.ranges, calibrated,
        arguments.rectified, arguments.wait), open_recorder, stop, settings.max_seconds, show)
    return {'source': arguments.topic, 'skipped': {}, **recorder.status().to_dict()}


def _finish(arguments: argparse.Namespace, report: dict[str, Any], interrupted: bool) -> int:
    """Print and write the report; return the exit code."""
    from mde_ros.onsite.recording_check import CheckLimits, measure_recording, reasons_against
    from mde_ros.onsite.recording_status import ERROR, RecordingStatus

    status = RecordingStatus(**{key: report[key] for key in RecordingStatus.__annotations__})
    measures = measure_recording(arguments.out) if status.frames else None
    reasons = (reasons_against(measures, CheckLimits()) if measures
               else ['too few frames: none was kept'])
    report |= {'out': str(arguments.out), 'interrupted': interrupted,
               'fit_to_adapt': not reasons, 'reasons_against': reasons,
               'measures': measures.to_dict() if measures else None}
    print(f'{arguments.out}: {status.summary()}')
    for reason in reasons:
        print(f'not fit to adapt to yet: {reason}')
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    if status.state == ERROR:
        print(f'mde record: error: {status.why}', file=sys.stderr)
        return 2
    return 0
