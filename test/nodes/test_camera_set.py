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

"""Tests of making and taking away all cameras."""

import pytest

pytest.importorskip('rclpy')

from node_harness import CAMERA, wait


def test_topics_of_all_cameras_come_and_go(rig):
    r = rig({'cameras': ['front', 'rear']}, namespace='robot')
    wait(lambda: all(r.peer.count_publishers(f'/robot/{name}/points') == 1
                     and r.peer.count_subscribers(f'/robot/{name}/image') == 1
                     for name in ('front', 'rear')))
    r.node.trigger_deactivate()
    wait(lambda: r.peer.count_subscribers('/robot/rear/image') == 0)
    assert r.peer.count_publishers('/robot/rear/points') == 1
    r.node.trigger_cleanup()
    wait(lambda: r.peer.count_publishers('/robot/rear/points') == 0)


def test_a_calibration_that_cannot_be_read_leaves_no_camera(rig, tmp_path):
    (tmp_path / 'front.yaml').write_text('width: 16')
    r = rig({'cameras': ['front'], 'camera_info_file': str(tmp_path / '{camera}.yaml')},
            start=False)
    r.node.trigger_configure()
    assert 'front.yaml' in r.logs[0]
    assert r.node.cameras.streams == r.node.cameras.outputs == {}


def test_what_is_known_of_the_cameras(rig):
    r = rig({'cameras': ['front', 'rear']}).camera('front/')
    assert r.node.cameras.intrinsics() == []
    r.send_info(prefix='front/')
    assert r.node.cameras.intrinsics() == [CAMERA]
