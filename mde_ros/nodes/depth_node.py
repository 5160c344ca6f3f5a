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

"""The depth node: camera images in, metric depth images and clouds out."""

from collections.abc import Callable
import sys
import time
import traceback
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError
from mde_ros.nodes import parameters
from mde_ros.nodes.camera_stream import AnyImage, CameraStream
from mde_ros.nodes.complaints import Complaints
from mde_ros.nodes.diagnostics import camera_status, CameraReport
from mde_ros.nodes.estimators import EstimatorFactory, make_estimator
from mde_ros.nodes.frame_processor import FrameProcessor, Model
from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.outputs import CameraOutputs
from mde_ros.nodes.spin import run
from mde_ros.nodes.statistics import Snapshot
from mde_ros.nodes.worker import Worker

# Seconds between two looks at the publishers, for those that match without an event.
WATCH_PERIOD = 1.0


class DepthNode(LifecycleNode):
    """
    Subscribe to cameras and publish their depth; see docs/depth_node.md.

    Spin it with a MultiThreadedExecutor of at least three threads: images keep coming while
    weights load. The network runs in a thread of its own, whatever the executor.

    :param estimator_factory: makes an estimator from the parameters; tests put a stub here.
    """

    def __init__(self, *, estimator_factory: EstimatorFactory = make_estimator,
                 node_name: str = 'depth_node', **options: Any) -> None:
        """
        Declare the parameters and, with ``autostart``, activate as soon as the node spins.

        :raises mde_ros.errors.MdeError: for parameters that do not go together.
        :raises rclpy.exceptions.ParameterException: for values of the wrong type or range.
        """
        super().__init__(node_name, **options)
        self._make_estimator = estimator_factory
        self.settings = parameters.declare(self)
        self.add_post_set_parameters_callback(self._on_parameters)
        self.complain = Complaints(self._warn, lambda: self.settings.log_period)
        self._image_group = MutuallyExclusiveCallbackGroup()
        self._watch_group = MutuallyExclusiveCallbackGroup()
        self._processor: FrameProcessor | None = None
        self._worker: Worker[AnyImage] | None = None
        self._mailbox: Mailbox[AnyImage] = Mailbox(self.settings.cameras)
        self.streams: dict[str, CameraStream] = {}
        self._outputs: dict[str, CameraOutputs] = {}
        self._reported: dict[str, Snapshot] = {}
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 1)
        self._diagnostics_timer = self.create_timer(
            self.settings.diagnostics_period, self.publish_diagnostics, self._watch_group)
        self.create_timer(WATCH_PERIOD, self._follow_publishers, self._watch_group)
        self.create_service(Trigger, '~/reload_model', self._on_reload)
        self.create_service(SetBool, '~/enable', self._on_enable)
        for name in parameters.TABLE:
            self.get_logger().info(f'parameter {name}: {getattr(self.settings, name)!r}')
        self._autostart = self.create_timer(
            0.0, self._start) if self.settings.autostart else None

    # ---- lifecycle -------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and create the publishers."""
        return self._transition('configure', self._configure, super().on_configure, state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start the worker."""
        return self._transition('activate', self._activate, super().on_activate, state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and stop the worker; the network stays loaded."""
        return self._transition('deactivate', self._deactivate, super().on_deactivate, state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Drop the network and the publishers."""
        return self._transition('clean up', self._clean_up, super().on_cleanup, state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop everything."""
        return self._transition('shut down', self._clean_up, super().on_shutdown, state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured, from where it can be tried again."""
        return self._transition('recover', self._clean_up, super().on_error, state)

    def destroy_node(self) -> None:
        """Stop everything and destroy the node."""
        self._clean_up()
        super().destroy_node()

    def _transition(self, what: str, action: Callable[[], None],
                    parent: Callable[[LifecycleState], TransitionCallbackReturn],
                    state: LifecycleState) -> TransitionCallbackReturn:
        """Run one step of the lifecycle; say in one line why it failed."""
        try:
            action()
            return parent(state)
        except MdeError as error:
            self._error(f'cannot {what}: {error}')
        except Exception:  # noqa: BLE001
            # rclpy would swallow it without a word.
            self._error(f'cannot {what}: {traceback.format_exc()}')
        return TransitionCallbackReturn.FAILURE

    def _start(self) -> None:
        """Configure and activate, once."""
        assert self._autostart is not None
        self._autostart.cancel()
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()
        else:
            self._error('not started: change what is named above and restart, or set the '
                        f'parameter and run: ros2 lifecycle set {self.get_fully_qualified_name()}'
                        ' configure')

    def _configure(self) -> None:
        self._clean_up()
        settings = self.settings
        began = time.perf_counter()
        estimator = self._make_estimator(settings)
        for camera in settings.cameras:
            calibrated = None
            if settings.camera_info_file:
                calibrated = Intrinsics.from_yaml(
                    settings.camera_info_file.replace('{camera}', camera))
                estimator.warm_up(calibrated)
            self._outputs[camera] = CameraOutputs(self, camera)
            self.streams[camera] = CameraStream(
                self, camera, self._mailbox, settings=lambda: self.settings,
                wanted=self._outputs[camera].wanted, complain=self.complain,
                group=self._image_group, calibrated=calibrated)
        self._processor = FrameProcessor(
            Model(estimator, settings), self.streams, self._outputs, self.complain,
            self.get_clock())
        self.get_logger().info(
            f'model {estimator.model_id} on {settings.device}, loaded in '
            f'{time.perf_counter() - began:.2f} s')

    def _activate(self) -> None:
        assert self._processor is not None
        processor = self._processor
        self._worker = Worker(
            self._mailbox,
            lambda camera, message: processor.process(camera, message, self.settings),
            lambda camera, _, error: processor.failed(camera, error))
        self._worker.start()
        for stream in self.streams.values():
            stream.open()
            self.get_logger().info(
                f'images from {stream.topics.image}, camera_info from {stream.topics.info}, '
                f"taken as {'' if stream.calibration.rectified else 'not '}rectified")

    def _deactivate(self) -> None:
        for stream in self.streams.values():
            stream.close()
        if self._worker is not None:
            for camera in self._worker.stop():
                self.streams[camera].statistics.drop('stopped')
            self._worker = None

    def _clean_up(self) -> None:
        self._deactivate()
        for stream in self.streams.values():
            stream.destroy()
        for outputs in self._outputs.values():
            outputs.destroy()
        self._outputs, self.streams, self._processor = {}, {}, None

    # ---- parameters and services -----------------------------------------------------------

    def _on_parameters(self, changes: list[Parameter]) -> None:
        """Take over new values, all of them at once."""
        self.settings = parameters.read(self)
        for change in changes:
            if change.name in parameters.TABLE:
                self.get_logger().info(f'parameter {change.name}: {change.value!r} applies '
                                       + parameters.TABLE[change.name].metadata['when'])
            if change.name == 'diagnostics_period':
                self._diagnostics_timer.timer_period_ns = round(change.value * 1e9)
            elif change.name == 'image_reliability':
                self._follow_publishers()

    def _on_reload(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Load what the parameters name and swap it in between two frames."""
        processor, settings = self._processor, self.settings
        if processor is None:
            response.message = 'the node is not configured: run ros2 lifecycle set ... configure'
            return response
        kept = processor.model.estimator.model_id
        try:
            began = time.perf_counter()
            model = Model(self._make_estimator(settings), settings)
            for stream in self.streams.values():
                for intrinsics in stream.calibration.known():
                    model.estimator.warm_up(intrinsics)
        except MdeError as error:
            response.message = f'kept {kept}: {error}'
        except Exception as error:  # noqa: BLE001
            # Whatever a foreign file provokes in a library, the running network goes on.
            response.message = f'kept {kept}: {type(error).__name__}: {error}'
        else:
            worker = self._worker
            if worker is None:
                processor.swap(model)
            else:
                worker.between_frames(lambda: processor.swap(model))
            response.success = True
            response.message = (f'{model.estimator.model_id} replaces {kept}, loaded in '
                                f'{time.perf_counter() - began:.2f} s')
        (self.get_logger().info if response.success else self._error)(
            f'reload_model: {response.message}')
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response
                   ) -> SetBool.Response:
        """Set the parameter enabled."""
        result = self.set_parameters([Parameter('enabled', value=bool(request.data))])[0]
        response.success = result.successful
        response.message = result.reason or ('enabled' if request.data else 'disabled')
        return response

    # ---- watching --------------------------------------------------------------------------

    def _follow_publishers(self) -> None:
        for stream in list(self.streams.values()):
            stream.follow_publishers()

    def publish_diagnostics(self) -> None:
        """Publish one status a camera."""
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        processor = self._processor
        for camera, stream in list(self.streams.items()):
            now = stream.statistics.snapshot(time.monotonic())
            message.status.append(camera_status(self.get_fully_qualified_name(), CameraReport(
                camera=camera, image_topic=stream.topics.image, info_topic=stream.topics.info,
                active=self._worker is not None, now=now,
                before=self._reported.get(camera, Snapshot()),
                subscriptions=stream.qos_states(),
                intrinsics=next(iter(stream.calibration.known()), None),
                model_id=processor.model.estimator.model_id if processor else '',
                device=processor.model.settings.device if processor else '',
                silence_limit=self.settings.silence_limit)))
            self._reported[camera] = now
        self._diagnostics.publish(message)

    def _warn(self, line: str) -> None:
        self.get_logger().warning(line)

    def _error(self, line: str) -> None:
        self.get_logger().error(line)


def main(arguments: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for parameters that are wrong."""
    return run(DepthNode, arguments)


if __name__ == '__main__':
    sys.exit(main())
