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

"""Tests of the executor: all callbacks run, and a callback that waits for a thread is no load."""

import threading
import time

import pytest

pytest.importorskip('rclpy')

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import Empty

from mde_ros.nodes.executor import PatientExecutor, PAUSE

WAIT = .3


def handed_out_while_waiting(executor, node):
    """Keep both threads busy for WAIT seconds and return how often a third task was handed out."""
    release, began, third = threading.Event(), threading.Semaphore(0), threading.Event()

    def block():
        began.release()
        release.wait(10)
    timers = [node.create_timer(.01, block, MutuallyExclusiveCallbackGroup()) for _ in range(2)]
    submitted = []
    original = executor._executor.submit
    executor._executor.submit = lambda task: submitted.append(task) or original(task)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    assert began.acquire(timeout=10) and began.acquire(timeout=10)
    for timer in timers:
        timer.cancel()
    publisher = node.create_publisher(Empty, 'third', 1)
    node.create_subscription(
        Empty, 'third', lambda _: third.set(), 1, callback_group=MutuallyExclusiveCallbackGroup())
    end = time.monotonic() + 10
    while not publisher.get_subscription_count() and time.monotonic() < end:
        time.sleep(.01)
    publisher.publish(Empty())
    time.sleep(WAIT)
    count = len(submitted)
    assert not third.is_set()
    release.set()
    assert third.wait(10)
    executor.shutdown(timeout_sec=5)
    thread.join(10)
    node.destroy_node()
    return count


def test_a_task_that_waits_for_a_thread_is_handed_out_slowly(ros_context):
    node = Node('patient', context=ros_context)
    count = handed_out_while_waiting(PatientExecutor(2, context=ros_context), node)
    assert count <= WAIT / PAUSE + 10


def test_rclpy_still_needs_it(ros_context):
    """When this fails, rclpy has mended its executor and ours can go."""
    node = Node('impatient', context=ros_context)
    count = handed_out_while_waiting(MultiThreadedExecutor(2, context=ros_context), node)
    assert count > WAIT / PAUSE + 10


def test_a_coroutine_that_was_suspended_goes_on(ros_context):
    from rclpy.task import Future
    node, executor = Node('coroutines', context=ros_context), PatientExecutor(
        2, context=ros_context)
    future, steps = Future(), []

    async def callback():
        timer.cancel()
        steps.append('began')
        steps.append(await future)
    timer = node.create_timer(.01, callback)
    executor.add_node(node)
    end = time.monotonic() + 10
    while not steps and time.monotonic() < end:
        executor.spin_once(timeout_sec=.1)
    future.set_result('went on')
    while len(steps) < 2 and time.monotonic() < end:
        executor.spin_once(timeout_sec=.1)
    executor.shutdown(timeout_sec=5)
    node.destroy_node()
    assert steps == ['began', 'went on']
