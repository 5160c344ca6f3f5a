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

"""Tests of the depth node over real DDS, with a stub network."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray
from node_harness import CAMERA, depth_of, stamps, StubEstimator, wait
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

OUTPUTS = {'depth/image_rect': Image, 'depth/camera_info': CameraInfo, 'points': PointCloud2,
           'depth/color': Image, 'depth/image_rect/compressedDepth': CompressedImage}


def test_every_output_has_the_header_of_the_image(rig):
    r = rig().camera()
    r.send_info()
    outputs = [r.listen(topic, kind) for topic, kind in OUTPUTS.items()]
    for stamp in (1_000_000_005, 2_999_999_999, 2**31 * 1_000_000_000 - 1):
        r.send_and_wait(stamp, frame_id='left_optical')
    wait(lambda: all(len(messages) == 3 for messages in outputs))
    for messages in outputs:
        assert [(m.header.stamp.sec, m.header.stamp.nanosec, m.header.frame_id)
                for m in messages] == [
            (1, 5, 'left_optical'), (2, 999_999_999, 'left_optical'),
            (2**31 - 1, 999_999_999, 'left_optical')]


def test_depth_and_cloud_and_camera_info_agree(rig):
    r = rig().camera()
    r.send_info()
    depths, infos, clouds, *_ = [r.listen(topic, kind) for topic, kind in OUTPUTS.items()]
    r.send_and_wait(1)
    wait(lambda: depths and infos and clouds)
    depth, info, points = depth_of(depths[0]), infos[0], clouds[0]
    assert (depths[0].encoding, depths[0].step, depths[0].is_bigendian) == ('32FC1', 64, 0)
    np.testing.assert_array_equal(depth[1], 1 + .25 * np.arange(16))
    assert np.isnan(depth[0]).all()
    assert (info.width, info.height) == (16, 12)
    assert info.k[0] == info.p[0] == CAMERA.fx
    cloud = np.frombuffer(points.data, np.float32).reshape(12, 16, 8)
    np.testing.assert_allclose(cloud[..., 2], depth, atol=1e-4)
    # Column 3 of row 2: z = 1.75, x = (3 - 7.5) / 10 z, y = (2 - 5.5) / 11 z.
    np.testing.assert_allclose(cloud[2, 3, :3], [-.7875, -.556818, 1.75], rtol=1e-5)
    assert np.isnan(cloud[0, :, :3]).all()


def test_every_frame_is_processed_or_counted_under_overload(rig):
    r = rig(estimator=StubEstimator(delay=.02)).camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    for stamp in range(1, 101):
        r.send(stamp)
        time.sleep(.002)
    wait(lambda: r.count().received + r.count().lost == 100 and r.count().pending == 0)
    shot = r.count()
    assert shot.lost == 0
    assert shot.processed + shot.dropped['busy'] == 100
    assert set(shot.dropped) == {'busy'}
    wait(lambda: len(depths) == shot.processed)
    # The newest frame is never the one that is dropped, and order is kept.
    assert stamps(depths)[-1] == 100
    assert stamps(depths) == sorted(stamps(depths))


def test_nothing_subscribed_costs_nothing(rig):
    r = rig().camera()
    r.send_info()
    for stamp in (1, 2, 3):
        r.send_and_wait(stamp)
    assert r.estimator.calls == 0
    assert r.count().dropped == {'idle': 3}
    outputs = r.node.cameras.outputs['']
    r.listen('depth/camera_info', CameraInfo)
    r.send_and_wait(4)
    assert r.estimator.calls == 1
    # Only what is subscribed to was filled.
    assert len(outputs._depth_message.data) == 0
    assert len(outputs._points_message.data) == 0
    assert len(outputs._colour_message.data) == 0
    assert len(outputs._compressed_message.data) == 0


def test_several_cameras_share_one_network_in_turns(rig):
    stub = StubEstimator()
    stub.gate = threading.Event()
    r = rig({'cameras': ['front', 'rear']}, estimator=stub)
    rear_camera = CAMERA.resized(8, 6)
    for prefix, camera in (('front/', CAMERA), ('rear/', rear_camera)):
        r.camera(prefix)
        r.send_info(prefix=prefix, intrinsics=camera)
    front = r.listen('front/depth/image_rect', Image)
    rear = r.listen('rear/points', PointCloud2)
    r.send(1, prefix='front/', frame_id='f')
    wait(lambda: stub.calls == 1)
    # The network is busy: the front camera fills its slot twice, the rear one once.
    for stamp in (2, 3):
        r.send(stamp, prefix='front/', frame_id='f')
    r.send(4, prefix='rear/', size=(8, 6), frame_id='r')
    wait(lambda: (r.count('front/').received, r.count('rear/').received) == (3, 1))
    stub.gate.set()
    wait(lambda: len(front) == 2 and len(rear) == 1)
    assert [camera.width for camera in stub.seen] == [16, 8, 16]
    assert [(s, m.header.frame_id) for s, m in zip(stamps(front), front)] == [(1, 'f'), (3, 'f')]
    assert [(s, m.header.frame_id) for s, m in zip(stamps(rear), rear)] == [(4, 'r')]
    assert r.count('front/').dropped == {'busy': 1}
    assert r.count('rear/').dropped == {}


def test_compressed_images(rig):
    from mde_ros.nodes.messages import fill_compressed, header_at
    from mde_ros.nodes.player import encode_jpeg
    r = rig({'image_transport': 'compressed'}).camera(
        kind=CompressedImage, image='image/compressed')
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    data = encode_jpeg(np.full((12, 16, 3), 90, np.uint8))
    r.publishers['image'].publish(fill_compressed(CompressedImage(), *data, header_at(5, 'x')))
    wait(lambda: len(depths) == 1)
    assert stamps(depths) == [5]


def test_the_first_frame_waits_for_its_camera_info(rig):
    r = rig().camera()
    depths = r.listen('depth/image_rect', Image)
    r.send(1)
    wait(lambda: r.count().received == 1)
    assert r.estimator.calls == 0
    r.send_info()
    wait(lambda: stamps(depths) == [1])
    assert r.count().dropped == {}


def test_a_lens_is_handed_to_the_estimator_and_rectified_depth_published(rig):
    from mde_ros.camera.intrinsics import Intrinsics
    lens = Intrinsics(16, 12, 10., 11., 7.5, 5.5, 'plumb_bob', (.1, 0., 0., 0., 0.))
    r = rig().camera()
    infos = r.listen('depth/camera_info', CameraInfo)
    r.send_info(intrinsics=lens)
    r.send_and_wait(1)
    wait(lambda: len(infos) == 1)
    assert r.estimator.seen == [lens]
    assert list(infos[0].d) == [0.] * 5


def test_lifecycle_transitions(rig):
    r = rig(start=False)
    node = r.node
    assert not node.cameras.streams
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    r.camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    r.send_and_wait(1)
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    wait(lambda: r.publishers['image'].get_subscription_count() == 0)
    r.send(2)
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    wait(lambda: r.publishers['image'].get_subscription_count() == 1)
    r.send_and_wait(3)
    wait(lambda: stamps(depths) == [1, 3])
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert not node.cameras.streams
    wait(lambda: r.peer.count_publishers('/depth/image_rect') == 0)
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_shutdown() == TransitionCallbackReturn.SUCCESS


def test_deactivating_counts_the_frame_that_nobody_will_process(rig):
    stub = StubEstimator()
    stub.gate = threading.Event()
    r = rig(estimator=stub).camera()
    r.send_info()
    r.listen('depth/image_rect', Image)
    r.send(1)
    wait(lambda: stub.calls == 1)
    r.send(2)
    wait(lambda: r.count().received == 2)
    threading.Timer(.1, stub.gate.set).start()
    r.node.trigger_deactivate()
    shot = r.count()
    assert (shot.processed, shot.dropped, shot.pending) == (1, {'stopped': 1}, 0)


def test_autostart_activates_as_soon_as_the_node_spins(rig):
    r = rig({'autostart': True}, start=False)
    wait(lambda: r.node._worker is not None)
    r.camera()


def test_diagnostics_come_while_simulated_time_stands_still(rig):
    r = rig({'use_sim_time': True, 'autostart': True, 'diagnostics_period': .1}, start=False)
    messages = r.listen('/diagnostics', DiagnosticArray)
    # Nobody publishes /clock; after a bag it stands still as well.
    wait(lambda: len(messages) >= 3)


def test_a_network_that_cannot_be_loaded_leaves_the_node_unconfigured(rig):
    from mde_ros.errors import MdeError
    broken = [True]

    def factory(_):
        if broken[0]:
            raise MdeError('w.safetensors: no such file')
        return StubEstimator()

    r = rig(factory=factory, start=False)
    assert r.node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert r.logs == ['cannot configure: w.safetensors: no such file']
    broken[0] = False
    assert r.node.trigger_configure() == TransitionCallbackReturn.SUCCESS


def test_a_camera_info_beside_a_remapped_image_is_found(rig):
    r = rig(arguments=['--ros-args', '-r', 'image:=/robot/left/image_raw'])
    r.camera(image='/robot/left/image_raw', info='/robot/left/camera_info')
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    r.send_and_wait(1)
    wait(lambda: stamps(depths) == [1])


def test_a_lifecycle_manager_can_drive_it(rig):
    from lifecycle_msgs.msg import State, Transition
    from lifecycle_msgs.srv import ChangeState, GetState
    r = rig(start=False)
    change = r.peer.create_client(ChangeState, 'depth_node/change_state')
    get = r.peer.create_client(GetState, 'depth_node/get_state')
    assert change.wait_for_service(10)
    assert get.wait_for_service(10)

    def call(client, request):
        future = client.call_async(request)
        wait(future.done)
        return future.result()

    for transition, state in (
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
            (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
            (Transition.TRANSITION_UNCONFIGURED_SHUTDOWN, State.PRIMARY_STATE_FINALIZED)):
        answer = call(change, ChangeState.Request(transition=Transition(id=transition)))
        assert answer.success
        assert call(get, GetState.Request()).current_state.id == state
