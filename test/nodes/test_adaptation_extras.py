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

"""Depth beside the images: found by its stamp, left out when it does not fit."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import Image, Range

from mde_ros.nodes.adaptation_extras import Extras, REMEMBERED
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.messages import fill_image, header_at


@pytest.fixture
def extras(ros_context):
    """Return a function that makes extras for some settings; complaints in ``said``."""
    node = Node('extras', context=ros_context)

    def make(**settings):
        said = []
        made = Extras(node, Settings(**settings), lambda about, line: said.append(line),
                      ReentrantCallbackGroup())
        made.said = said
        return made
    yield make
    node.destroy_node()


def depth(stamp, millimetres=1500, size=(4, 6), encoding='16UC1'):
    return fill_image(Image(), np.full(size, millimetres, np.uint16), encoding,
                      header_at(stamp, 'x'))


def test_the_depth_of_the_same_stamp_or_the_nearest_within_20_ms(extras):
    made = extras(reference_topic='depth')
    for stamp, value in ((1_000_000_000, 1000), (1_010_000_000, 2000), (1_100_000_000, 3000)):
        made._on_depth(depth(stamp, value))
    assert (made.depth_at(1_000_000_000, (4, 6)) == 1.).all()
    assert (made.depth_at(1_007_000_000, (4, 6)) == 2.).all()
    assert made.depth_at(1_060_000_000, (4, 6)) is None


def test_only_the_latest_are_kept(extras):
    made = extras(reference_topic='depth')
    for number in range(REMEMBERED + 1):
        made._on_depth(depth(1 + number * 1_000_000_000))
    assert made.depth_at(1, (4, 6)) is None
    assert made.depth_at(1 + REMEMBERED * 1_000_000_000, (4, 6)) is not None


def test_depth_that_does_not_fit_is_left_out_and_said(extras):
    made = extras(reference_topic='depth')
    made._on_depth(depth(1, size=(2, 3)))
    assert made.depth_at(1, (4, 6)) is None
    assert 'reference_topic is 3x2, the image 6x4' in made.said[0]
    made._on_depth(depth(2_000_000_000, encoding='rgb8'))
    assert made.depth_at(2_000_000_000, (4, 6)) is None
    assert 'reference_topic' in made.said[1]


def test_without_a_reference_nothing_is_waited_for(extras):
    assert extras().depth_at(1, (4, 6)) is None


def test_readings_outside_the_sensors_range_are_none(extras):
    made = extras(range_topic='sonar')
    kept = []

    class Recorder:
        def add_range(self, stamp, metres, view, frame):
            kept.append((stamp, metres, frame))
    made._on_range(Range(range=1., min_range=.1, max_range=4.))
    made.recorder = Recorder()
    for metres in (.05, 1.5, 4., float('inf'), float('nan')):
        made._on_range(Range(header=header_at(7, 'bumper'), range=metres, min_range=.1,
                             max_range=4.))
    assert kept == [(7, 1.5, 'bumper')]
