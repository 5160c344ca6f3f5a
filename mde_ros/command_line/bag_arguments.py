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

"""The options of all commands that read a bag."""

import argparse
from pathlib import Path
from typing import Any

from mde_ros.camera.intrinsics import Intrinsics


def add_bag_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose what is read from a bag."""
    group = parser.add_argument_group('bags (needed only where the bag leaves a choice)')
    group.add_argument('--image-topic', metavar='TOPIC', help='topic of the images')
    group.add_argument('--depth-topic', metavar='TOPIC',
                       help='topic of the depth, registered to the images')
    group.add_argument('--info-topic', metavar='TOPIC', help='camera_info of the images')
    group.add_argument('--camera', metavar='FILE', type=Path,
                       help='calibration (YAML) instead of the recorded one')
    group.add_argument('--slop', metavar='MS', type=float, default=20.,
                       help='largest difference of stamps of an image and its depth')
    group.add_argument('--rectified', action=argparse.BooleanOptionalAction, default=None,
                       help='whether the images are rectified; by default only topics '
                            'image_rect* are')


def dataset_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """
    Return the keyword arguments of open_dataset that the options ask for.

    :raises IntrinsicsError: when the calibration file cannot be read.
    """
    options: dict[str, Any] = {'slop_ns': round(arguments.slop * 1e6)}
    if arguments.camera is not None:
        options['intrinsics'] = Intrinsics.from_yaml(arguments.camera)
    for name in ('image_topic', 'depth_topic', 'info_topic', 'rectified'):
        if getattr(arguments, name) is not None:
            options[name] = getattr(arguments, name)
    return options
