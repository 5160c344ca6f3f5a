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

"""The adaptation node over real DDS: record, adapt, exchange, roll back; a stub trains."""

import json

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_harness import wait
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image


def test_record_adapt_accept_swap_roll_back(adaptation):
    r = adaptation()
    assert r.model() == 'stub-0'
    line = r.record(5)
    assert 'call ~/adapt' in line
    done, line = r.call('adapt')
    assert done, line
    state = r.until('idle')
    assert not state.failed, state
    assert 'profile 0001 is in use: stub-0+front-' in state.message
    assert r.model().startswith('stub-0+front-')
    assert json.loads((r.site / 'current.json').read_text())['current'] == '0001'
    done, line = r.call('roll_back')
    assert done, line
    assert line.startswith('rolled back from profile 0001 to the plain network: stub-0')
    assert r.model() == 'stub-0'


def test_the_next_adaptation_begins_with_the_active_profile(
        adaptation, monkeypatch, camera_profiles):
    r = adaptation()
    r.record()
    r.call('adapt')
    assert not r.until('idle').failed
    monkeypatch.setenv('STUB_PROFILE', str(camera_profiles[1]))
    r.record(1)
    r.call('adapt')
    assert 'profile 0002 is in use' in r.until('idle').message
    words = json.loads((r.site / 'run' / 'words.json').read_text())['words']
    assert words[words.index('--profile') + 1] == str(r.site / 'profiles' / '0001.safetensors')
    assert r.call('roll_back')[1].startswith('rolled back from profile 0002 to profile 0001')
    assert r.call('roll_back')[1].startswith('rolled back from profile 0001 to the plain network')
    done, line = r.call('roll_back')
    assert not done
    assert 'nothing to roll back' in line


def test_no_frame_is_lost_by_a_swap(adaptation):
    r = adaptation().camera()
    depths = []
    r.peer.create_subscription(Image, 'depth/image_rect', depths.append, 100)
    r.record()
    wait(lambda: r.depth.cameras.outputs[''].wanted())
    r.call('adapt')
    sent = 0
    while r.phase() != 'idle':
        r.send()
        sent += 1
    shot = r.depth.cameras.streams[''].statistics
    wait(lambda: shot.snapshot(0.).pending == 0)
    found = shot.snapshot(0.)
    assert r.model().startswith('stub-0+front-')
    assert found.lost == 0
    assert set(found.dropped) <= {'busy', 'idle'}
    assert found.received == found.processed + sum(found.dropped.values())
    assert sent > 0


def test_cancel_keeps_what_was_learnt(adaptation, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '1000')
    r = adaptation()
    r.record()
    assert r.call('adapt')[0]
    wait(lambda: r.node.control.progress().step > 2)
    done, line = r.call('cancel')
    assert done
    assert '~/adapt goes on from there' in line
    state = r.until('idle')
    assert 'cancelled at step' in state.message
    assert not state.failed
    monkeypatch.setenv('STUB_STEPS', '3')
    done, line = r.call('adapt')
    assert 'from the last checkpoint' in line
    assert not r.until('idle').failed
    assert int((r.site / 'run' / 'starts').read_text().splitlines()[1].split()[1]) > 2


def test_progress_and_diagnostics_tell_the_same(adaptation, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '1000')
    r = adaptation({'progress_period': .1, 'diagnostics_period': .1})
    progress, arrays = [], []
    r.peer.create_subscription(DiagnosticStatus, 'adaptation_node/progress', progress.append, 10)
    r.peer.create_subscription(DiagnosticArray, '/diagnostics', arrays.append, 10)
    r.record(3)
    r.call('adapt')

    def said(statuses):
        for status in statuses:
            values = {pair.key: pair.value for pair in status.values}
            if values.get('phase') == 'adapting' and int(values['step']) > 1 \
                    and 'peak memory (MB)' in values:
                return status, values
        return None
    wait(lambda: said(progress) and said(
        status for array in list(arrays) for status in array.status))
    status, values = said(progress)
    assert status.name == '/adaptation_node: adaptation'
    assert status.hardware_id == str(r.site)
    assert status.level == DiagnosticStatus.OK
    assert values['steps'] == '1000'
    assert float(values['seconds_left']) > 0
    assert values['loss depth'] == '0.5'
    assert int(values['frames kept']) >= 3
    assert float(values['peak memory (MB)']) > 1
    r.call('cancel')
    r.until('idle')


def test_deactivating_lets_an_adaptation_go_on_later(adaptation, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '1000')
    r = adaptation()
    r.record()
    r.call('adapt')
    wait(lambda: r.node.control.progress().step > 1)
    assert r.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert not r.node.control._trainer.running
    assert r.node.control.state.phase == 'adapting'
    assert r.call('status') == (
        False, 'not active: run ros2 lifecycle set /adaptation_node activate')
    monkeypatch.setenv('STUB_STEPS', '5')
    assert r.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    assert not r.until('idle').failed
    assert r.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert r.node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert 'lifecycle set /adaptation_node configure' in r.call('status')[1]


def test_a_recording_goes_on_after_deactivation(adaptation):
    r = adaptation().camera()
    r.call('start_recording')
    r.matched(2)
    while r.kept() < 2:
        r.send()
    r.node.trigger_deactivate()
    r.node.trigger_activate()
    r.matched(2)
    kept = r.kept()
    while r.kept() < kept + 2:
        r.send()
    assert r.call('stop_recording')[0]


def test_the_real_trainer_is_driven_by_the_node(adaptation, rgbd_folder, camera_profiles):
    """A few steps of mde adapt itself, on tiny pictures."""
    from mde_ros.nodes.adaptation_process import COMMAND
    weights = camera_profiles[0].parent / 'base.safetensors'
    r = adaptation({'steps': 2, 'source': [str(rgbd_folder)] * 3, 'min_motion': 0., 'seed': 5,
                    'weights': str(weights)}, command=COMMAND, grace=20.)
    r.record(30)
    done, line = r.call('adapt')
    assert done, line
    state = r.until('idle', 100)
    report = json.loads((r.site / 'run' / 'report.json').read_text())
    # Whatever the check says of two steps of an untrained network, the node does.
    print(state.message)
    assert report['check'], report
    assert (report['settings']['steps'], report['settings']['seed']) == (2, 5)
    assert 'profile_id' in report['settings']
    assert (' is in use' in state.message) == report['accepted']
    assert r.model().startswith('stub-0+' if report['accepted'] else 'stub-0')
