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

"""An adaptation node with a stub trainer, a depth node with a stub network, and a camera."""

from pathlib import Path
import threading
import time

from node_harness import StubEstimator, wait
import numpy as np
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError
from mde_ros.estimation.profile import load_card, save_profile
from mde_ros.estimation.profile_store import resolve_profile
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.nodes import qos
from mde_ros.nodes.adaptation_node import AdaptationNode
from mde_ros.nodes.depth_node import DepthNode
from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.messages import camera_info, fill_image, header_at
from mde_ros.nodes.spin import spin_until

STUB = str(Path(__file__).resolve().parent / 'stub_trainer.py')
CAMERA = Intrinsics(64, 48, 48., 48., 31.5, 23.5)


def make_profiles(folder: Path, count: int = 2) -> list[Path]:
    """Write an untrained network, and profiles of it that differ in one number."""
    torch.manual_seed(0)
    network = DepthNetwork(SIZES['small'])
    save_weights(folder / 'base', network, WeightCard('base', network.config, 64 * 48))
    base, card = load_weights(folder / 'base')
    paths = []
    for number in range(count):
        adapted, _ = load_weights(folder / 'base')
        with torch.no_grad():
            next(iter(p for n, p in adapted.named_parameters()
                      if 'style_encoders' not in n)).view(-1)[0] += 1. + number
        paths.append(folder / f'profile_{number}.safetensors')
        save_profile(paths[-1], base, card, adapted, name='front', report={})
    return paths


def profile_estimator(site: Path, store: Path | None = None):
    """Return a factory whose estimator is named after the active profile of a site."""
    def make(settings):
        if (site / 'refuse').exists():
            raise MdeError('this profile is for other weights')
        while (site / 'hang').exists():
            time.sleep(.02)
        path = resolve_profile(store or site)
        return StubEstimator(settings, 'stub-0' if path is None
                             else f'stub-0+{load_card(path).profile_id}')
    return make


class AdaptationRig:
    """
    Both nodes, spinning, and a peer that publishes, calls and listens.

    :param parameters: of the adaptation node.
    :param depth: False for no depth node.
    :param store: what the depth node takes for the store of profiles, the site by default.
    """

    def __init__(self, context, site, parameters=None, *, depth=True, store=None, command=(STUB,),
                 grace=5., checks=lambda folder: [], start=True, arguments=None):
        self.site = Path(site)
        self.node = AdaptationNode(
            command=command, grace=grace, checks=checks, context=context, cli_args=arguments,
            parameter_overrides=[Parameter(name, value=value) for name, value in {
                'autostart': False, 'site': str(site), 'min_interval': 0., 'log_period': 0.,
                'min_free_megabytes': 0., **(parameters or {})}.items()])
        self.logs: list[str] = []
        self.node._log = lambda line, failed: self.logs.append(line)
        self.node._warn = self.node.complain._log = self.logs.append
        self.peer = Node('peer', context=context)
        self.depth = DepthNode(
            estimator_factory=profile_estimator(self.site, store), context=context,
            parameter_overrides=[Parameter('autostart', value=False)]) if depth else None
        self.stop, self.defects = threading.Event(), []
        self.executors = []
        for node in (self.node, self.peer, self.depth):
            if node is not None:
                self.executors.append(PatientExecutor(3, context=context))
                self.executors[-1].add_node(node)
        self.threads = [
            threading.Thread(target=spin_until, args=(executor, self.stop, self.defects.append))
            for executor in self.executors]
        for thread in self.threads:
            thread.start()
        for node in (self.node, self.depth) if start else ():
            if node is not None:
                assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS, self.logs
                assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS, self.logs
        self.clients = {}
        self.image = self.info = None
        self.sent = 0

    def close(self):
        self.stop.set()
        for executor in self.executors:
            executor.shutdown(timeout_sec=5)
        for thread in self.threads:
            thread.join()
        for node in (self.node, self.depth, self.peer):
            if node is not None:
                node.destroy_node()
        assert not self.defects, '\n'.join(self.defects)

    def call(self, name, node='adaptation_node', timeout=20.):
        """Return (success, message) of a service."""
        client = self.clients.get((node, name))
        if client is None:
            client = self.clients[node, name] = self.peer.create_client(
                Trigger, f'{node}/{name}')
        assert client.wait_for_service(10), name
        future = client.call_async(Trigger.Request())
        wait(future.done, timeout)
        return future.result().success, future.result().message

    def camera(self, image='image', kind=Image, info='camera_info'):
        """Create the publishers of a camera."""
        self.image = self.peer.create_publisher(kind, image, qos.profile('reliable', 100))
        self.info = self.peer.create_publisher(CameraInfo, info, qos.profile('reliable', 5))
        return self

    def matched(self, count):
        """Wait until so many nodes have subscribed."""
        wait(lambda: self.image.get_subscription_count() == count
             and self.info.get_subscription_count() == count)

    def send(self, count=1, seed=None):
        """Publish pictures of new places (or, with a seed, always of the same) and wait."""
        for _ in range(count):
            self.sent += 1
            header = header_at(1_000_000_000 + self.sent * 300_000_000, 'optical')
            self.info.publish(camera_info(CAMERA, header))
            self.image.publish(self.message(header, self.sent if seed is None else seed))
            time.sleep(.03)

    def message(self, header, seed):
        """Return an image message."""
        return fill_image(Image(), picture(seed), 'rgb8', header)

    def record(self, frames=4):
        """Record some frames, from start to stop."""
        if self.image is None:
            self.camera()
        assert self.call('start_recording')[0]
        self.matched(2 if self.depth is not None else 1)
        before = self.kept()
        end = time.monotonic() + 15
        while self.kept() < before + frames:
            self.send()
            assert time.monotonic() < end, (self.logs, self.node.recording.values())
        done, line = self.call('stop_recording')
        assert done, (line, self.logs[-3:])
        return line

    def kept(self):
        """Return the frames in the recording."""
        return self.node.recording.values()['frames kept']

    def phase(self):
        """Return what goes on."""
        return self.node.control.state.phase

    def until(self, phase, timeout=15.):
        """Wait for a phase; return the state."""
        wait(lambda: self.phase() == phase, timeout)
        return self.node.control.state

    def model(self):
        """Return the id of the network that the depth node runs."""
        return self.depth._processor.model.estimator.model_id


def change(rig, **values):
    """Set parameters of the adaptation node; return the reason of a refusal, or nothing."""
    result = rig.node.set_parameters_atomically(
        [Parameter(name, value=value) for name, value in values.items()])
    return '' if result.successful else result.reason


def picture(seed):
    """Return a sharp, bright picture of a place that no other seed shows."""
    rng = np.random.default_rng(seed)
    total = np.full((48, 64, 1), 128.)
    for size, strength in ((4, 40), (2, 50), (1, 20)):
        part = rng.uniform(-strength, strength, (48 // size, 64 // size, 1))
        total = total + part.repeat(size, 0).repeat(size, 1)
    return np.clip(total + rng.uniform(-15, 15, 3), 0, 255).astype(np.uint8)
