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

"""Level and sentence of an adaptation's diagnostics."""

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus

from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_process import Progress
from mde_ros.nodes.adaptation_report import judge, not_running, status
from mde_ros.nodes.adaptation_state import ADAPTING, IDLE, RECORDING, State

OK, WARN, ERROR, STALE = (DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR,
                          DiagnosticStatus.STALE)


@pytest.mark.parametrize(('state', 'age', 'camera', 'level', 'words'), [
    (State(message='fine'), 0., None, OK, 'idle: fine'),
    (State(message='refused', failed=True), 0., None, WARN, 'refused'),
    (State(phase=RECORDING, message='drive'), 0., (OK, 'x'), OK, 'recording: drive'),
    (State(phase=RECORDING), 0., (ERROR, 'no image'), ERROR, 'no image'),
    (State(phase=ADAPTING, message='wait'), 299., None, OK, 'adapting: wait'),
    (State(phase=ADAPTING), 301., None, WARN, 'said nothing for 301 s'),
    # It has not begun to speak: PyTorch takes a while to load.
    (State(phase=ADAPTING, message='wait'), float('inf'), None, OK, 'adapting: wait'),
    (State(phase=IDLE, message='done'), 999., (ERROR, 'no image'), OK, 'idle: done')])
def test_judging(state, age, camera, level, words):
    found = judge(state, Progress(age=age), Settings(), camera)
    assert found[0] == level
    assert words in found[1]


def test_a_status_holds_every_value():
    found = status('/a', '/site', (OK, 'fine'), {'step': 3, 'phase': 'adapting'})
    assert (found.name, found.hardware_id, found.message) == ('/a: adaptation', '/site', 'fine')
    assert [(pair.key, pair.value) for pair in found.values] == [
        ('step', '3'), ('phase', 'adapting')]


def test_a_node_that_does_not_run_says_how_to_start_it():
    found = not_running('/a', '', configured=False)
    assert (found.level, found.message) == (
        STALE, 'not active: run ros2 lifecycle set /a configure')
    assert not_running('/a', '', configured=True).message.endswith('set /a activate')
    assert not_running('/a', 'no disk', configured=False).level == ERROR
