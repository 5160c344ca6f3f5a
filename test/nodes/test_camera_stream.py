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

"""Tests of the subscriptions: reliability, counting, stamps."""

import time

import pytest

pytest.importorskip('rclpy')

from node_harness import stamps, StubEstimator, wait
from rclpy.duration import Duration
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

from mde_ros.nodes.messages import header_at


def requested(r):
    return r.node.cameras.streams[''].qos_state().requested


@pytest.mark.parametrize('offered', ['reliable', 'best_effort'])
def test_auto_follows_a_publisher_that_comes_later(rig, offered):
    r = rig()
    assert requested(r) == 'reliable'
    r.camera(reliability=offered)
    assert requested(r) == offered
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    r.send_and_wait(1)
    wait(lambda: stamps(depths) == [1])
    assert r.node.cameras.streams[''].qos_state().compatible


@pytest.mark.parametrize('offered', ['reliable', 'best_effort'])
def test_auto_asks_the_publishers_that_are_there_already(rig, offered):
    r = rig(start=False)
    publisher = r.peer.create_publisher(Image, 'image', r.profile(offered))
    wait(lambda: r.node.count_publishers('/image') == 1)
    r.node.trigger_configure()
    r.node.trigger_activate()
    assert requested(r) == offered
    wait(lambda: publisher.get_subscription_count() == 1)


def test_auto_goes_back_to_reliable_when_the_best_effort_camera_leaves(rig):
    r = rig().camera(reliability='best_effort')
    assert requested(r) == 'best_effort'
    r.peer.destroy_publisher(r.publishers['image'])
    wait(lambda: not r.node.cameras.streams[''].qos_state().offered)
    r.camera(reliability='reliable')
    wait(lambda: requested(r) == 'reliable')
    r.send_info()
    r.listen('depth/image_rect', Image)
    wait(lambda: r.publishers['image'].get_subscription_count() == 1)
    r.send_and_wait(5)
    assert r.count().processed == 1


def test_reliable_and_best_effort_are_obeyed(rig):
    r = rig({'image_reliability': 'reliable'})
    publisher = r.peer.create_publisher(Image, 'image', r.profile('best_effort'))
    wait(lambda: r.logs)
    assert "image_reliability to 'best_effort' or 'auto'" in r.logs[0]
    state = r.node.cameras.streams[''].qos_state()
    assert (state.requested, state.offered, state.compatible) == (
        'reliable', ('best_effort',), False)
    assert r.set(image_reliability='best_effort') == ''
    wait(lambda: publisher.get_subscription_count() == 1)
    assert requested(r) == 'best_effort'


def test_qos_overrides_set_the_depth(rig):
    r = rig(arguments=['--ros-args', '-p', 'qos_overrides./image.subscription.depth:=7'])
    assert r.node.cameras.streams['']._subscription.qos_profile.depth == 7
    r.camera(reliability='best_effort')
    assert r.node.cameras.streams['']._subscription.qos_profile.depth == 7


def test_the_newest_frame_replaces_the_one_that_waits_for_camera_info(rig):
    r = rig().camera()
    depths = r.listen('depth/image_rect', Image)
    for stamp in (1, 2, 3):
        r.send(stamp)
        wait(lambda: r.count().received == stamp)  # noqa: B023
    wait(lambda: r.count().pending == 1)
    assert r.count().dropped == {'no camera_info': 2}
    assert 'remap camera_info' in r.logs[0]
    assert '/camera_info' in r.logs[0]
    r.send_info()
    wait(lambda: stamps(depths) == [3])


def test_stamps_that_go_back_are_counted_and_processed(rig):
    r = rig().camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    for stamp in (5_000_000_000, 1_000_000_000, 2_000_000_000):
        r.send_and_wait(stamp)
    wait(lambda: stamps(depths) == [5_000_000_000, 1_000_000_000, 2_000_000_000])
    assert r.count().noted['stamp backwards'] == 1
    assert 'went back by 4.000 s' in r.logs[0]


def test_after_a_hold_up_only_the_newest_image_is_processed(rig):
    r = rig().camera()
    r.send_info()
    r.listen('depth/image_rect', Image)
    r.send_and_wait(1)
    stream = r.node.cameras.streams['']
    with stream._lock:
        r.send(2)
        wait(lambda: r.count().received == 2)
        for stamp in range(3, 9):
            r.send(stamp)
        wait(lambda: r.publishers['image'].wait_for_all_acked(Duration(seconds=5)))
    wait(lambda: r.count().received == 8 and r.count().pending == 0)
    assert r.estimator.calls == 2
    assert (r.count().processed, r.count().dropped, r.count().lost) == (2, {'busy': 6}, 0)


def test_frames_lost_by_transport_are_seen_in_the_sequence_numbers(rig):
    # The node holds one image, and its executor has no time for it.
    r = rig({'image_queue': 1}, estimator=StubEstimator()).camera(reliability='best_effort')
    r.send_info()
    r.listen('depth/image_rect', Image)
    r.send_and_wait(1)
    stream = r.node.cameras.streams['']
    with stream._lock:
        r.send(2)
        wait(lambda: r.count().received == 2)
        for stamp in range(3, 9):
            r.send(stamp)
            time.sleep(.01)
    wait(lambda: r.count().received == 3 and r.count().pending == 0)
    assert r.count().lost == 5


def test_ages_use_the_clock_of_the_node(rig):
    r = rig().camera()
    r.send_info()
    r.listen('depth/camera_info', CameraInfo)
    now = r.node.get_clock().now().nanoseconds
    r.send_and_wait(now - 200_000_000)
    assert r.count().age[0] >= .2
    r.send_and_wait(now + 3_600_000_000_000)
    assert r.count().noted == {'clock mismatch': 1}


def test_ages_follow_the_clock_of_a_simulation(rig):
    r = rig({'use_sim_time': True}).camera()
    r.send_info()
    r.listen('depth/camera_info', CameraInfo)
    clock = r.peer.create_publisher(Clock, '/clock', 10)
    wait(lambda: clock.get_subscription_count() == 1)
    clock.publish(Clock(clock=header_at(1_000_300_000_000, '').stamp))
    wait(lambda: r.node.get_clock().now().nanoseconds == 1_000_300_000_000)
    r.send_and_wait(1_000_000_000_000)
    assert r.count().age[0] == pytest.approx(.3)
    assert r.count().noted == {}
