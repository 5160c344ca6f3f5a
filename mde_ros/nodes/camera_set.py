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

"""All cameras of a depth node: made, opened, closed and reported together."""

from collections.abc import Callable
import time

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import CallbackGroup
from rclpy.lifecycle import LifecycleNode

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes.camera_stream import AnyImage, CameraStream
from mde_ros.nodes.diagnostics import camera_status, CameraReport
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.model import Model
from mde_ros.nodes.outputs import CameraOutputs
from mde_ros.nodes.parameters import Settings
from mde_ros.nodes.statistics import Snapshot


class CameraSet:
    """The streams and outputs of every camera, by name."""

    def __init__(self, node: LifecycleNode, mailbox: Mailbox[AnyImage],
                 settings: Callable[[], Settings], complain: Complaints,
                 group: CallbackGroup) -> None:
        """Start with none; :meth:`create` makes them."""
        self.streams: dict[str, CameraStream] = {}
        self.outputs: dict[str, CameraOutputs] = {}
        self._node, self._mailbox, self._settings = node, mailbox, settings
        self._complain, self._group = complain, group
        self._reported: dict[str, Snapshot] = {}

    def create(self, settings: Settings) -> None:
        """
        Create publishers and prepare subscriptions.

        :raises mde_ros.camera.intrinsics.IntrinsicsError: for a camera_info_file that cannot be
            read.
        """
        pattern = settings.camera_info_file
        calibrated = {camera: Intrinsics.from_yaml(pattern.replace('{camera}', camera))
                      if pattern else None for camera in settings.cameras}
        for camera in settings.cameras:
            outputs = self.outputs[camera] = CameraOutputs(self._node, camera)
            self.streams[camera] = CameraStream(
                self._node, camera, self._mailbox, settings=self._settings,
                wanted=outputs.wanted, complain=self._complain, group=self._group,
                calibrated=calibrated[camera])

    def open(self) -> None:
        """Subscribe to all cameras."""
        for stream in self.streams.values():
            stream.open()
            self._node.get_logger().info(
                f'images from {stream.topics.image}, camera_info from {stream.topics.info}, '
                f"taken as {'' if stream.calibration.rectified else 'not '}rectified")

    def close(self) -> None:
        """Unsubscribe."""
        for stream in self.streams.values():
            stream.close()

    def destroy(self) -> None:
        """Take all topics away."""
        streams, outputs = self.streams, self.outputs
        self.streams, self.outputs, self._reported = {}, {}, {}
        for stream in streams.values():
            stream.destroy()
        for output in outputs.values():
            output.destroy()

    def follow_publishers(self) -> None:
        """Let each subscription follow its publishers' reliability."""
        for stream in list(self.streams.values()):
            stream.follow_publishers()

    def intrinsics(self) -> list[Intrinsics]:
        """Return what is known of the cameras now, to warm a network up with."""
        return [intrinsics for stream in self.streams.values()
                for intrinsics in stream.calibration.known()]

    def statuses(self, model: Model, active: bool) -> list[DiagnosticStatus]:
        """Return the diagnostics of each camera, with what is new since the last call."""
        result = []
        for camera, stream in list(self.streams.items()):
            now = stream.statistics.snapshot(time.monotonic())
            result.append(camera_status(self._node.get_fully_qualified_name(), CameraReport(
                camera=camera, image_topic=stream.topics.image, info_topic=stream.topics.info,
                active=active, now=now, before=self._reported.get(camera, Snapshot()),
                subscriptions=stream.qos_states(),
                intrinsics=next(iter(stream.calibration.known()), None),
                model_id=model.of(camera).model_id, device=model.runs_on,
                silence_limit=self._settings().silence_limit)))
            self._reported[camera] = now
        return result
