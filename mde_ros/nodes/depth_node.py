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
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from mde_ros.errors import MdeError
from mde_ros.nodes import parameters
from mde_ros.nodes.camera_set import CameraSet
from mde_ros.nodes.camera_stream import AnyImage
from mde_ros.nodes.diagnostics import unconfigured_status
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.frame_processor import FrameProcessor
from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.model import EstimatorFactory, make_estimator, make_model, reload_model
from mde_ros.nodes.spin import run
from mde_ros.nodes.worker import Worker

# Seconds between two looks at the publishers, for those that match without an event.
WATCH_PERIOD = 1.0


class DepthNode(LifecycleNode):
    """
    Subscribe to cameras and publish their depth; see docs/depth_node.md.

    Spin it with a PatientExecutor of at least three threads: images keep coming while
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
        self._refusal = ''
        self._mailbox: Mailbox[AnyImage] = Mailbox(self.settings.cameras)
        self.cameras = CameraSet(self, self._mailbox, lambda: self.settings, self.complain,
                                 self._image_group)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 1)
        # Not the node's clock: with use_sim_time that stands still while no bag is played.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._diagnostics_timer = self.create_timer(
            self.settings.diagnostics_period, self.publish_diagnostics, self._watch_group, steady)
        self.create_timer(
            WATCH_PERIOD, self.cameras.follow_publishers, self._watch_group, steady)
        self.create_service(Trigger, '~/reload_model', self._on_reload)
        self.create_service(SetBool, '~/enable', self._on_enable)
        for name in parameters.TABLE:
            self.get_logger().info(f'parameter {name}: {getattr(self.settings, name)!r}')
        self._autostart = self.create_timer(
            0.0, self._start, clock=steady) if self.settings.autostart else None

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
            self._refusal = ''
            return parent(state)
        except MdeError as error:
            self._refusal = f'cannot {what}: {error}'
        except Exception:  # noqa: BLE001
            # rclpy would swallow it without a word.
            self._refusal = f'cannot {what}: {traceback.format_exc()}'
        self._error(self._refusal)
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
        model = make_model(self._make_estimator, settings)
        self.cameras.create(settings)
        model.warm_up(self.cameras.intrinsics())
        for line in model.notices:
            self._warn(line)
        self._processor = FrameProcessor(
            model, self.cameras.streams, self.cameras.outputs, self.complain, self.get_clock())
        self._inform(f'model {model.model_id} on {model.runs_on}, loaded in '
                     f'{time.perf_counter() - began:.2f} s')

    def _activate(self) -> None:
        assert self._processor is not None
        processor = self._processor
        self._worker = Worker(
            self._mailbox,
            lambda taken: processor.process(taken, self.settings),
            lambda camera, _, error: processor.failed(camera, error),
            lambda: processor.model.together)
        self._worker.start()
        self.cameras.open()

    def _deactivate(self) -> None:
        self.cameras.close()
        if self._worker is not None:
            for camera in self._worker.stop():
                self.cameras.streams[camera].statistics.drop('stopped')
            self._worker = None

    def _clean_up(self) -> None:
        self._deactivate()
        self.cameras.destroy()
        self._processor = None

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
                self._diagnostics_timer.reset()
            elif change.name == 'image_reliability':
                self.cameras.follow_publishers()

    def _on_reload(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Load what the parameters name and swap it in between two frames."""
        if self._processor is None:
            response.message = ('the node is not configured: run ros2 lifecycle set '
                                f'{self.get_fully_qualified_name()} configure')
            return response
        response.success, response.message = reload_model(
            self._make_estimator, self.settings, self._processor, self._worker,
            self.cameras.intrinsics())
        (self._inform if response.success else self._error)(f'reload_model: {response.message}')
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response
                   ) -> SetBool.Response:
        """Set the parameter enabled."""
        result = self.set_parameters([Parameter('enabled', value=bool(request.data))])[0]
        response.success = result.successful
        response.message = result.reason or ('enabled' if request.data else 'disabled')
        return response

    # ---- watching --------------------------------------------------------------------------

    def publish_diagnostics(self) -> None:
        """Publish one status a camera."""
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        if self._processor is not None:
            message.status = self.cameras.statuses(
                self._processor.model, active=self._worker is not None)
        else:
            message.status = [unconfigured_status(self.get_fully_qualified_name(), self._refusal)]
        self._diagnostics.publish(message)

    def _inform(self, line: str) -> None:
        self.get_logger().info(line)

    def _warn(self, line: str) -> None:
        self.get_logger().warning(line)

    def _error(self, line: str) -> None:
        self.get_logger().error(line)


def main(arguments: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for parameters that are wrong."""
    return run(DepthNode, arguments)


if __name__ == '__main__':
    sys.exit(main())
