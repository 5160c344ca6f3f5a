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

"""
adapt.launch.py, started for real by launch_pytest.

These need launch, launch_ros and launch_pytest, which the wheels of rclpy lack: they run in a
ROS 2 workspace after 'colcon build' and are skipped elsewhere.
"""

from collections.abc import Iterator
import os
from pathlib import Path
from typing import Any

import pytest

launch_pytest = pytest.importorskip(
    'launch_pytest', reason='launch_pytest is not installed (a ROS 2 installation has it)')
packages = pytest.importorskip(
    'ament_index_python.packages', reason='ament_index_python is not installed')
try:
    packages.get_package_prefix('mde_ros')
except LookupError:
    pytest.skip('mde_ros is not in a sourced workspace: colcon build, source install/setup.bash',
                allow_module_level=True)

from launch_case import describe, Started, Surroundings  # noqa: E402
from lifecycle_msgs.srv import GetState  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

FILE = Path(__file__).resolve().parents[2] / 'launch' / 'adapt.launch.py'
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without a profile, and undo what launch writes into this environment."""
    for name in PROFILES:
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@launch_pytest.fixture
def both(domain_id: int, tmp_path: Path) -> Any:
    """Launch both nodes in a namespace, over a new site."""
    return describe(
        domain_id, FILE, site=tmp_path / 'site', namespace='front',
        image='/camera/image_raw', camera='wide', camera_height='0.62', camera_pitch='9.0',
        name='eyes',
        adapt_log_level='debug')


@pytest.mark.launch(fixture=both)
def test_both_nodes_share_a_site(both: tuple[Any, Started], tmp_path: Path) -> Any:
    _, started = both
    with Surroundings(started.domain_id) as world:
        site = str(tmp_path / 'site')
        assert world.parameters('/front/adaptation_node', 'site', 'camera', 'depth_node',
                                'camera_height', 'camera_pitch') == [
                                    site, 'wide', 'eyes', .62, 9.]
        assert world.parameters('/front/eyes', 'profile') == [site]
        for node in ('adaptation_node', 'eyes'):
            state = world.call(GetState, f'/front/{node}/get_state', GetState.Request())
            assert state.current_state.label in ('active', 'inactive')
        answer = world.call(Trigger, '/front/adaptation_node/status', Trigger.Request())
        assert 'call ~/start_recording' in answer.message
        answer = world.call(Trigger, '/front/adaptation_node/start_recording',
                            Trigger.Request())
        assert answer.success
        topics = dict(world.node.get_topic_names_and_types())
        assert '/camera/image_raw' in topics
        assert '/camera/camera_info' in topics
    command = started.commands['adaptation_node']
    assert command[command.index('--log-level') + 1] == 'debug'
    for name in PROFILES:
        assert Path(started.environments['adaptation_node'][name]).name == (
            'fastdds_large_images.xml')
    yield
    assert started.exit_codes == {'depth_node': 0, 'adaptation_node': 0}


@launch_pytest.fixture
def waiting(domain_id: int, tmp_path: Path) -> Any:
    """Launch for a lifecycle manager and simulated time."""
    return describe(
        domain_id, FILE, site=tmp_path / 'site', adapt_name='learner', autostart='false',
        use_sim_time='true', weights='/data/mine.safetensors', tape_distance='2.5',
        weather='0.5', odometry='/odom')


@pytest.mark.launch(fixture=waiting)
def test_without_autostart_both_wait_unconfigured(waiting: tuple[Any, Started]) -> Any:
    _, started = waiting
    with Surroundings(started.domain_id) as world:
        for node in ('/learner', '/depth_node'):
            assert world.parameters(node, 'autostart', 'use_sim_time', 'weights') == [
                False, True, '/data/mine.safetensors']
            state = world.call(GetState, f'{node}/get_state', GetState.Request())
            assert state.current_state.label == 'unconfigured'
        assert world.parameters('/learner', 'tape_distance', 'weather', 'odometry_topic') == [
            2.5, .5, '/odom']
    yield
    assert started.exit_codes == {'depth_node': 0, 'adaptation_node': 0}


@launch_pytest.fixture
def from_file(domain_id: int, tmp_path: Path) -> Any:
    """Launch for compressed images, a calibration from elsewhere, and a parameter file."""
    parameters = tmp_path / 'mine.yaml'
    parameters.write_text('/**:\n  ros__parameters:\n    steps: 7\n    camera: wide\n'
                          '    camera_height: 1.5\n    site: /not/this\n')
    return describe(
        domain_id, FILE, site=tmp_path / 'site', adapt_params_file=parameters,
        image_transport='compressed', camera_info='/calibration/of_lens')


@pytest.mark.launch(fixture=from_file)
def test_the_parameter_file_fills_what_is_not_given(
        from_file: tuple[Any, Started], tmp_path: Path) -> Any:
    _, started = from_file
    with Surroundings(started.domain_id) as world:
        assert world.parameters('/adaptation_node', 'steps', 'camera', 'camera_height',
                                'site') == [7, 'wide', 1.5, str(tmp_path / 'site')]
        for node in ('/adaptation_node', '/depth_node'):
            assert world.parameters(node, 'image_transport') == ['compressed']

        def listening(topic: str) -> set[str]:
            return {found.node_name for found in
                    world.node.get_subscriptions_info_by_topic(topic)}

        # The depth node has loaded its network only when it subscribes.
        assert world.wait_for(lambda: listening('/calibration/of_lens') == {'depth_node'})
        assert world.call(Trigger, '/adaptation_node/start_recording', Trigger.Request()).success
        nodes = {'depth_node', 'adaptation_node'}
        assert world.wait_for(lambda: listening('/image/compressed') == nodes)
        assert world.wait_for(lambda: listening('/calibration/of_lens') == nodes)
    yield
    assert started.exit_codes == {'depth_node': 0, 'adaptation_node': 0}
