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

"""Every parameter of the adaptation node: set once, and seen to have its effect."""

import json
import time

import pytest
import yaml

pytest.importorskip('rclpy')

from adaptation_harness import change
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_harness import wait
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from mde_ros.nodes.adaptation_parameters import Settings, TABLE
from mde_ros.nodes.adaptation_request import describe
from mde_ros.nodes.adaptation_state import Site
from mde_ros.nodes.parameter_table import ParameterError
from mde_ros.onsite.recording_settings import RecordingSettings

# Parameters whose effect is seen elsewhere, and where.
ELSEWHERE = {
    'site': 'test_adaptation_node', 'reload_timeout': 'test_adaptation_node',
    'resume': 'test_adaptation_kill', **dict.fromkeys((
        'camera', 'append', 'max_frames', 'image_transport', 'image_reliability',
        'image_rectified', 'camera_info_file', 'reference_topic', 'range_topic',
        'odometry_topic', 'silence_limit', 'log_period'), 'test_adaptation_recording')}
# Those of the recorder: that they reach it is seen here, what they do in test/onsite.
OF_RECORDER = (
    'min_interval', 'min_motion', 'min_sharpness', 'min_brightness', 'max_brightness',
    'min_novelty', 'max_megabytes', 'max_seconds', 'min_free_megabytes', 'jpeg_quality')


@pytest.fixture
def made(adaptation):
    """Return a function that makes an adaptation node, without a depth node unless asked for."""
    return lambda parameters=None, **options: adaptation(
        parameters, **{'depth': False, **options})


def words_of(r, **values):
    """Return what the trainer is asked for with some parameters."""
    assert not change(r, **values)
    (r.site / 'recording' / 'rgb').mkdir(parents=True, exist_ok=True)
    return describe(r.node.settings, Site(r.site), '0003').arguments


def test_every_parameter_has_a_test_of_its_effect():
    for name in TABLE.entries:
        tested = any(name in test for test in globals() if test.startswith('test_'))
        assert name in ELSEWHERE or name in OF_RECORDER or tested, name


def test_the_documents_list_exactly_these_parameters(repository):
    assert TABLE.markdown() in (repository / 'docs/adaptation_node.md').read_text()
    text = (repository / 'config/adaptation_node.yaml').read_text()
    assert text == TABLE.yaml()
    values = yaml.safe_load(text)['/**']['ros__parameters']
    assert values == {name: list(entry.default) if isinstance(entry.default, tuple)
                      else entry.default for name, entry in TABLE.entries.items()}


def test_the_node_takes_the_shipped_file(ros_context, repository):
    node = Node('file', context=ros_context, cli_args=[
        '--ros-args', '--params-file', str(repository / 'config/adaptation_node.yaml')])
    assert TABLE.declare(node) == Settings()
    node.destroy_node()


@pytest.mark.parametrize(('values', 'words'), [
    ({'site': ' '}, 'name a folder'), ({'camera': ''}, 'give the camera a name'),
    ({'depth_node': ''}, 'name the depth node'), ({'threads': 0}, ''), ({'priority': 'rt'}, ''),
    ({'camera_height': .5, 'tape_distance': 1.}, 'one scale is enough'),
    ({'camera_height': .01}, 'give metres'), ({'camera_height': 1}, ''),
    ({'min_brightness': 240.}, 'must be below max_brightness')])
def test_wrong_values_at_start_are_refused(ros_context, values, words):
    node = Node('wrong', context=ros_context, parameter_overrides=[
        Parameter(name, value=value) for name, value in values.items()])
    with pytest.raises((ParameterException, ParameterError), match=words):
        TABLE.declare(node)
    node.destroy_node()


def test_every_setting_of_the_recorder_reaches_it(made):
    values = {name: entry.metadata['high'] if name == 'max_brightness'
              or entry.default == entry.metadata['low'] else entry.metadata['low']
              for name, entry in TABLE.entries.items() if name in OF_RECORDER}
    r = made()
    assert not change(r, **values)
    found = r.node.settings.recording()
    for name, value in values.items():
        assert getattr(found, name) == value != getattr(RecordingSettings(), name), name
    assert set(OF_RECORDER) < set(TABLE.entries)


def test_depth_node(made):
    r = made({'depth_node': 'nobody', 'reload_timeout': .5}, depth=True)
    r.record()
    r.call('adapt')
    assert 'no service /nobody/reload_model' in r.until('idle').message
    assert not change(r, depth_node='/depth_node')
    assert 'is in use' in r.call('swap')[1]


def test_auto_swap(made):
    r = made({'auto_swap': False}, depth=True)
    r.record()
    r.call('adapt')
    state = r.until('idle')
    assert state.message == 'accepted (the check accepted it): call ~/swap to put it into use'
    assert r.model() == 'stub-0'
    assert r.call('swap')[0]
    assert r.model().startswith('stub-0+front-')


def test_weights_source_replay_method_steps_weather_seed_threads_priority(made):
    r = made()
    plain = words_of(r)
    assert plain[:8] == ['--weights', 'shipped', '--target', str(r.site / 'recording'), '--seed',
                         '0', '--name', 'camera']
    for absent in ('--source', '--replay', '--method', '--steps', '--weather',
                   '--camera-height', '--tape'):
        assert absent not in plain
    words = words_of(r, weights='w.safetensors', source=['a', 'b:train'], replay='/rooms',
                     method='adabn', steps=7, weather=.5, seed=3, threads=2, priority='low')
    for option, *values in (('--weights', 'w.safetensors'), ('--source', 'a', 'b:train'),
                            ('--replay', '/rooms'), ('--method', 'adabn'), ('--steps', '7'),
                            ('--weather', '0.5'), ('--seed', '3'), ('--threads', '2'),
                            ('--priority', 'low')):
        place = words.index(option) + 1
        assert words[place:place + len(values)] == values, option


def test_from_active(made):
    r = made()
    words = words_of(r)
    assert words[words.index('--profile') + 1] == str(r.site / 'profiles' / '0003.safetensors')
    assert '--profile' not in words_of(r, from_active=False)


def test_camera_height_and_tape_distance(made):
    r = made()
    words = words_of(r, camera_height=.62)
    assert words[words.index('--camera-height') + 1] == '0.62'
    words = words_of(r, camera_height=0., tape_distance=2.5)
    assert words[words.index('--tape') + 1] == '2.5'
    assert 'one scale is enough' in change(r, camera_height=.62)


def test_mount_camera_pitch_and_camera_roll(made):
    r = made()
    words = words_of(r)
    assert words[words.index('--mount') + 1] == 'auto' and '--camera-pitch' not in words
    words = words_of(r, mount='free', camera_pitch=12.5, camera_roll=-3.)
    for option, value in (('--mount', 'free'), ('--camera-pitch', '12.5'),
                          ('--camera-roll', '-3.0')):
        assert words[words.index(option) + 1] == value
    assert 'set camera_pitch too' in change(r, camera_pitch=-90.)


def test_threads_bound_the_libraries_of_the_trainer(made):
    r = made({'threads': 3, 'auto_swap': False})
    r.record()
    r.call('adapt')
    r.until('idle')
    assert json.loads((r.site / 'run' / 'words.json').read_text())['threads'] == '3'


def test_stall_limit(made, monkeypatch):
    monkeypatch.setenv('STUB_STEPS', '2')
    monkeypatch.setenv('STUB_STEP', '5')
    r = made({'stall_limit': 1.})
    r.record()
    r.call('adapt')
    wait(lambda: r.node._status().level == DiagnosticStatus.WARN)
    assert 'the trainer has said nothing for' in r.node._status().message
    r.call('cancel')
    r.until('idle')


def test_progress_period_and_diagnostics_period(made):
    r = made({'progress_period': 60., 'diagnostics_period': 60.})
    progress, arrays = [], []
    r.peer.create_subscription(DiagnosticStatus, 'adaptation_node/progress', progress.append, 10)
    r.peer.create_subscription(DiagnosticArray, '/diagnostics', arrays.append, 10)
    wait(lambda: r.node._progress.get_subscription_count()
         and r.node._diagnostics.get_subscription_count())
    time.sleep(.3)
    assert not progress
    assert not arrays
    assert not change(r, progress_period=.1)
    wait(lambda: len(progress) >= 3)
    assert not arrays
    assert not change(r, diagnostics_period=.1)
    wait(lambda: len(arrays) >= 3)


def test_autostart(made):
    r = made({'autostart': True}, start=False)
    wait(lambda: r.node._active)
    assert r.call('status')[0]
