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

"""Tests of the process: it starts, says what is wrong, and ends cleanly on signals."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip('rclpy')

from rclpy.node import Node

from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.spin import spin_until


def start(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, '-m', 'mde_ros.nodes.depth_node', *arguments],
        env={**environment, 'MDE_ROS_KEEP_TRANSPORT': '1'}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def owned_segments(pid):
    """Return the shared memory of Fast DDS that a process owns: it holds their locks open."""
    names = set()
    for entry in Path(f'/proc/{pid}/fd').iterdir():
        target = os.readlink(entry)
        if target.startswith('/dev/shm/fastrtps_') and '_port' not in target:
            names.add(Path(target).name.removesuffix('_el'))
    return names


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_cleanly(ros_environment, number):
    process = start(ros_environment, '--ros-args', '-p', 'autostart:=false')
    lines = []
    while not lines or 'transport' not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    owned = owned_segments(process.pid)
    process.send_signal(number)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    assert 'Traceback' not in rest
    assert owned
    assert not [name for name in owned if (Path('/dev/shm') / name).exists()]


@pytest.mark.parametrize(('parameter', 'words'), [
    ('max_depth:=50', 'as in 50.0'), ('max_depth:=5000.0', 'out of range'),
    ('max_depth:=0.05', 'min_depth 0.1 must be below max_depth 0.05'),
    ('points_layout:=xyz', 'use one of pcl, compact')])
def test_a_wrong_parameter_is_one_line_and_exit_code_2(ros_environment, parameter, words):
    process = start(ros_environment, '--ros-args', '-p', parameter)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert words in output
    assert 'Traceback' not in output
    assert len(output.splitlines()) == 1


def test_a_defect_in_a_callback_does_not_end_the_process(ros_context):
    node = Node('defective', context=ros_context)
    ticks, lines, stop = [], [], threading.Event()

    def tick():
        ticks.append(1)
        if len(ticks) == 2:
            raise ZeroDivisionError('a defect')

    node.create_timer(.01, tick)
    executor = PatientExecutor(2, context=ros_context)
    executor.add_node(node)
    thread = threading.Thread(target=spin_until, args=(executor, stop, lines.append))
    thread.start()
    end = time.monotonic() + 10
    while len(ticks) < 5 and time.monotonic() < end:
        time.sleep(.01)
    stop.set()
    executor.shutdown()
    thread.join(10)
    node.destroy_node()
    assert len(ticks) >= 5
    assert len(lines) == 1
    assert 'a defect' in lines[0]
