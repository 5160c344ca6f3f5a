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

"""Tests of the player: rate, stamps, topics, end."""

from dataclasses import replace
import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from node_harness import wait
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.nodes import qos
from mde_ros.nodes.messages import stamp_ns
from mde_ros.nodes.player import encode_jpeg, Player, PlayerError, PlayOptions
from mde_ros.nodes.spin import spin_until

CAMERA = Intrinsics(16, 12, 10., 11., 7.5, 5.5)


def frames(count, period_ns=20_000_000, first=10_000_000_000):
    """Return frames of which each has its index as its grey."""
    return [Frame(str(i), first + i * period_ns if first else 0,
                  np.full((12, 16, 3), 10 * i, np.uint8), CAMERA,
                  np.full((12, 16), 1 + i, np.float32)) for i in range(count)]


class Audience:
    """Listen to everything that is played."""

    def __init__(self, context, namespace=None, reliability='reliable'):
        from rclpy.executors import SingleThreadedExecutor
        self.node = Node('audience', context=context, namespace=namespace)
        self.heard = {}
        self.order = []
        for topic, kind in (('image', Image), ('image/compressed', CompressedImage),
                            ('camera_info', CameraInfo), ('depth/reference', Image),
                            ('/clock', Clock)):
            self.heard[topic] = []
            self.node.create_subscription(
                kind, topic, lambda message, topic=topic: self.hear(topic, message),
                qos.profile(reliability, 100))
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.stop = threading.Event()
        self.thread = threading.Thread(
            target=spin_until, args=(self.executor, self.stop, print))
        self.thread.start()

    def hear(self, topic, message):
        self.heard[topic].append(message)
        self.order.append(topic)

    def stamps(self, topic):
        return [stamp_ns(message.header) for message in self.heard[topic]]

    def close(self):
        self.stop.set()
        self.executor.shutdown()
        self.thread.join()
        self.node.destroy_node()


@pytest.fixture
def play(ros_context):
    """Return a function that plays frames to an audience and returns both."""
    opened = []

    def make(source, namespace=None, stop=None, **options):
        audience = Audience(ros_context, namespace, options.get('reliability', 'reliable'))
        node = Node('player', context=ros_context, namespace=namespace)
        opened.extend([audience.close, node.destroy_node])
        player = Player(node, source, PlayOptions(**{'wait': 10., 'delay': .1, **options}))
        report = player.run(stop)
        player.destroy()
        wanted = 'image/compressed' if options.get('transport') == 'compressed' else 'image'
        wait(lambda: len(audience.heard[wanted]) == report.images)
        return audience, report

    yield make
    for close in opened:
        close()


def test_everything_is_published_with_one_header_a_frame(play):
    audience, report = play(frames(5), rate=100.)
    expected = [10_000_000_000 + i * 20_000_000 for i in range(5)]
    for topic in ('image', 'camera_info', 'depth/reference'):
        wait(lambda: len(audience.heard[topic]) == 5)  # noqa: B023
        assert audience.stamps(topic) == expected
        assert {m.header.frame_id for m in audience.heard[topic]} == {'camera_optical_frame'}
    assert (report.images, report.infos, report.depths, report.rounds) == (5, 5, 5, 1)
    assert report.stamps == expected
    assert image_to_rgb(audience.heard['image'][3])[0, 0].tolist() == [30] * 3
    depth = audience.heard['depth/reference'][2]
    assert np.frombuffer(depth.data, np.float32).tolist() == [3.] * 192
    assert Intrinsics.from_camera_info(audience.heard['camera_info'][0], False) == CAMERA
    assert not audience.heard['/clock']


@pytest.mark.parametrize(('options', 'seconds'), [
    ({'rate': 25.}, .16), ({}, .08), ({'speed': .5}, .16)])
def test_the_pace(play, options, seconds):
    _, report = play(frames(5), **options)
    # Never too fast; how much too slow depends on the machine.
    assert seconds <= report.seconds


def test_stamps_of_now(play):
    before = time.time_ns()
    audience, report = play(frames(3), rate=100., stamps='now')
    found = audience.stamps('image')
    assert before < found[0] < found[1] < found[2] < time.time_ns()
    assert report.stamps == found


def test_frames_without_stamps_get_some(play):
    audience, _ = play(frames(3, first=0), rate=50.)
    assert audience.stamps('image') == [1_000_000_000, 1_020_000_000, 1_040_000_000]


def test_the_clock_comes_before_the_frame(play):
    audience, _ = play(frames(2), rate=20., clock=True)
    wait(lambda: len(audience.heard['/clock']) == 2)
    clocks = [m.clock.sec * 10**9 + m.clock.nanosec for m in audience.heard['/clock']]
    assert clocks == audience.stamps('image')


def test_compressed(play):
    audience, report = play(frames(3), rate=50., transport='compressed')
    assert not audience.heard['image']
    message = audience.heard['image/compressed'][2]
    assert message.format == 'rgb8; jpeg compressed bgr8'
    np.testing.assert_allclose(image_to_rgb(message), 20, atol=2)
    assert report.images == 3


def test_names_and_namespace(play):
    audience, report = play(frames(2), namespace='front', rate=50.)
    assert report.images == len(audience.heard['image']) == 2
    assert audience.node.resolve_topic_name('image') == '/front/image'


def test_best_effort(play):
    audience, _ = play(frames(3), rate=50., reliability='best_effort')
    publishers = audience.node.get_publishers_info_by_topic('/image')
    assert all(qos.reliability_name(p.qos_profile.reliability) == 'best_effort'
               for p in publishers)


def test_a_loop_plays_until_stopped(play):
    stop = threading.Event()

    class Counted(list):
        rounds = 0

        def __iter__(self):
            self.rounds += 1
            if self.rounds == 4:
                stop.set()
            return super().__iter__()

    audience, report = play(Counted(frames(2)), rate=100., loop=True, stop=stop)
    assert report.rounds >= 3
    assert report.images >= 6
    assert len(report.stamps) == 2
    assert audience.stamps('image')[:4] == [
        10_000_000_000, 10_020_000_000, 10_000_000_000, 10_020_000_000]


def test_depth_is_optional(play):
    audience, report = play([replace(frame, depth=None) for frame in frames(2)], rate=50.)
    assert (report.images, report.depths) == (2, 0)
    assert not audience.heard['depth/reference']


def test_nobody_listens(ros_context):
    node = Node('alone', context=ros_context)
    with pytest.raises(PlayerError, match=r'nobody subscribes to /image and /camera_info'):
        Player(node, frames(2), PlayOptions(wait=.1)).run()
    node.destroy_node()


def test_nothing_to_play(ros_context):
    node = Node('empty', context=ros_context)
    with pytest.raises(PlayerError, match='no readable frame'):
        Player(node, []).run()
    node.destroy_node()


@pytest.mark.parametrize('options', [{'rate': -1.}, {'rate': 0.}, {'speed': 0.}])
def test_impossible_paces_are_refused(ros_context, options):
    node = Node('pace', context=ros_context)
    with pytest.raises(PlayerError, match='positive'):
        Player(node, [], PlayOptions(**options))
    node.destroy_node()


def test_jpeg_is_as_image_transport_writes_it():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    form, data = encode_jpeg(red)
    assert data[:2] == b'\xff\xd8'
    image = image_to_rgb(CompressedImage(format=form, data=data))
    assert abs(int(image[8, 8, 0]) - 200) < 5
    assert image[8, 8, 2] < 5
