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

"""A depth node with a stub network for each test that asks for one."""

import pytest


@pytest.fixture
def rig(ros_context):
    """Return a function that makes a running node; see node_harness.Rig."""
    from node_harness import Rig
    rigs = []

    def make(*arguments, **options):
        rigs.append(Rig(ros_context, *arguments, **options))
        return rigs[-1]

    yield make
    for made in rigs:
        made.close()


@pytest.fixture(scope='session')
def camera_profiles(tmp_path_factory):
    """Return two profiles of an untrained network, base.safetensors beside them."""
    from adaptation_harness import make_profiles
    return make_profiles(tmp_path_factory.mktemp('profiles'))


@pytest.fixture
def adaptation(ros_context, tmp_path, camera_profiles, monkeypatch):
    """Return a function that makes both nodes; see adaptation_harness.AdaptationRig."""
    from adaptation_harness import AdaptationRig
    monkeypatch.setenv('STUB_PROFILE', str(camera_profiles[0]))
    rigs = []

    def make(parameters=None, **options):
        rigs.append(AdaptationRig(ros_context, tmp_path / 'site', parameters, **options))
        return rigs[-1]

    yield make
    for made in rigs:
        made.close()
