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

"""kill -9 of the adaptation node while it records, trains and swaps; the next start goes on."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy')

from adaptation_harness import CAMERA, picture, profile_estimator
from node_harness import wait
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.nodes import qos
from mde_ros.nodes.adaptation_guard import holder, start_time
from mde_ros.nodes.adaptation_state import read_json
from mde_ros.nodes.depth_node import DepthNode
from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.messages import camera_info, fill_image, header_at
from mde_ros.nodes.spin import spin_until

MAIN = Path(__file__).resolve().parent / 'adaptation_main.py'


class World:
    """A site, a peer, and one adaptation node after the other, each a process."""

    def __init__(self, context, environment, site):
        import threading
        self.site, self.environment = site, environment
        self.peer = Node('peer', context=context)
        self.depth = DepthNode(
            estimator_factory=profile_estimator(site), context=context,
            parameter_overrides=[Parameter('autostart', value=False)])
        self.stop = threading.Event()
        self.executors = [PatientExecutor(3, context=context) for _ in range(2)]
        self.executors[0].add_node(self.peer)
        self.executors[1].add_node(self.depth)
        self.threads = [threading.Thread(target=spin_until, args=(e, self.stop, print))
                        for e in self.executors]
        for thread in self.threads:
            thread.start()
        self.image = self.peer.create_publisher(Image, 'image', qos.profile('reliable', 50))
        self.info = self.peer.create_publisher(CameraInfo, 'camera_info', 5)
        self.processes, self.sent, self.clients = [], 0, {}

    def start(self, **parameters):
        """Start a node and wait until it answers."""
        words = [sys.executable, str(MAIN), '--ros-args', '-p', f'site:={self.site}',
                 '-p', 'min_interval:=0.0', '-p', 'min_free_megabytes:=0.0']
        for name, value in parameters.items():
            words += ['-p', f'{name}:={value}']
        self.processes.append(subprocess.Popen(words, env=self.environment))
        wait(lambda: 'not active' not in self.call('status')[1], 20)

    def kill(self):
        """End the newest node as the kernel does when memory runs out."""
        process = self.processes[-1]
        process.send_signal(signal.SIGKILL)
        process.wait()

    def call(self, name):
        client = self.clients.setdefault(
            name, self.peer.create_client(Trigger, f'adaptation_node/{name}'))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if client.service_is_ready():
                future = client.call_async(Trigger.Request())
                until = time.monotonic() + 2
                while not future.done() and time.monotonic() < until:
                    time.sleep(.01)
                # A node that was killed is still announced for a while.
                if future.done():
                    return future.result().success, future.result().message
            time.sleep(.02)
        raise AssertionError(f'no answer from {name}')

    def send(self):
        self.sent += 1
        header = header_at(1_000_000_000 + self.sent * 300_000_000, 'optical')
        self.info.publish(camera_info(CAMERA, header))
        self.image.publish(fill_image(Image(), picture(self.sent), 'rgb8', header))
        time.sleep(.03)

    def frames(self):
        return sorted(path.name for path in (self.site / 'recording' / 'rgb').glob('[0-9]*'))

    def state(self):
        return read_json(self.site / 'state.json')

    def send_until(self, condition):
        end = time.monotonic() + 20
        while not condition():
            self.send()
            assert time.monotonic() < end, (self.state(), self.frames())

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(15)
        self.stop.set()
        for executor in self.executors:
            executor.shutdown(timeout_sec=5)
        for thread in self.threads:
            thread.join()
        self.depth.destroy_node()
        self.peer.destroy_node()


@pytest.fixture
def world(ros_context, ros_environment, tmp_path, camera_profiles):
    # Killed processes leave their shared memory behind: let it be small.
    environment = {**ros_environment, 'MDE_ROS_KEEP_TRANSPORT': '1',
                   'STUB_PROFILE': str(camera_profiles[0]), 'STUB_STEPS': '60',
                   'STUB_STEP': '.05'}
    made = World(ros_context, environment, tmp_path / 'site')
    yield made
    made.close()


def starts(site):
    """Return (process, first step) of every trainer that has begun in the run folder."""
    path = site / 'run' / 'starts'
    return [tuple(map(int, line.split())) for line in path.read_text().splitlines()] \
        if path.exists() else []


def test_killed_while_recording(world):
    world.start()
    assert world.call('start_recording')[0]
    world.send_until(lambda: len(world.frames()) >= 3)
    world.kill()
    kept = world.frames()
    # What a power cut may leave of the last picture.
    last = world.site / 'recording' / 'rgb' / kept[-1]
    last.write_bytes(last.read_bytes()[:200])
    world.start()
    assert world.call('status')[1].startswith('recording')
    world.send_until(lambda: len(world.frames()) >= len(kept) + 2)
    done, line = world.call('stop_recording')
    assert done, line
    folder = RgbdFolder(world.site / 'recording')
    assert [frame.name for frame in folder][:len(kept) - 1] == [
        name.partition('.')[0] for name in kept[:-1]]
    assert not folder.skipped


def prepare(world):
    """Record a little."""
    world.start()
    world.call('start_recording')
    world.send_until(lambda: len(world.frames()) >= 2)
    world.call('stop_recording')


def test_killed_while_training(world):
    prepare(world)
    done, line = world.call('adapt')
    assert done, line
    wait(lambda: read_json(world.site / 'run' / 'progress.json').get('step', 0) >= 5)
    trainer, _ = starts(world.site)[0]
    world.kill()
    # Nobody is left to watch the trainer: it saves and ends by itself.
    wait(lambda: start_time(trainer) is None, 10)
    assert world.state()['phase'] == 'adapting'
    world.environment['STUB_STEPS'] = '20'
    world.depth.trigger_configure()
    world.depth.trigger_activate()
    world.start()
    wait(lambda: world.state()['phase'] == 'idle', 20)
    assert 'profile 0001 is in use' in world.state()['message']
    (first, at_first), (second, at_second) = starts(world.site)
    assert at_first == 0
    assert at_second >= 5
    assert first != second


def test_a_trainer_that_outlives_its_node_is_ended_before_another_begins(world):
    world.environment |= {'STUB_DEAF': '1', 'STUB_STEPS': '1000'}
    prepare(world)
    assert world.call('adapt')[0]
    wait(lambda: len(starts(world.site)) == 1)
    world.kill()
    first = starts(world.site)[0][0]
    assert holder(world.site / '.trainer.lock') == first
    world.environment |= {'STUB_DEAF': '', 'STUB_STEPS': '3'}
    world.start()
    wait(lambda: len(starts(world.site)) == 2, 15)
    assert start_time(first) is None
    wait(lambda: world.state()['phase'] == 'idle', 20)


def test_killed_while_swapping(world):
    world.environment['STUB_STEPS'] = '1'
    prepare(world)
    world.depth.trigger_configure()
    world.depth.trigger_activate()
    (world.site / 'hang').touch()
    assert world.call('adapt')[0]
    wait(lambda: (read_json(world.site / 'current.json').get('current')) == '0001', 15)
    world.kill()
    assert world.state()['phase'] == 'swapping'
    (world.site / 'hang').unlink()
    world.start()
    wait(lambda: world.state()['phase'] == 'idle', 20)
    assert 'profile 0001 is in use' in world.state()['message'], world.state()
    model = world.depth._processor.model.estimator.model_id
    assert model.startswith('stub-0+front-')
    # Once in the store, however often the swap began.
    assert [path.name for path in sorted((world.site / 'profiles').glob('*.safetensors'))] == [
        '0001.safetensors']
    history = json.loads((world.site / 'current.json').read_text())['history']
    assert [event['action'] for event in history].count('add') == 1


def test_an_interrupted_end_leaves_the_training_to_the_next_start(world):
    prepare(world)
    assert world.call('adapt')[0]
    wait(lambda: read_json(world.site / 'run' / 'progress.json').get('step', 0) >= 3)
    process = world.processes[-1]
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    assert holder(world.site / '.trainer.lock') is None
    assert world.state()['phase'] == 'adapting'
    world.start(resume='false')
    wait(lambda: world.state()['phase'] == 'idle')
    assert world.state()['message'] == 'the adaptation was interrupted: call ~/adapt'
    assert len(starts(world.site)) == 1
    assert os.path.exists(world.site / 'run' / 'checkpoint')
