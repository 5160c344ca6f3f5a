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

"""What ~/progress and /diagnostics say of an adaptation."""

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_process import Progress
from mde_ros.nodes.adaptation_state import ADAPTING, CHECKING, IDLE, RECORDING, State

# Levels are single bytes; the larger one is the worse.
Level = bytes


def judge(state: State, progress: Progress, settings: Settings,
          camera: tuple[Level, str] | None) -> tuple[Level, str]:
    """
    Return the level and the sentence.

    :param camera: those of the camera, which count while recording.
    """
    if state.phase == RECORDING and camera is not None and camera[0] != DiagnosticStatus.OK:
        return camera
    if state.phase in (CHECKING, ADAPTING) and settings.stall_limit < progress.age < float('inf'):
        return DiagnosticStatus.WARN, (
            f'the trainer has said nothing for {progress.age:.0f} s: see run/trainer.log in the '
            'site, or call ~/cancel and ~/adapt')
    if state.phase == IDLE and state.failed:
        return DiagnosticStatus.WARN, state.message
    return DiagnosticStatus.OK, f'{state.phase}: {state.message}'


def status(node_name: str, site: str, verdict: tuple[Level, str],
           values: Mapping[str, Any]) -> DiagnosticStatus:
    """Return the status of an adaptation; its values are the progress."""
    return DiagnosticStatus(
        level=verdict[0], name=f'{node_name}: adaptation', message=verdict[1], hardware_id=site,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()])


def not_running(node_name: str, refusal: str, configured: bool) -> DiagnosticStatus:
    """Return the status of a node that is not active, with the reason of a failure."""
    step = 'activate' if configured else 'configure'
    return DiagnosticStatus(
        level=DiagnosticStatus.ERROR if refusal else DiagnosticStatus.STALE,
        name=f'{node_name}: adaptation', message=refusal or (
            f'not active: run ros2 lifecycle set {node_name} {step}'))
