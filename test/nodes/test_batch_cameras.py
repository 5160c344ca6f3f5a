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

"""Several cameras in one run of the network, over DDS: groups, bad frames, counts."""

import threading

import numpy as np
import pytest

pytest.importorskip('rclpy')

from node_harness import CAMERA, depth_of, stamps, StubEstimator, wait
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from mde_ros.errors import MdeError
from mde_ros.nodes.messages import camera_info, header_at
from mde_ros.nodes.parameters import Settings

NAMES = ('front', 'left', 'rear')


@pytest.mark.parametrize(('values', 'batch'), [
    ({}, 1), ({'device': 'cuda:0'}, 3), ({'device': 'cuda:0', 'batch_cameras': 'false'}, 1),
    ({'batch_cameras': 'true'}, 3), ({'batch_cameras': 'true', 'cameras': ('',)}, 1)])
def test_auto_batches_except_on_the_cpu(values, batch):
    assert Settings(**{'cameras': NAMES, **values}).batch == batch


class Gated(StubEstimator):
    """Waits in each call until ``gate`` is set."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()


class Cameras:
    """A node with several cameras whose worker is busy with a frame of the first."""

    def __init__(self, rig, parameters=None, **options):
        self.rig = rig({'cameras': list(NAMES), 'batch_cameras': 'true', **(parameters or {})},
                       **options)
        self.depths = {}
        for name in NAMES:
            self.rig.camera(f'{name}/')
            self.rig.send_info(prefix=f'{name}/')
            self.depths[name] = self.rig.listen(f'{name}/depth/image_rect', Image)

    def hold(self):
        """Send a frame that stays in work until the gate of the estimator is set."""
        self.rig.send(1, prefix='front/')
        wait(lambda: self.rig.estimator.calls == 1)

    def wait_in_mailbox(self, **frames):
        """Send a frame of each camera, changed by a function or None, and wait for it to wait."""
        for name, change in frames.items():
            self.rig.send(2, prefix=f'{name}/', change=change)
            wait(lambda: self.rig.node._mailbox.waiting(name))  # noqa: B023

    def finish(self):
        """Let the worker go; wait until all is counted, and check that it adds up."""
        self.rig.estimator.gate.set()
        counts = {}
        for name in NAMES:
            wait(lambda: self.rig.count(f'{name}/').pending == 0)  # noqa: B023
            counts[name] = shot = self.rig.count(f'{name}/')
            assert shot.received == shot.processed + sum(shot.dropped.values())
            wait(lambda: len(self.depths[name]) == shot.processed)  # noqa: B023
        return counts


def test_what_waits_is_run_together(rig):
    c = Cameras(rig, estimator=Gated())
    c.hold()
    c.wait_in_mailbox(front=None, left=None, rear=None)
    counts = c.finish()
    assert c.rig.estimator.batches == [3]
    assert [counts[name].processed for name in NAMES] == [2, 1, 1]
    assert {name: stamps(c.depths[name]) for name in NAMES} == {
        'front': [1, 2], 'left': [2], 'rear': [2]}
    assert set(counts['rear'].stages) == {'decode', 'inference', 'network', 'publish'}


@pytest.mark.parametrize('device', ['cpu', 'toaster'])
def test_auto_and_reload(rig, device):
    c = Cameras(rig, {'batch_cameras': 'auto', 'device': device}, estimator=Gated())
    c.hold()
    c.wait_in_mailbox(left=None, rear=None)
    c.finish()
    assert c.rig.estimator.batches == ([] if device == 'cpu' else [2])
    # A change applies at ~/reload_model.
    c.rig.set(batch_cameras='true' if device == 'cpu' else 'false')
    assert c.rig.node._processor.model.together is (device != 'cpu')
    client = c.rig.peer.create_client(Trigger, 'depth_node/reload_model')
    assert client.wait_for_service(10)
    future = client.call_async(Trigger.Request())
    wait(future.done)
    assert future.result().success
    assert c.rig.node._processor.model.together is (device == 'cpu')


def test_a_bad_frame_touches_no_other(rig):
    def spoil(message):
        message.step = 1

    def enlarge(message):
        message.height, message.step, message.width = 6, 96, 32

    c = Cameras(rig, estimator=Gated())
    c.hold()
    c.wait_in_mailbox(front=None, left=spoil, rear=None)
    counts = c.finish()
    assert c.rig.estimator.batches == [2]
    assert [counts[name].dropped for name in NAMES] == [{}, {'bad image': 1}, {}]
    c.rig.estimator.gate.clear()
    c.rig.send(3, prefix='rear/')
    wait(lambda: c.rig.estimator.calls == 4)
    # Now the calibration of one is useless, and the size of another wrong.
    useless = camera_info(CAMERA, header_at(4, 'x'))
    useless.k[0] = 0.
    c.rig.publishers['left/info'].publish(useless)
    wait(lambda: c.rig.node.cameras.streams['left'].calibration._newest.k[0] == 0)
    c.wait_in_mailbox(front=None, left=None, rear=enlarge)
    counts = c.finish()
    assert [counts[name].processed for name in NAMES] == [3, 0, 2]
    assert counts['left'].dropped == {'bad image': 1, 'bad camera_info': 1}
    assert counts['rear'].dropped == {'camera_info size mismatch': 1}
    assert c.rig.estimator.batches == [2]  # the last good one was alone


@pytest.mark.parametrize(('error', 'reason'), [
    (MdeError('too dark'), 'estimation failed'), (ZeroDivisionError('x'), 'internal error')])
def test_a_batch_that_fails_is_run_one_after_the_other(rig, error, reason):
    class Moody(Gated):
        def estimate(self, image, intrinsics):
            if image[0, 0, 0] == 77:
                raise error
            return super().estimate(image, intrinsics)

    def darken(message):
        message.data[0] = 77

    c = Cameras(rig, estimator=Moody())
    c.hold()
    c.wait_in_mailbox(front=None, left=darken, rear=None)
    counts = c.finish()
    assert c.rig.estimator.batches == [3]
    assert [counts[name].dropped for name in NAMES] == [{}, {reason: 1}, {}]
    assert [counts[name].processed for name in NAMES] == [2, 0, 1]
    assert any('a batch of 3 cameras failed' in line for line in c.rig.logs)


def test_other_input_sizes_and_estimators_have_their_own_runs(rig):
    class Sized(Gated):
        def network_intrinsics(self, intrinsics):
            return intrinsics.resized(8, 6 if intrinsics.width == CAMERA.width else 4)

    c = Cameras(rig, estimator=Sized())
    other = CAMERA.resized(24, 12)
    c.rig.send_info(prefix='left/', intrinsics=other)
    c.hold()
    c.wait_in_mailbox(front=None, rear=None)
    c.rig.send(2, prefix='left/', size=(24, 12))
    wait(lambda: c.rig.node._mailbox.waiting('left'))
    counts = c.finish()
    assert c.rig.estimator.batches == [2]
    assert [camera.width for camera in c.rig.estimator.seen] == [16, 24, 16, 16]
    assert [counts[name].processed for name in NAMES] == [2, 1, 1]


def test_profiles_of_their_own_are_run_alone(rig):
    stubs = []

    def make(_):
        stubs.append(Gated())
        return stubs[-1]

    c = Cameras(rig, {'profile': '/none/{camera}'}, factory=make)
    c.rig.estimator = stubs[0]
    c.hold()
    c.wait_in_mailbox(left=None, rear=None)
    for stub in stubs:
        stub.gate.set()
    c.finish()
    assert [(stub.calls, stub.batches) for stub in stubs] == [(1, []), (1, []), (1, [])]


def test_a_real_network_gives_the_same_in_a_batch(rig):
    torch = pytest.importorskip('torch')
    from mde_ros.estimation.estimator import DepthEstimator
    from mde_ros.estimation.weights import WeightCard
    from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
    torch.manual_seed(7)
    config = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)
    network = DepthNetwork(config).eval()
    sizes = []

    class Noted(DepthEstimator):
        def estimate_batch(self, images, intrinsics):
            sizes.append(len(images))
            return super().estimate_batch(images, intrinsics)

    def make(settings):
        assert settings.batch == 3
        return Noted((network, WeightCard('t', config, 64 * 48)), batch=settings.batch)

    c = Cameras(rig, factory=make)
    noise = np.random.default_rng(0)

    def colour(message):
        message.data = noise.integers(0, 256, len(message.data), np.uint8).tobytes()

    def both():
        # The worker takes a first frame and waits; the others meet in the mailbox.
        c.rig.send(1, prefix='left/')
        wait(lambda: c.rig.count('left/').received == 1
             and not c.rig.node._mailbox.waiting('left'))
        for name in ('front', 'rear'):
            c.rig.send(2, prefix=f'{name}/', change=colour)
            wait(lambda: c.rig.node._mailbox.waiting(name))  # noqa: B023
        sizes.clear()
    c.rig.node._worker.between_frames(both)
    wait(lambda: c.depths['front'] and c.depths['rear'])
    assert sizes == [1, 2]
    noise = np.random.default_rng(0)
    for stamp, name in ((3, 'front'), (4, 'rear')):
        c.rig.send(stamp, prefix=f'{name}/', change=colour)
        wait(lambda: len(c.depths[name]) == 2)  # noqa: B023
        together, alone = (depth_of(message) for message in c.depths[name])
        np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert sizes == [1, 2, 1, 1]
    assert not np.allclose(depth_of(c.depths['front'][0]), depth_of(c.depths['rear'][0]))
