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
depth.launch.py, started for real by launch_pytest, with each of its arguments.

These need launch, launch_ros and launch_pytest, which the wheels of rclpy lack: they run in a
ROS 2 workspace after 'colcon build' and are skipped elsewhere.
"""

from collections.abc import Iterator
import os
from pathlib import Path
from typing import Any

import numpy as np
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

from launch import LaunchContext  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from launch_case import describe, LAUNCH_FILE, Started, Surroundings  # noqa: E402
from lifecycle_msgs.srv import GetState  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, PointCloud2  # noqa: E402

from mde_ros.camera.intrinsics import Intrinsics  # noqa: E402
from mde_ros.estimation.weights import save_weights, WeightCard  # noqa: E402
from mde_ros.network.depth_network import DepthNetwork, SIZES  # noqa: E402

CAMERA = Intrinsics(64, 48, 48., 48., 31.5, 23.5)
PICTURE = np.indices((48, 64)).sum(0, keepdims=True).repeat(3, 0).transpose(1, 2, 0).astype(
    np.uint8)
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without a profile, and undo what launch writes into this process's environment."""
    for name in PROFILES:
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope='module')
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an untrained network for tiny images."""
    path = tmp_path_factory.mktemp('weights') / 'untrained.safetensors'
    network = DepthNetwork(SIZES['small'])
    save_weights(path, network, WeightCard('untrained', network.config, 64 * 48))
    return path


@launch_pytest.fixture
def plain(domain_id: int, weights: Path) -> Any:
    """Launch with nothing but weights."""
    return describe(domain_id, weights=weights)


@pytest.mark.launch(fixture=plain)
def test_depth_has_the_header_of_its_image(plain: tuple[Any, Started]) -> Any:
    _, started = plain
    with Surroundings(started.domain_id) as world:
        depths = world.listen(Image, 'depth/image_rect')
        infos = world.listen(CameraInfo, 'depth/camera_info')
        clouds = world.listen(PointCloud2, 'points')
        sent = world.show(PICTURE, CAMERA, 'image', 'camera_info',
                          lambda: min(len(depths), len(infos), len(clouds)) >= 3)
        assert len(depths) >= 3
        for message in (*depths, *infos, *clouds):
            assert message.header in sent
        assert (depths[0].height, depths[0].width, depths[0].encoding) == (48, 64, '32FC1')
        assert (clouds[0].height, clouds[0].width) == (48, 64)
        assert infos[0].k[0] == 48.
    for name in PROFILES:
        assert Path(started.environments['depth_node'][name]).name == 'fastdds_large_images.xml'
    yield
    assert started.exit_codes == {'depth_node': 0}


@launch_pytest.fixture
def renamed(domain_id: int, weights: Path, tmp_path: Path) -> Any:
    """Launch with other names and a parameter file."""
    parameters = tmp_path / 'mine.yaml'
    parameters.write_text('/**:\n  ros__parameters:\n    max_depth: 7.0\n    max_rate: 50.0\n')
    return describe(
        domain_id, weights=weights, namespace='front', name='eyes', image='/camera/image_raw',
        params_file=parameters, log_level='debug', profile='/no/store/{camera}')


@pytest.mark.launch(fixture=renamed)
def test_names_and_the_parameter_file_apply(renamed: tuple[Any, Started]) -> Any:
    _, started = renamed
    with Surroundings(started.domain_id) as world:
        depths = world.listen(Image, '/front/depth/image_rect')
        # camera_info is expected beside the image, though only the image was named.
        world.show(PICTURE, CAMERA, '/camera/image_raw', '/camera/camera_info',
                   lambda: bool(depths))
        assert depths
        assert world.parameters(
            '/front/eyes', 'max_depth', 'max_rate', 'min_depth', 'profile') == [
            7.0, 50.0, 0.1, '/no/store/{camera}']
    command = started.commands['depth_node']
    assert command[command.index('--log-level') + 1] == 'debug'
    yield
    assert started.exit_codes == {'depth_node': 0}


@launch_pytest.fixture
def compressed(domain_id: int, weights: Path) -> Any:
    """Launch for compressed images, calibration from elsewhere, and plain transport."""
    return describe(domain_id, weights=weights, image_transport='compressed',
                    camera_info='/calibration/of_lens', fastdds_profile='false')


@pytest.mark.launch(fixture=compressed)
def test_compressed_images_and_camera_info_from_elsewhere(
        compressed: tuple[Any, Started]) -> Any:
    _, started = compressed
    with Surroundings(started.domain_id) as world:
        depths = world.listen(Image, 'depth/image_rect')
        sent = world.show(PICTURE, CAMERA, 'image', '/calibration/of_lens',
                          lambda: bool(depths), compressed=True)
        assert depths
        assert depths[0].header in sent
    variables = started.environments['depth_node']
    assert variables['MDE_ROS_KEEP_TRANSPORT'] == '1'
    assert not set(PROFILES) & set(variables)
    yield
    assert started.exit_codes == {'depth_node': 0}


@launch_pytest.fixture
def waiting(domain_id: int, weights: Path) -> Any:
    """Launch for a lifecycle manager and simulated time."""
    return describe(domain_id, weights=weights, autostart='false', use_sim_time='true')


@pytest.mark.launch(fixture=waiting)
def test_without_autostart_the_node_waits_unconfigured(waiting: tuple[Any, Started]) -> Any:
    _, started = waiting
    with Surroundings(started.domain_id) as world:
        assert world.parameters('/depth_node', 'use_sim_time', 'autostart') == [True, False]
        state = world.call(GetState, '/depth_node/get_state', GetState.Request())
        assert state.current_state.label == 'unconfigured'
    yield
    assert started.exit_codes == {'depth_node': 0}


@launch_pytest.fixture
def played(domain_id: int, weights: Path, rgbd_folder: Path) -> Any:
    """Launch with a folder to play."""
    return describe(domain_id, weights=weights, play=rgbd_folder, fixed_frame='my_lens')


@pytest.mark.launch(fixture=played)
def test_a_folder_is_played_to_the_node(played: tuple[Any, Started]) -> Any:
    _, started = played
    with Surroundings(started.domain_id) as world:
        depths = world.listen(Image, 'depth/image_rect')
        # The folder has six frames: more come when it is played again and again.
        assert world.wait_for(lambda: len(depths) > 6)
        assert depths[0].header.frame_id == 'my_lens'
    yield
    assert started.exit_codes == {'depth_node': 0, 'mde_play': 0}


def resolved(**arguments: str) -> list[Any]:
    """Return the actions of the launch file for some arguments, not started."""
    context = LaunchContext()
    context.launch_configurations.update(arguments)
    actions: list[Any] = []
    source = PythonLaunchDescriptionSource(str(LAUNCH_FILE))
    for entity in source.get_launch_description(context).entities:
        actions += entity.visit(context) or []
    return actions


def test_rviz_is_started_only_when_asked_for() -> None:
    def packages_of(actions: list[Any]) -> list[str]:
        return [''.join(part.text for part in package) if isinstance(package, list) else package
                for package in (getattr(action, 'node_package', None) for action in actions)
                if package]

    assert packages_of(resolved()) == ['mde_ros']
    assert packages_of(resolved(rviz='true')) == ['mde_ros', 'rviz2']


def test_a_profile_that_is_set_already_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROFILES[0], '/mine.xml')
    kinds = [type(action).__name__ for action in resolved()]
    assert 'SetEnvironmentVariable' not in kinds


def test_a_wrong_choice_is_refused() -> None:
    with pytest.raises(RuntimeError, match='image_transport'):
        resolved(image_transport='theora')
