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

"""Tests of what the outputs are made of."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from node_harness import CAMERA, wait
from sensor_msgs.msg import CompressedImage, Image

from mde_ros.nodes.outputs import limit_depth, shrink
from mde_ros.nodes.parameters import Settings

DEPTH = np.array([[.05, .1, 5, 100, 101, np.nan]], np.float32)


def test_out_of_range_becomes_nan():
    found = limit_depth(DEPTH, Settings())
    # The limits themselves are in range, in float32 too.
    np.testing.assert_array_equal(
        found, np.array([[np.nan, .1, 5, 100, np.nan, np.nan]], np.float32))
    assert found.dtype == np.float32


def test_out_of_range_becomes_infinite_as_rep_117_says():
    found = limit_depth(DEPTH, Settings(out_of_range='inf'))
    np.testing.assert_array_equal(
        found, np.array([[-np.inf, .1, 5, 100, np.inf, np.nan]], np.float32))


def test_depth_in_range_comes_back_as_it_is():
    inside = np.array([[.1, 5, np.nan, 100]], np.float32)
    assert limit_depth(inside, Settings()) is inside
    for depth in (np.full((2, 2), np.nan, np.float32), np.full((2, 2), np.inf, np.float32)):
        assert np.isnan(limit_depth(depth, Settings())).all()


def test_the_depth_of_the_estimator_is_not_changed():
    kept = DEPTH.copy()
    limit_depth(DEPTH, Settings())
    np.testing.assert_array_equal(DEPTH, kept)


def test_shrinking_keeps_the_view_and_invents_no_depth():
    depth = np.where(np.arange(16) < 8, 1, 9).astype(np.float32) * np.ones((12, 1), np.float32)
    image = np.full((12, 16, 3), 7, np.uint8)
    small, picture, intrinsics = shrink(depth, image, CAMERA, CAMERA.fx / 2)
    assert small.shape == (6, 8)
    assert picture.shape == (6, 8, 3)
    assert small.dtype == np.float32
    assert set(np.unique(small)) == {1, 9}
    assert (small[:, :4] == 1).all()
    assert (small[:, 4:] == 9).all()
    assert intrinsics == CAMERA.resized(8, 6)


def test_a_camera_smaller_than_the_network_is_not_enlarged():
    depth, image = np.ones((12, 16), np.float32), np.zeros((12, 16, 3), np.uint8)
    small, _, intrinsics = shrink(depth, image, CAMERA, 2 * CAMERA.fx)
    assert small.shape == (12, 16)
    assert intrinsics == CAMERA


def test_a_best_effort_listener_is_served_too(rig):
    r = rig().camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image, reliability='best_effort')
    r.send_and_wait(1)
    wait(lambda: len(depths) == 1)


def test_compressed_depth_lies_beside_a_remapped_depth_image(rig):
    r = rig(arguments=['--ros-args', '-r', 'depth/image_rect:=/robot/depth']).camera()
    r.send_info()
    messages = r.listen('/robot/depth/compressedDepth', CompressedImage)
    r.send_and_wait(1)
    wait(lambda: len(messages) == 1)


def test_qos_overrides_of_an_output(rig):
    r = rig(arguments=['--ros-args', '-p',
                       'qos_overrides./points.publisher.reliability:=best_effort'])
    found = r.peer.get_publishers_info_by_topic('/points')
    wait(lambda: r.peer.get_publishers_info_by_topic('/points'))
    found = r.peer.get_publishers_info_by_topic('/points')
    assert [info.qos_profile.reliability.name for info in found] == ['BEST_EFFORT']
