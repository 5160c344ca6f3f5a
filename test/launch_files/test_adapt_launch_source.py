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

"""adapt.launch.py as it stands in its source, without launch."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'launch'


def arguments_of(name: str) -> dict[str, ast.expr]:
    """Return the arguments that a launch file declares, as they stand in its source."""
    for node in ast.parse((FOLDER / name).read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == 'ARGUMENTS':
            assert isinstance(node.value, ast.Dict)
            return {ast.literal_eval(key): value
                    for key, value in zip(node.value.keys, node.value.values) if key}
    raise AssertionError(name)


def test_what_it_hands_on_is_declared_in_both_files() -> None:
    own, depth = arguments_of('adapt.launch.py'), arguments_of('depth.launch.py')
    text = (FOLDER / 'adapt.launch.py').read_text()
    handed = ast.literal_eval(text.partition('DEPTH_ARGUMENTS = ')[2].partition(')')[0] + ')')
    assert set(handed) <= set(own)
    assert set(handed) <= set(depth)
    assert 'profile' in depth
    # What both declare would otherwise be set for one node only.
    assert set(own) & set(depth) == set(handed)


def test_what_it_sets_are_parameters_of_the_node() -> None:
    pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
    from mde_ros.nodes.adaptation_parameters import TABLE
    for name in ('site', 'camera', 'depth_node', 'weights', 'image_transport', 'camera_height',
                 'camera_pitch', 'tape_distance', 'weather', 'odometry_topic', 'autostart'):
        assert name in TABLE, name
        assert f"'{name}'" in (FOLDER / 'adapt.launch.py').read_text(), name
