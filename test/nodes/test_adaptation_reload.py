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

"""Asking the depth node to load, over DDS."""

import threading
import time

import pytest

pytest.importorskip('rclpy')

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import Trigger

from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_reload import DepthNodeClient
from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.spin import spin_until


@pytest.fixture
def asking(ros_context):
    """Return (client, server node, settings as a list of one, stop)."""
    node, server = (Node(name, context=ros_context, namespace='ns') for name in ('a', 'depth'))
    settings, stop, ended = [Settings(depth_node='depth')], threading.Event(), threading.Event()
    executor = PatientExecutor(4, context=ros_context)
    for one in (node, server):
        executor.add_node(one)
    thread = threading.Thread(target=spin_until, args=(executor, ended, print))
    thread.start()
    client = DepthNodeClient(node, lambda: settings[0], ReentrantCallbackGroup(), stop)
    yield client, server, settings, stop
    client.destroy()
    ended.set()
    executor.shutdown(timeout_sec=5)
    thread.join()
    node.destroy_node()
    server.destroy_node()


def serve(server, success, message, seconds=0.):
    def answer(_, response):
        time.sleep(seconds)
        response.success, response.message = success, message
        return response
    server.create_service(Trigger, '~/reload_model', answer,
                          callback_group=ReentrantCallbackGroup())


@pytest.mark.parametrize('success', [True, False])
def test_the_answer_is_passed_on(asking, success):
    client, server, settings, _ = asking
    serve(server, success, 'a line')
    reply = client()
    assert (reply.loaded, reply.message, reply.answered) == (success, 'a line', True)
    settings[0] = Settings(depth_node='/ns/depth')
    assert client().message == 'a line'


def test_no_such_node(asking):
    client, *_ = asking
    reply = client(.1)
    assert not reply.answered
    assert 'there is no service /ns/depth/reload_model: start the depth node' in reply.message


def test_a_late_answer_is_not_waited_for(asking):
    client, server, settings, _ = asking
    serve(server, True, 'late', 1.)
    settings[0] = Settings(depth_node='depth', reload_timeout=.5)
    reply = client()
    assert (reply.loaded, reply.answered) == (False, False)
    assert 'did not answer within' in reply.message


def test_the_end_of_the_node_ends_the_wait(asking):
    client, _, _, stop = asking
    stop.set()
    began = time.monotonic()
    assert not client(60.).answered
    assert time.monotonic() - began < 30
