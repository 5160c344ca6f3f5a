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

"""What the adaptation node refuses, undoes and answers in the wrong phase, over real DDS."""

import json

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus
from node_harness import wait
from rclpy.lifecycle import TransitionCallbackReturn


def test_a_static_recording_is_refused_and_the_old_network_stays(adaptation):
    from mde_ros.nodes.adaptation_recording import check
    # What a chooser that takes everything leaves: one view, again and again.
    r = adaptation({'min_motion': 0., 'min_novelty': 0.}, checks=check).camera()
    r.call('start_recording')
    r.matched(2)
    while r.kept() < 22:
        r.send(seed=1)
    r.call('stop_recording')
    done, line = r.call('adapt')
    assert not done
    assert line.startswith('not adapted, the old network stays: ')
    assert 'one static view' in line
    assert 'drive the robot about' in line
    assert r.model() == 'stub-0'
    assert not (r.site / 'run').exists()
    assert r.node._status().level == DiagnosticStatus.WARN


def test_without_a_recording_it_says_what_to_do(adaptation):
    from mde_ros.nodes.adaptation_recording import check
    done, line = adaptation(checks=check).call('adapt')
    assert not done
    assert 'call ~/start_recording' in line


def test_what_the_trainer_refuses_is_not_put_into_use(adaptation, monkeypatch):
    monkeypatch.setenv('STUB_RESULT', 'refused')
    r = adaptation()
    r.record()
    r.call('adapt')
    state = r.until('idle')
    assert state.failed
    assert state.message.startswith('adapted, but the old network stays: the check refused it')
    assert r.model() == 'stub-0'
    assert not (r.site / 'current.json').exists()
    assert not r.call('swap')[0]


def test_a_profile_that_the_depth_node_refuses_is_rolled_back(adaptation):
    r = adaptation()
    r.record()
    (r.site / 'refuse').touch()
    r.call('adapt')
    state = r.until('idle')
    assert state.failed
    assert ('profile 0001 was rolled back: the depth node refused it: kept stub-0: this profile '
            'is for other weights') in state.message
    assert json.loads((r.site / 'current.json').read_text())['current'] is None
    assert r.model() == 'stub-0'
    (r.site / 'refuse').unlink()
    done, line = r.call('swap')
    assert done, line
    assert 'profile 0001 is in use' in line


def test_a_depth_node_with_other_profiles_is_found_out(adaptation, tmp_path):
    (tmp_path / 'elsewhere' / 'profiles').mkdir(parents=True)
    r = adaptation(store=tmp_path / 'elsewhere')
    r.record()
    r.call('adapt')
    state = r.until('idle')
    assert state.failed
    assert f'set its parameter profile to {r.site}' in state.message


def test_without_a_depth_node_the_profile_is_rolled_back(adaptation):
    r = adaptation({'reload_timeout': .5}, depth=False)
    r.record()
    r.call('adapt')
    state = r.until('idle')
    assert state.failed
    assert 'there is no service /depth_node/reload_model: start the depth node' in state.message
    assert json.loads((r.site / 'current.json').read_text())['current'] is None


def test_a_depth_node_that_takes_too_long_ends_with_the_old_profile(adaptation):
    r = adaptation({'reload_timeout': .5})
    r.record()
    (r.site / 'hang').touch()
    r.call('adapt')
    state = r.until('idle')
    assert state.failed
    assert 'did not answer within' in state.message
    (r.site / 'hang').unlink()
    # What it was still loading is replaced by what it was told afterwards.
    wait(lambda: r.depth._mailbox is not None and r.call('reload_model', 'depth_node')[0])
    assert r.model() == 'stub-0'


def test_a_trainer_that_ignores_the_request_is_killed(adaptation, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '1000')
    monkeypatch.setenv('STUB_DEAF', '1')
    r = adaptation(grace=.3)
    r.record()
    r.call('adapt')
    wait(lambda: r.node.control.progress().step > 0)
    r.call('cancel')
    assert 'cancelled' in r.until('idle').message


@pytest.mark.parametrize(('result', 'words'), [
    ('crash', 'exit code 2 at step 3 of 3: mde adapt: error: weights.safetensors: no such file'),
    ('none', 'exit code 0')])
def test_a_trainer_that_fails(adaptation, monkeypatch, result, words):
    monkeypatch.setenv('STUB_RESULT', result)
    r = adaptation()
    r.record()
    r.call('adapt')
    state = r.until('idle')
    assert state.failed
    assert words in state.message
    assert 'then call ~/adapt' in state.message


def test_every_service_in_the_wrong_phase_says_what_to_do(adaptation, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '1000')
    r = adaptation()

    def refused(name, words):
        done, line = r.call(name)
        assert not done, (name, line)
        assert words in line, (name, line)

    refused('stop_recording', 'call ~/start_recording first')
    refused('cancel', 'call ~/adapt to adapt')
    refused('swap', 'call ~/adapt first')
    refused('roll_back', 'call ~/adapt for a profile')
    assert 'idle: nothing recorded yet' in r.call('status')[1]
    r.camera()
    r.call('start_recording')
    r.matched(2)
    refused('start_recording', 'then call ~/stop_recording')
    refused('adapt', 'call ~/stop_recording first')
    refused('cancel', 'call ~/stop_recording')
    refused('swap', 'call ~/stop_recording first')
    refused('roll_back', 'call ~/adapt for a profile')
    r.send(3)
    wait(lambda: r.kept() > 0)
    done, line = r.call('status')
    assert done
    assert line.startswith('recording: ')
    r.call('stop_recording')
    r.call('adapt')
    wait(lambda: r.node.control.progress().step > 0)
    for name in ('start_recording', 'stop_recording', 'adapt', 'swap'):
        refused(name, 'wait, or call ~/cancel')
    done, line = r.call('status')
    assert done
    assert 'adapting: training' in line
    assert 's left' in line
    r.call('cancel')
    r.until('idle')
    # While a profile is being put into use.
    r.node.control._become('swapping', 'now')
    for name in ('start_recording', 'stop_recording', 'adapt', 'swap', 'roll_back'):
        refused(name, 'a profile is being put into use: wait')
    refused('cancel', 'wait, then call ~/roll_back')
    assert 'being put into use' in r.call('status')[1]
    r.node.control._become('idle', 'over')


def test_a_site_of_another_node_is_refused(adaptation, tmp_path):
    from mde_ros.nodes.adaptation_state import Site
    other = Site(tmp_path / 'site')
    other.open()
    r = adaptation(start=False)
    assert r.node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert 'another adaptation node uses it' in r.logs[-1]
    assert 'another adaptation node uses it' in r.call('status')[1]
    other.close()
    assert r.node.trigger_configure() == TransitionCallbackReturn.SUCCESS
