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

"""Camera profiles in the depth node: each camera its own, exchanged while frames come in."""

import threading

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('torch')

from node_harness import CAMERA, depth_of, stamps, StubEstimator, wait
import numpy as np
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
import torch

from mde_ros.estimation.profile import save_profile, SiteScale
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.nodes.model import make_estimator, make_model, Model, reload_model
from mde_ros.nodes.parameters import Settings


@pytest.fixture
def weights(tmp_path):
    """Return base weights whose depth is sqrt(0.1 x 100) m at the canonical focal length."""
    torch.manual_seed(0)
    config = NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8),
                           decoder='depthwise', canonical_focal=20.)
    network = DepthNetwork(config)
    with torch.no_grad():
        network.decoder.head.weight.zero_()
        network.decoder.head.bias.zero_()
    save_weights(tmp_path / 'base', network, WeightCard('base', config, 64 * 48))
    return tmp_path / 'base.safetensors'


@pytest.fixture
def profile(weights, tmp_path):
    """Return what writes a profile of a factor."""
    network, card = load_weights(weights)

    def make(factor):
        path = tmp_path / f'times_{factor}.safetensors'
        save_profile(path, network, card, network, name=f'x{factor}',
                     scale=SiteScale(factor, None, 'tape', 1))
        return path
    return make


@pytest.fixture
def store(tmp_path, profile):
    """Return what makes a store for a camera with one active profile."""
    def make(camera, factor):
        made = ProfileStore(tmp_path / 'cameras' / camera)
        made.activate(made.add(profile(factor)))
        return made
    return make


def reload(r):
    """Call ~/reload_model and return its answer."""
    client = r.peer.create_client(Trigger, 'depth_node/reload_model')
    assert client.wait_for_service(10)
    future = client.call_async(Trigger.Request())
    wait(future.done)
    r.peer.destroy_client(client)
    return future.result()


def ids(r):
    """Return the factor in the model id that each camera's diagnostics show."""
    return [{value.key: value.value for value in status.values}['model'].partition('+')[2]
            .partition('-')[0] for status in r.node.cameras.statuses(
                r.node._processor.model, active=True)]


# ---- alone ---------------------------------------------------------------------------------

def test_one_estimator_a_camera_only_where_the_profile_names_the_camera():
    made = []

    def make(settings):
        made.append(settings)
        return StubEstimator(settings, f'stub{len(made)}')
    settings = Settings(cameras=('front', 'rear'), profile='/p/{camera}/x', weights='w')
    model = make_model(make, settings)
    assert [s.profile for s in made] == ['/p/front/x', '/p/rear/x']
    assert all(s.weights == 'w' for s in made)
    assert model.settings is settings
    assert model.of('front').model_id == 'stub1'
    assert model.of('rear').model_id == 'stub2'
    assert model.model_id == 'stub1, stub2'
    model.warm_up([CAMERA])
    assert [e.warm_ups for e in model.estimators] == [[CAMERA], [CAMERA]]
    one = make_model(make, Settings(cameras=('front', 'rear'), profile='/p/x'))
    assert len(made) == 3
    assert one.of('front') is one.of('rear') is one.estimator
    assert one.model_id == 'stub3'


def test_reload_tells_what_was_wrong_with_a_store():
    class User:
        model = Model(StubEstimator(model_id='old'), Settings())

        def swap(self, model):
            self.model = model
    stub = StubEstimator(model_id='new')
    stub.notices = ['0002.json: damaged']
    done, line = reload_model(lambda _: stub, Settings(), User(), None, [])
    assert done
    assert line.endswith(' s; 0002.json: damaged')


def test_a_store_that_is_not_there_yet_means_the_plain_network(weights, tmp_path, profile):
    made = make_estimator(Settings(weights=str(weights), profile=str(tmp_path / 'later')))
    assert made.profile is None
    assert len(made.notices) == 1
    assert f"profile '{tmp_path}/later': no such folder yet" in made.notices[0]
    path = profile(2.)
    for named in (path, path.with_suffix('.json'), path.with_suffix('')):
        made = make_estimator(Settings(weights=str(weights), profile=str(named)))
        assert (made.scale.factor, made.notices) == (2., [])


# ---- with DDS ------------------------------------------------------------------------------

def test_every_camera_has_its_own_profile_over_one_weight_file(rig, weights, store, tmp_path):
    store('front', .5)
    rear = store('rear', 4.)
    r = rig({'weights': str(weights), 'cameras': ['front', 'rear', 'plain'],
             'profile': str(tmp_path / 'cameras' / '{camera}')}, factory=make_estimator)
    assert any("cameras/plain': no such folder yet" in line for line in r.logs)
    depth = {}
    for name in ('front', 'rear', 'plain'):
        r.camera(name + '/')
        r.send_info(prefix=name + '/')
        messages = r.listen(f'{name}/depth/image_rect', Image)
        r.send(1, prefix=name + '/')
        wait(lambda: messages)  # noqa: B023
        depth[name] = np.nanmean(depth_of(messages[0]))
    assert depth['front'] == pytest.approx(.5 * depth['plain'], rel=1e-5)
    assert depth['rear'] == pytest.approx(4 * depth['plain'], rel=1e-5)
    assert ids(r) == ['x0.5', 'x4.0', '']
    rear.roll_back()
    response = reload(r)
    assert response.success, response.message
    assert 'replaces' in response.message
    assert ids(r) == ['x0.5', '', '']


def test_a_bad_profile_keeps_the_old_model_and_says_why(rig, weights, profile):
    good, bad = profile(2.), profile(3.)
    bad.write_bytes(bad.read_bytes()[:-1])
    r = rig({'weights': str(weights), 'profile': str(good)}, factory=make_estimator)
    for path, words in ((str(bad), f'{bad}: sha256'),
                        ('/no/such.safetensors', '/no/such.safetensors: no such profile')):
        assert r.set(profile=path) == ''
        response = reload(r)
        assert not response.success
        assert words in response.message
        assert '\n' not in response.message
        assert ids(r) == ['x2.0']
    r.set(profile='')
    assert reload(r).success
    assert ids(r) == ['']


def test_a_damaged_store_does_not_stop_the_node(rig, weights, store, profile):
    made = store('front', 2.)
    made.activate(made.add(profile(3.)))
    (made.folder / 'profiles' / '0002.safetensors').unlink()
    (made.folder / 'current.json').write_text('{')
    r = rig({'weights': str(weights), 'profile': str(made.folder)}, factory=make_estimator)
    assert ids(r) == ['x2.0']
    assert any('current.json is damaged' in line for line in r.logs)
    assert any('0002.safetensors: cannot be read' in line for line in r.logs)


def test_swap_and_roll_back_under_traffic_lose_no_frame(rig, weights, store, profile):
    made = store('front', 1.)
    r = rig({'weights': str(weights), 'profile': str(made.folder)},
            factory=make_estimator).camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    stop, sent = threading.Event(), []

    def traffic():
        while not stop.wait(.02):
            sent.append(len(sent) + 1)
            r.send(sent[-1])

    def frames(more):
        goal = len(depths) + more
        wait(lambda: len(depths) >= goal)
    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        frames(3)
        made.activate(made.add(profile(2.)))
        first = reload(r)
        frames(3)
        assert made.roll_back() == '0001'
        second = reload(r)
        frames(3)
    finally:
        stop.set()
        thread.join()
    assert first.success, first.message
    assert second.success, second.message
    wait(lambda: r.count().received == len(sent) and r.count().pending == 0)
    shot = r.count()
    assert shot.lost == 0
    assert shot.processed + shot.dropped.get('busy', 0) == len(sent)
    assert not set(shot.dropped) - {'busy', 'idle'}
    wait(lambda: len(depths) == shot.processed)
    assert stamps(depths) == sorted(stamps(depths))
    seen = [float(np.nanmean(depth_of(message))) for message in depths]
    factors = np.round(np.array(seen) / seen[0], 4)
    changes = np.flatnonzero(np.diff(factors))
    # One factor before, twice as much between, the first again after: no frame in between.
    assert factors[0] == 1
    assert [factors[i + 1] for i in changes] == [2, 1]
