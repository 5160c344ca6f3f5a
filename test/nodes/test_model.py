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

"""Tests of loading and exchanging the network, alone and under traffic."""

from dataclasses import replace
import os
import threading

import pytest

pytest.importorskip('rclpy')

from node_harness import CAMERA, stamps, StubEstimator, wait
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger

from mde_ros.errors import MdeError
from mde_ros.nodes.model import make_estimator, make_model, Model, reload_model, thread_count
from mde_ros.nodes.parameters import Settings


class User:
    """Uses a model as the frame processor does."""

    def __init__(self):
        self.model = Model(StubEstimator(model_id='old'), Settings())

    def swap(self, model):
        self.model = model


def test_a_new_model_is_warmed_up_on_every_camera_and_swapped_in():
    user, new = User(), StubEstimator(model_id='new')
    other = CAMERA.resized(8, 6)
    settings = Settings(weights='w')
    done, line = reload_model(lambda _: new, settings, user, None, [CAMERA, other])
    assert done
    assert line.startswith('new replaces old')
    assert user.model == Model(new, settings)
    assert new.warm_ups == [CAMERA, other]


@pytest.mark.parametrize(('error', 'words'), [
    (MdeError('w.safetensors: damaged'), 'kept old: w.safetensors: damaged'),
    (RuntimeError('a\nb'), 'kept old: RuntimeError: a b')])
def test_a_failure_keeps_the_old_model_and_says_why(error, words):
    user = User()
    kept = user.model

    def fail(_):
        raise error

    assert reload_model(fail, Settings(), user, None, []) == (False, words)
    assert user.model is kept


def test_a_model_that_fails_on_the_camera_is_not_swapped_in():
    class Unfit(StubEstimator):
        def warm_up(self, _):
            raise MdeError('out of memory')

    user = User()
    kept = user.model
    done, line = reload_model(lambda _: Unfit(), Settings(), user, None, [CAMERA])
    assert (done, line) == (False, 'kept old: out of memory')
    assert user.model is kept


@pytest.mark.parametrize(('change', 'together'), [
    ({}, True), ({'batch_cameras': 'auto'}, False), ({'cameras': ('a',)}, False)])
def test_cameras_that_share_an_estimator_can_go_together(change, together):
    settings = Settings(**{'cameras': ('a', 'b'), 'batch_cameras': 'true', **change})
    assert Model(StubEstimator(), settings).together is together


def test_cameras_with_profiles_of_their_own_have_engines_for_one():
    made = []

    def make(settings):
        made.append(settings)
        return StubEstimator()
    model = make_model(make, Settings(
        cameras=('a', 'b'), profile='/p/{camera}', batch_cameras='true'))
    assert [settings.batch for settings in made] == [1, 1]
    assert not model.together
    # Were only some of them to share one, these would go together.
    assert replace(model, by_camera={'a': model.estimator}).together


def test_one_core_is_left_to_everything_else():
    assert thread_count(Settings(threads=3)) == 3
    assert thread_count(Settings()) == max(1, (os.cpu_count() or 2) - 1)


def test_parameters_reach_the_real_estimator(monkeypatch):
    seen = {}

    class Noted:
        def __init__(self, weights, **options):
            seen.clear()
            seen.update(options, weights=weights)
            self.notices = []

        def prepare(self):
            seen['prepared'] = True

    monkeypatch.setattr('mde_ros.estimation.estimator.DepthEstimator', Noted)
    make_estimator(Settings(
        weights='w', profile='p.json', input_area=5000, threads=2, device='cuda:1',
        backend='onnx', precision='bf16', engine='e.onnx'))
    assert seen.pop('cache') is not None
    assert seen == {'weights': 'w', 'profile': 'p.json', 'input_area': 5000, 'threads': 2,
                    'device': 'cuda:1', 'backend': 'onnx', 'precision': 'bf16',
                    'engine': 'e.onnx', 'batch': 1, 'prepared': True}
    make_estimator(Settings())
    assert seen['input_area'] is None
    assert seen['weights'] == 'shipped'
    assert (seen['profile'], seen['engine']) == ('', '')
    assert (seen['backend'], seen['precision']) == ('auto', 'fp32')
    make_estimator(Settings(cameras=('a', 'b', 'c'), batch_cameras='true'))
    assert seen['batch'] == 3


@pytest.fixture
def real_weights(tmp_path):
    """Return two weight files of different architectures."""
    torch = pytest.importorskip('torch')
    from mde_ros.estimation.weights import save_weights, WeightCard
    from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
    torch.manual_seed(0)
    paths = []
    for name, decoder in (('one', 'dense'), ('two', 'depthwise')):
        config = NetworkConfig(
            encoder_width=.35, decoder_channels=(8, 8, 8, 8), decoder=decoder)
        save_weights(tmp_path / name, DepthNetwork(config), WeightCard(name, config, 64 * 48))
        paths.append(tmp_path / f'{name}.safetensors')
    return paths


@pytest.mark.parametrize(('spoil', 'words'), [
    (lambda one, _: one.write_bytes(one.read_bytes()[:-5]), 'sha256'),
    (lambda one, two: one.write_bytes(two.read_bytes()), 'sha256'),
    (lambda one, _: one.with_suffix('.json').write_text('{"format": "other"}'), 'other'),
    (lambda one, _: one.unlink(), 'cannot be read')])
def test_reload_refuses_damaged_and_foreign_weights(rig, real_weights, spoil, words):
    one, two = real_weights
    r = rig({'weights': str(two)}, factory=make_estimator)
    kept = r.node._processor.model.estimator.model_id
    assert kept.startswith('two-')
    assert r.set(weights=str(one)) == ''
    spoil(one, two)
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert not response.success
    assert words in response.message
    assert str(one.parent) in response.message
    assert '\n' not in response.message
    assert r.node._processor.model.estimator.model_id == kept


def test_reload_of_another_architecture_whose_card_lies_about_it(rig, real_weights):
    import json
    one, two = real_weights
    card = json.loads(two.with_suffix('.json').read_text())
    card['network'] = json.loads(one.with_suffix('.json').read_text())['network']
    two.with_suffix('.json').write_text(json.dumps(card))
    r = rig({'weights': str(one)}, factory=make_estimator)
    r.set(weights=str(two))
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert not response.success
    assert 'another architecture' in response.message
    assert r.node._processor.model.estimator.model_id.startswith('one-')


def test_reload_swaps_real_weights_device_threads_and_input_area(rig, real_weights):
    one, two = real_weights
    r = rig({'weights': str(one)}, factory=make_estimator)
    r.set(weights=str(two), input_area=32 * 32, threads=1)
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert response.success, response.message
    model = r.node._processor.model
    assert model.estimator.model_id.startswith('two-')
    assert model.estimator.input_area == 1024
    assert model.settings.threads == 1
    r.set(device='no-such-device')
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert not response.success
    assert "device 'no-such-device'" in response.message
    assert r.node._processor.model is model


@pytest.mark.parametrize(('backend', 'library'), [
    ('onnx', 'onnxruntime'), ('openvino', 'openvino'), ('torch', 'torch')])
def test_reload_changes_the_back_end_and_diagnostics_say_so(rig, real_weights, backend, library):
    pytest.importorskip(library)
    pytest.importorskip('onnx')
    r = rig({'weights': str(real_weights[0]), 'backend': 'torch'}, factory=make_estimator)
    assert r.node._processor.model.runs_on == 'torch fp32 on cpu'
    r.set(backend=backend)
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert response.success, response.message
    model = r.node._processor.model
    assert model.runs_on == f'{backend} fp32 on cpu'
    status = r.node.cameras.statuses(model, True)[0]
    assert {v.key: v.value for v in status.values}['device'] == f'{backend} fp32 on cpu'


@pytest.mark.parametrize(('change', 'words'), [
    ({'precision': 'int8'}, "precision 'int8': needs a calibration: run mde export"),
    ({'backend': 'cuda'}, "backend 'cuda'"), ({'engine': '/no/such'}, 'engine /no/such.onnx')])
def test_reload_refuses_back_ends_that_are_not_there(rig, real_weights, change, words):
    pytest.importorskip('onnxruntime')
    r = rig({'weights': str(real_weights[0]), 'backend': 'torch'}, factory=make_estimator)
    kept = r.node._processor.model
    r.set(**change)
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    if not response.success:  # a machine with CUDA has that back end
        assert words in response.message
        assert r.node._processor.model is kept
    else:
        assert change == {'backend': 'cuda'}


def test_reload_under_traffic_loses_no_frame(rig):
    stubs = []

    def slow(settings):
        if stubs:
            # Loading takes as long as three frames, which must not wait for it.
            until = stubs[0].calls + 3
            wait(lambda: stubs[0].calls >= until)
        stubs.append(StubEstimator(model_id=f'model-{len(stubs)}'))
        return stubs[-1]

    r = rig(factory=slow).camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    stop, sent = threading.Event(), []

    def traffic():
        while not stop.wait(.01):
            sent.append(len(sent) + 1)
            r.send(sent[-1])

    thread = threading.Thread(target=traffic)
    thread.start()
    wait(lambda: stubs[0].calls >= 3)
    before = stubs[0].calls
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert response.success
    during = stubs[0].calls - before
    wait(lambda: stubs[1].calls >= 3)
    stop.set()
    thread.join()
    wait(lambda: r.count().received == len(sent) and r.count().pending == 0)
    shot = r.count()
    assert shot.lost == 0
    assert shot.processed + shot.dropped.get('busy', 0) == len(sent)
    assert stubs[0].calls + stubs[1].calls == shot.processed
    # The old network went on while the new one was loaded.
    assert during >= 3
    assert stubs[1].warm_ups == [CAMERA]
    wait(lambda: len(depths) == shot.processed)
    assert stamps(depths) == sorted(stamps(depths))


def test_reload_of_an_unconfigured_node_says_what_to_do(rig):
    r = rig(start=False)
    response = call(r, Trigger, 'reload_model', Trigger.Request())
    assert not response.success
    assert 'ros2 lifecycle set /depth_node configure' in response.message


def test_enable_sets_the_parameter(rig):
    r = rig()
    assert call(r, SetBool, 'enable', SetBool.Request(data=False)).message == 'disabled'
    assert r.node.get_parameter('enabled').value is False
    assert not r.node.settings.enabled
    assert call(r, SetBool, 'enable', SetBool.Request(data=True)).success
    assert r.node.settings.enabled
    assert r.node.get_parameter('enabled').type_ == Parameter.Type.BOOL


def call(r, kind, name, request):
    """Call a service of the node and return its answer."""
    client = r.peer.create_client(kind, f'depth_node/{name}')
    assert client.wait_for_service(10)
    future = client.call_async(request)
    wait(future.done)
    r.peer.destroy_client(client)
    return future.result()
