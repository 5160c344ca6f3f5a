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

"""Recording a live topic: images, camera_info, odometry and ranges from publishers."""

import json
import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion
from node_harness import CAMERA, wait
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Range
from std_msgs.msg import String

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.nodes import qos
from mde_ros.nodes.messages import camera_info, fill_compressed, fill_image, header_at
from mde_ros.nodes.player import encode_jpeg
from mde_ros.nodes.record_topic import record_topic, RecordTopicError, TopicOptions
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000
PIXELS = np.tile(np.arange(16, dtype=np.uint8)[None, :, None] * 10, (12, 1, 3))


class Robot:
    """A node that publishes what a robot would, and a recording of it in a thread."""

    def __init__(self, context, path):
        self.node = Node('robot', context=context, namespace='front')
        self.context, self.path = context, path
        self.stop = threading.Event()
        self.result = self.error = None
        self.reports = 0
        self.publishers = {}
        self.settings = RecordingSettings.keep_all(min_free_megabytes=0., odometry_interval=0.)

    def advertise(self, kind, topic, reliability='reliable'):
        self.publishers[topic] = self.node.create_publisher(
            kind, topic, qos.profile(reliability, 50))

    def start(self, seconds=60., settings=None, **options):
        def open_recorder(intrinsics):
            return Recorder(self.path, intrinsics, settings or self.settings, camera='front')

        def run():
            try:
                self.result = record_topic(
                    TopicOptions(**options), open_recorder, self.stop, seconds,
                    lambda _: setattr(self, 'reports', self.reports + 1), self.context)
            except RecordTopicError as error:
                self.error = error
        self.thread = threading.Thread(target=run)
        self.thread.start()

    def matched(self):
        wait(lambda: all(publisher.get_subscription_count() == 1
                         for publisher in self.publishers.values()))

    def send_info(self):
        self.publishers['camera_info'].publish(camera_info(CAMERA, header_at(0, 'optical')))
        time.sleep(.1)  # so that it is there before the images

    def send_image(self, stamp, topic='image'):
        self.publishers[topic].publish(
            fill_image(Image(), PIXELS, 'rgb8', header_at(stamp, 'optical')))

    def frames(self):
        try:
            return len(list((self.path / 'rgb').glob('*.jpg')))
        except OSError:
            return 0

    def end(self):
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def robot(ros_context, tmp_path):
    """Return a robot that records into a folder of its own."""
    made = Robot(ros_context, tmp_path / 'r')
    yield made
    made.stop.set()
    made.node.destroy_node()


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_images_with_their_camera_info(robot, reliability):
    robot.advertise(Image, 'image', reliability)
    robot.advertise(CameraInfo, 'camera_info')
    robot.start(image='/front/image')
    robot.matched()
    robot.send_info()
    for index in range(3):
        robot.send_image(S + index)
        wait(lambda: robot.frames() == index + 1)  # noqa: B023
    robot.end()
    data = RgbdFolder(robot.path)
    assert [one.stamp_ns for one in data] == [S, S + 1, S + 2]
    assert data.intrinsics == CAMERA
    assert np.abs(data[0].image.astype(int) - PIXELS).mean() < 3
    assert robot.result.status().state == 'closed'


def test_compressed_images_are_kept_as_they_came(robot):
    robot.advertise(CompressedImage, 'image/compressed')
    robot.advertise(CameraInfo, 'other/info')
    robot.start(image='/front/image/compressed', info='/front/other/info')
    robot.matched()
    robot.publishers['camera_info'] = robot.publishers['other/info']
    robot.send_info()
    form, jpeg = encode_jpeg(PIXELS)
    robot.publishers['image/compressed'].publish(
        fill_compressed(CompressedImage(), form, jpeg, header_at(S, 'optical')))
    wait(lambda: robot.frames() == 1)
    robot.end()
    assert next((robot.path / 'rgb').iterdir()).read_bytes() == jpeg


def test_odometry_and_ranges(robot):
    robot.advertise(Image, 'image')
    robot.advertise(PoseStamped, 'pose', 'best_effort')
    robot.advertise(Range, 'sonar')
    robot.start(image='/front/image', odometry='/front/pose', ranges='/front/sonar',
                calibrated=CAMERA)
    robot.matched()
    robot.send_image(S)
    wait(lambda: robot.frames() == 1)
    robot.publishers['pose'].publish(PoseStamped(
        header=header_at(S + 5, 'map'), pose=Pose(
            position=Point(x=1., y=2., z=0.), orientation=Quaternion(w=1.))))
    robot.publishers['sonar'].publish(Range(
        header=header_at(S + 6, 'sonar'), field_of_view=.5, min_range=.1, max_range=4., range=2.))
    for name in ('odometry.jsonl', 'scoring/ranges.jsonl'):
        wait(lambda: (robot.path / name).exists())  # noqa: B023
    robot.end()
    pose = json.loads((robot.path / 'odometry.jsonl').read_text())
    assert (pose['stamp'], pose['position'], pose['frame']) == (S + 5, [1., 2., 0.], 'map')
    distance = json.loads((robot.path / 'scoring' / 'ranges.jsonl').read_text())
    assert (distance['range'], distance['field_of_view']) == (2., .5)


def test_bad_images_are_counted_and_do_not_end_it(robot, monkeypatch):
    counted, count = [], Recorder.count_bad

    def count_bad(recorder, *arguments):
        count(recorder, *arguments)
        counted.append(arguments)

    monkeypatch.setattr(Recorder, 'count_bad', count_bad)
    robot.advertise(Image, 'image')
    robot.start(image='/front/image', calibrated=CAMERA)
    robot.matched()
    robot.send_image(S)
    wait(lambda: robot.frames() == 1)
    wrong = fill_image(Image(), PIXELS, 'rgb8', header_at(2 * S, 'optical'))
    wrong.encoding = 'strange'
    robot.publishers['image'].publish(wrong)
    small = fill_image(Image(), PIXELS[:5].copy(), 'rgb8', header_at(3 * S, 'optical'))
    wait(lambda: len(counted) == 1)  # one after the other: the mailbox keeps the newest only
    robot.publishers['image'].publish(small)
    wait(lambda: len(counted) == 2)
    robot.send_image(4 * S)
    wait(lambda: robot.frames() == 2)
    robot.end()
    assert robot.result.status().bad == {'unreadable image': 1, 'camera_info size mismatch': 1}


def test_a_limit_ends_it_and_time_does(robot):
    robot.advertise(Image, 'image')
    robot.start(image='/front/image', calibrated=CAMERA,
                settings=RecordingSettings.keep_all(min_free_megabytes=0., max_frames=1))
    robot.matched()
    robot.send_image(S)
    robot.thread.join(10)
    assert robot.result.status().why.startswith('max_frames')
    robot.start(seconds=1.3, image='/front/image', calibrated=CAMERA)
    wait(lambda: robot.publishers['image'].get_subscription_count() == 1)
    robot.send_image(2 * S)
    robot.thread.join(10)
    status = robot.result.status()
    assert (status.state, status.frames) == ('closed', 2)
    assert robot.reports >= 1


@pytest.mark.parametrize(('options', 'words'), [
    ({}, 'no image came'),
    ({'odometry': '/front/absent'}, '--odometry /front/absent: nobody publishes'),
    ({'odometry': '/front/text'}, 'has std_msgs/String: use a topic of Odometry'),
])
def test_what_does_not_come_is_named(robot, options, words):
    robot.advertise(String, 'text')
    wait(lambda: robot.node.count_publishers('/front/text') == 1)
    robot.start(image='/front/image', wait=1., **options)
    robot.thread.join(20)
    assert words in str(robot.error)
    assert not robot.path.exists()


def test_images_without_camera_info_say_so(robot):
    robot.advertise(Image, 'image')
    robot.advertise(CameraInfo, 'camera_info')
    robot.start(image='/front/image', wait=2.)
    robot.matched()
    robot.publishers['camera_info'].publish(CameraInfo(width=16, height=12))  # K is 0
    time.sleep(.1)
    robot.send_image(S)
    robot.thread.join(20)
    assert 'calibrate' in str(robot.error)


def test_whether_images_are_rectified(robot):
    robot.advertise(Image, 'image')
    robot.advertise(CameraInfo, 'camera_info')
    robot.start(image='/front/image', rectified=True)
    robot.matched()
    message = camera_info(CAMERA, header_at(0, 'optical'))
    message.p[0] = 20.
    robot.publishers['camera_info'].publish(message)
    time.sleep(.1)
    robot.send_image(S)
    wait(lambda: robot.frames() == 1)
    robot.end()
    assert RgbdFolder(robot.path).intrinsics.fx == 20.
