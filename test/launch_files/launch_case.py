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

"""A launch file under test, and a camera and a listener around it."""

from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
import threading
import time
from typing import Any

from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, RegisterEventHandler, SetEnvironmentVariable
from launch.event_handlers import OnProcessExit, OnProcessStart
from launch.launch_description_sources import PythonLaunchDescriptionSource
import launch_pytest
import numpy as np
from numpy.typing import NDArray
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import parameter_value_to_python
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes.messages import camera_info, fill_compressed, fill_image, header_at
from mde_ros.nodes.player import encode_jpeg

LAUNCH_FILE = Path(__file__).resolve().parents[2] / 'launch' / 'depth.launch.py'
START_LIMIT = 40.0


@dataclass
class Started:
    """
    What a launch has started.

    :param domain_id: ROS domain of all processes.
    :param commands: by process name ('depth_node-1' is kept as 'depth_node').
    :param environments: what the launch changed or passed on, by process name.
    :param exit_codes: of those that ended.
    """

    domain_id: int
    commands: dict[str, list[str]] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)


def describe(domain_id: int, file: Path = LAUNCH_FILE,
             **arguments: Any) -> tuple[LaunchDescription, Started]:
    """Return a description that includes a launch file with these arguments."""
    started = Started(domain_id)

    def on_start(event: Any, context: Any) -> None:
        name = event.process_name.rsplit('-', 1)[0]
        started.commands[name] = list(event.cmd)
        started.environments[name] = dict(event.env or context.environment)

    def on_exit(event: Any, _: Any) -> None:
        started.exit_codes[event.process_name.rsplit('-', 1)[0]] = event.returncode

    return LaunchDescription([
        SetEnvironmentVariable('ROS_DOMAIN_ID', str(domain_id)),
        RegisterEventHandler(OnProcessStart(on_start=on_start)),
        RegisterEventHandler(OnProcessExit(on_exit=on_exit)),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(file)),
            launch_arguments=[(name, str(value)) for name, value in arguments.items()]),
        launch_pytest.actions.ReadyToTest(),
    ]), started


class Surroundings:
    """
    A camera of 64 x 48 pixels, and ears for whatever the launched node says.

    Use as a context manager; it spins in a thread of its own.
    """

    def __init__(self, domain_id: int) -> None:
        """Join the domain."""
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self.node = rclpy.create_node('surroundings', context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self.heard: dict[str, list[Any]] = {}

    def __enter__(self) -> 'Surroundings':
        """Start to spin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._thread.join(5)
        self.node.destroy_node()
        self.context.try_shutdown()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def listen(self, kind: type, topic: str) -> list[Any]:
        """Return a list that fills with the messages of a topic."""
        messages = self.heard.setdefault(topic, [])
        self.node.create_subscription(kind, topic, messages.append, 10)
        return messages

    def show(self, picture: NDArray[np.uint8], camera: Intrinsics, image_topic: str,
             info_topic: str, until: Callable[[], bool], compressed: bool = False,
             frame_id: str = 'lens_optical_frame') -> list[Any]:
        """Publish a picture with new stamps at 5 Hz until something holds; return the headers."""
        images = self.node.create_publisher(
            CompressedImage if compressed else Image,
            f'{image_topic}/compressed' if compressed else image_topic, 5)
        infos = self.node.create_publisher(CameraInfo, info_topic, 5)
        headers = []
        end = time.monotonic() + START_LIMIT
        while not until() and time.monotonic() < end:
            header = header_at(1_700_000_000_123_456_789 + 200_000_000 * len(headers), frame_id)
            headers.append(header)
            infos.publish(camera_info(camera, header))
            images.publish(
                fill_compressed(CompressedImage(), *encode_jpeg(picture), header) if compressed
                else fill_image(Image(), picture, 'rgb8', header))
            time.sleep(.2)
        return headers

    def call(self, kind: type, name: str, request: Any) -> Any:
        """Return what a service answers."""
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(START_LIMIT), f'no service {name}'
        future = client.call_async(request)
        answered = threading.Event()
        future.add_done_callback(lambda _: answered.set())
        assert answered.wait(START_LIMIT), f'no answer from {name}'
        return future.result()

    def parameters(self, node: str, *names: str) -> list[Any]:
        """Return parameters of a node."""
        answer = self.call(GetParameters, f'{node}/get_parameters',
                           GetParameters.Request(names=list(names)))
        return [parameter_value_to_python(value) for value in answer.values]

    def wait_for(self, condition: Callable[[], bool], seconds: float = START_LIMIT) -> bool:
        """Return whether a condition holds in time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(.05)
        return True
