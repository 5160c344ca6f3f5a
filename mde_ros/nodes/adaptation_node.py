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

"""The adaptation node: records a new camera, adapts the network to it, exchanges the profile."""

from collections.abc import Callable, Sequence
from pathlib import Path
import sys
import threading
import traceback
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from mde_ros.errors import MdeError
from mde_ros.nodes.adaptation_control import Control
from mde_ros.nodes.adaptation_parameters import TABLE
from mde_ros.nodes.adaptation_process import COMMAND, GRACE, Trainer
from mde_ros.nodes.adaptation_recording import check, Recording
from mde_ros.nodes.adaptation_reload import DepthNodeClient
from mde_ros.nodes.adaptation_report import judge, not_running, status
from mde_ros.nodes.adaptation_state import Site, State
from mde_ros.nodes.adaptation_swap import Swapper
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.spin import run

# Seconds between two looks at the trainer and the recorder.
TICK = 0.2
SERVICES = ('start_recording', 'stop_recording', 'adapt', 'cancel', 'swap', 'roll_back', 'status')


class AdaptationNode(LifecycleNode):
    """
    Record, adapt, exchange; see docs/adaptation_node.md.

    Spin it with a PatientExecutor of at least three threads.

    :param command: what is run to adapt, and ``grace`` the seconds it gets to end; tests put a
        stub here.
    :param checks: returns the reasons why a recording is not fit.
    """

    def __init__(self, *, command: Sequence[str] = COMMAND, grace: float = GRACE,
                 checks: Callable[[Path], Sequence[str]] = check,
                 node_name: str = 'adaptation_node', **options: Any) -> None:
        """
        Declare the parameters and, with ``autostart``, activate as soon as the node spins.

        :raises mde_ros.errors.MdeError: for parameters that do not go together.
        :raises rclpy.exceptions.ParameterException: for values of the wrong type or range.
        """
        super().__init__(node_name, **options)
        self._command, self._grace, self._checks = command, grace, checks
        self.settings = TABLE.declare(self)
        self.add_post_set_parameters_callback(self._on_parameters)
        self.complain = Complaints(self._warn, lambda: self.settings.log_period)
        self.control: Control | None = None
        self.recording: Recording | None = None
        self._site: Site | None = None
        self._found = State()
        self._reload: DepthNodeClient | None = None
        self._active, self._refusal, self._stop = False, '', threading.Event()
        # Services wait for the depth node, the timers for nothing: a group each.
        self._image_group = MutuallyExclusiveCallbackGroup()
        self._service_group = MutuallyExclusiveCallbackGroup()
        self._watch_group = MutuallyExclusiveCallbackGroup()
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 1)
        self._progress = self.create_publisher(DiagnosticStatus, '~/progress', 1)
        # Not the node's clock: with use_sim_time that stands still while no bag is played.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers_of = {
            name: self.create_timer(getattr(self.settings, name), action, self._watch_group,
                                    steady)
            for name, action in (('diagnostics_period', self.publish_diagnostics),
                                 ('progress_period', self.publish_progress))}
        self.create_timer(TICK, self._tick, self._watch_group, steady)
        for name in SERVICES:
            self.create_service(Trigger, f'~/{name}', self._answer_with(name),
                                callback_group=self._service_group)
        for name in TABLE.entries:
            self.get_logger().info(f'parameter {name}: {getattr(self.settings, name)!r}')
        self._autostart = self.create_timer(
            0.0, self._start, clock=steady) if self.settings.autostart else None

    # ---- lifecycle -------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the site."""
        return self._transition('configure', self._configure, super().on_configure, state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go on with what a kill or a deactivation interrupted."""
        return self._transition('activate', self._activate, super().on_activate, state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop recording and training, so that they can be gone on with."""
        return self._transition('deactivate', self._deactivate, super().on_deactivate, state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the site."""
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
        self._log(self._refusal, True)
        return TransitionCallbackReturn.FAILURE

    def _start(self) -> None:
        """Configure and activate, once."""
        assert self._autostart is not None
        self._autostart.cancel()
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def _configure(self) -> None:
        self._clean_up()
        site = Site(self.settings.site)
        self._found = site.open()
        self._site = site
        self._stop.clear()
        self.recording = Recording(
            self, site.recording, lambda: self.settings, self.complain, self._image_group)
        self._reload = DepthNodeClient(
            self, lambda: self.settings, self._image_group, self._stop)
        self.control = Control(
            site, lambda: self.settings, recording=self.recording,
            trainer=Trainer(site, self._command, self._grace),
            swapper=Swapper(site, self._reload), check=self._checks, log=self._log,
            stop=self._stop)
        self._log(f'site {site.folder}: {self._found.phase}, {self._found.message}', False)

    def _activate(self) -> None:
        assert self.control is not None
        assert self._site is not None
        self.control.start(self._site.load())
        self._active = True

    def _deactivate(self) -> None:
        self._active = False
        if self.control is not None:
            self.control.stop()

    def _clean_up(self) -> None:
        self._deactivate()
        if self.recording is not None:
            self.recording.destroy()
        if self._reload is not None:
            self._reload.destroy()
        if self._site is not None:
            self._site.close()
        self.control = self.recording = self._reload = self._site = None

    # ---- parameters, services, watching ----------------------------------------------------

    def _on_parameters(self, changes: list[Parameter]) -> None:
        """Take over new values, all of them at once."""
        self.settings = TABLE.read(self)
        for change in changes:
            if change.name in TABLE:
                self.get_logger().info(f'parameter {change.name}: {change.value!r} applies '
                                       + TABLE.when(change.name))
            if change.name in self._timers_of:
                timer = self._timers_of[change.name]
                timer.timer_period_ns = round(change.value * 1e9)
                timer.reset()
            elif change.name == 'image_reliability' and self.recording is not None:
                self.recording.follow_publishers()

    def _answer_with(self, name: str) -> Callable[[Any, Any], Any]:
        """Return the callback of a service."""
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            if self.control is None or not self._active:
                response.message = not_running(
                    self.get_fully_qualified_name(), self._refusal,
                    self.control is not None).message
                return response
            outcome = getattr(self.control, name)()
            response.success, response.message = outcome.done, outcome.line
            return response
        return answer

    def _tick(self) -> None:
        if self.control is not None and self._active:
            self.control.tick()
            if self.recording is not None:
                self.recording.follow_publishers()

    def _status(self) -> DiagnosticStatus:
        """Return what goes on."""
        control, recording, site = self.control, self.recording, self._site
        name = self.get_fully_qualified_name()
        if control is None or recording is None or site is None or not self._active:
            return not_running(name, self._refusal, control is not None)
        verdict = judge(control.state, control.progress(), self.settings, recording.verdict())
        return status(name, str(site.folder), verdict, control.values())

    def publish_progress(self) -> None:
        """Publish what goes on, for programs and panels."""
        self._progress.publish(self._status())

    def publish_diagnostics(self) -> None:
        """Publish the same on /diagnostics."""
        message = DiagnosticArray(status=[self._status()])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _log(self, line: str, failed: bool) -> None:
        # Two lines: rclpy remembers the severity of each place that logs.
        if failed:
            self.get_logger().error(line)
        else:
            self.get_logger().info(line)

    def _warn(self, line: str) -> None:
        self.get_logger().warning(line)


def main(arguments: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for parameters that are wrong."""
    return run(AdaptationNode, arguments)


if __name__ == '__main__':
    sys.exit(main())
