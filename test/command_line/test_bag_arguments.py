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

"""The options that choose what is read from a bag."""

import argparse
from pathlib import Path

import pytest

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.command_line.bag_arguments import add_bag_arguments, dataset_options


def options(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_bag_arguments(parser)
    return dataset_options(parser.parse_args(words))


def test_without_options() -> None:
    assert options() == {'slop_ns': 20_000_000}


def test_all_options(tmp_path: Path) -> None:
    file = tmp_path / 'camera.yaml'
    file.write_text('width: 4\nheight: 3\nintrinsics: {fx: 5, fy: 6, cx: 2, cy: 1}\n')
    assert options('--image-topic', 'a', '--depth-topic', 'b', '--info-topic', 'c', '--slop',
                   '1.5', '--no-rectified', '--camera', str(file)) == {
        'image_topic': 'a', 'depth_topic': 'b', 'info_topic': 'c', 'slop_ns': 1_500_000,
        'rectified': False, 'intrinsics': Intrinsics(4, 3, 5., 6., 2., 1.)}


def test_a_calibration_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntrinsicsError, match=r'absent\.yaml'):
        options('--camera', str(tmp_path / 'absent.yaml'))
