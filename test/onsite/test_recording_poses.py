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

"""Poses and ranges out of messages and bags."""

import json
from types import SimpleNamespace as Message

import pytest
from recording_scene import CAMERA
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

from mde_ros.datasets.frame import DatasetError
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_poses import add_from_bag, add_range, pose_of
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000
HEADER = Message(stamp=Message(sec=3, nanosec=7), frame_id='odom')
PLACE, TURN = Message(x=1., y=2., z=3.), Message(x=0., y=0., z=.6, w=.8)
POSE = Message(position=PLACE, orientation=TURN)


@pytest.mark.parametrize(('message', 'child'), [
    (Message(header=HEADER, pose=Message(pose=POSE, covariance=[]), child_frame_id='base'),
     'base'),
    (Message(header=HEADER, pose=Message(pose=POSE, covariance=[])), ''),
    (Message(header=HEADER, pose=POSE), ''),
    (Message(header=HEADER, transform=Message(translation=PLACE, rotation=TURN),
             child_frame_id='base'), 'base'),
])
def test_poses_of_each_type(message, child):
    assert pose_of(message) == (
        3 * S + 7, (1., 2., 3.), (0., 0., .6, .8), 'odom', child)


def test_other_messages_are_named():
    with pytest.raises(DatasetError, match='SimpleNamespace is no pose.*Odometry'):
        pose_of(Message(header=HEADER))
    with pytest.raises(DatasetError, match='is no range.*sensor_msgs/Range'):
        add_range(None, Message(header=HEADER))


@pytest.fixture
def recorder(tmp_path):
    settings = RecordingSettings.keep_all(min_free_megabytes=0., odometry_interval=0.)
    with Recorder(tmp_path / 'r', CAMERA, settings, camera='front') as opened:
        yield opened


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_ranges_without_a_reading_are_left_out(recorder):
    for value in (.1, .11, 3., 4., float('inf'), float('nan')):
        add_range(recorder, Message(header=HEADER, field_of_view=.3, min_range=.1, max_range=4.,
                                    range=value))
    assert [line['range'] for line in lines(recorder.path / 'scoring' / 'ranges.jsonl')] == [
        .11, 3.]


@pytest.fixture
def bag(tmp_path):
    """Return a bag of three poses and two ranges."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types

    def header(second):
        return types['std_msgs/msg/Header'](
            types['builtin_interfaces/msg/Time'](second, 5), 'odom')

    def pose(second):
        return types['geometry_msgs/msg/PoseStamped'](header(second), types[
            'geometry_msgs/msg/Pose'](types['geometry_msgs/msg/Point'](float(second), 0., 0.),
                                      types['geometry_msgs/msg/Quaternion'](0., 0., 0., 1.)))

    def distance(second):
        return types['sensor_msgs/msg/Range'](header(second), 0, .2, .1, 5., 1. + second, 0.)

    with Writer(tmp_path / 'bag', version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, kind, make, count in (
                ('/pose', 'geometry_msgs/msg/PoseStamped', pose, 3),
                ('/sonar', 'sensor_msgs/msg/Range', distance, 2)):
            connection = writer.add_connection(topic, kind, typestore=store)
            for second in range(count):
                writer.write(connection, second * S, store.serialize_cdr(make(second), kind))
    return tmp_path / 'bag'


def test_poses_and_ranges_of_a_bag(bag, recorder):
    add_from_bag(recorder, bag, '/pose', '/sonar')
    assert [(line['stamp'], line['position'][0]) for line in lines(
        recorder.path / 'odometry.jsonl')] == [(5, 0.), (S + 5, 1.), (2 * S + 5, 2.)]
    assert [line['range'] for line in lines(recorder.path / 'scoring' / 'ranges.jsonl')] == [
        1., 2.]


def test_topics_that_do_not_fit_are_named(bag, recorder):
    with pytest.raises(DatasetError, match=r'no topic /odom; there are: /pose, /sonar'):
        add_from_bag(recorder, bag, '/odom')
    with pytest.raises(DatasetError, match='no pose'):
        add_from_bag(recorder, bag, '/sonar')
    with pytest.raises(DatasetError, match='no range'):
        add_from_bag(recorder, bag, '', '/pose')
