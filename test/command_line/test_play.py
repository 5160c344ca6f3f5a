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

"""Tests of ``mde play`` as a user runs it."""

import json
import subprocess
import sys
import threading

import pytest

pytest.importorskip('rclpy')

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image


def mde_play(environment, *arguments):
    return subprocess.run(
        [sys.executable, '-m', 'mde_ros.command_line.main', 'play', *map(str, arguments)],
        env={**environment, 'MDE_ROS_KEEP_TRANSPORT': '1'}, text=True, capture_output=True,
        timeout=60, check=False)


@pytest.fixture
def listener(ros_context):
    """Return images and camera_info of /front that a node in this process receives."""
    node = Node('listener', context=ros_context, namespace='front')
    images, infos, depths = [], [], []
    node.create_subscription(Image, 'colour', images.append, QoSProfile(depth=50))
    node.create_subscription(CameraInfo, 'camera_info', infos.append, QoSProfile(depth=50))
    node.create_subscription(Image, 'depth/reference', depths.append, QoSProfile(depth=50))
    executor = SingleThreadedExecutor(context=ros_context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield images, infos, depths
    executor.shutdown()
    thread.join()
    node.destroy_node()


def test_a_folder_is_played_and_counted(ros_environment, listener, rgbd_folder, tmp_path):
    counts = tmp_path / 'counts.json'
    result = mde_play(
        ros_environment, rgbd_folder, '--rate', 50, '--namespace', 'front', '--image-topic',
        'colour', '--wait-for-subscribers', '--delay', .2, '--limit', 5, '--json', counts)
    assert result.returncode == 0, result.stderr
    assert '5 images, 5 camera_info, 5 depth images' in result.stdout
    images, infos, depths = listener
    assert (len(images), len(infos), len(depths)) == (5, 5, 5)
    assert (images[0].width, images[0].height, images[0].encoding) == (64, 48, 'rgb8')
    played = json.loads(counts.read_text())
    assert (played['images'], played['rounds'], played['skipped']) == (5, 1, {})
    assert played['stamps'] == [1_000_000_000 + i * 33_333_333 for i in range(5)]


def test_a_split_of_a_folder(ros_environment, listener, rgbd_folder):
    result = mde_play(
        ros_environment, rgbd_folder, '--rate', 50, '--namespace', 'front', '--image-topic',
        'colour', '--wait-for-subscribers', '--split', 'score', '--no-depth')
    assert result.returncode == 0, result.stderr
    assert '2 images, 2 camera_info, 0 depth images' in result.stdout


@pytest.mark.parametrize(('arguments', 'words'), [
    (['/nowhere'], '/nowhere'),
    (['FOLDER', '--wait-for-subscribers', '0.1'], 'nobody subscribes to /image'),
    (['FOLDER', '--rate', '0'], 'positive')])
def test_what_is_wrong_is_one_line_and_exit_code_2(
        ros_environment, rgbd_folder, arguments, words):
    result = mde_play(ros_environment, *(
        rgbd_folder if word == 'FOLDER' else word for word in arguments))
    assert result.returncode == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_rate_and_speed_exclude_each_other(ros_environment, rgbd_folder):
    result = mde_play(ros_environment, rgbd_folder, '--rate', 5, '--speed', 2)
    assert result.returncode == 2
    assert 'not allowed with' in result.stderr
