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

"""The folder of a site and its state, whole after a kill."""

import json

import pytest

from mde_ros.nodes.adaptation_state import (
    ADAPTING, IDLE, read_json, RECORDING, Site, SiteError, State, SWAPPING, write_json)


def test_a_new_site_rests(tmp_path):
    site = Site(tmp_path / 'deep' / 'site')
    state = site.open()
    assert (state.phase, state.failed) == (IDLE, False)
    assert 'call ~/start_recording' in state.message
    # A store without profiles, as the depth node knows it.
    from mde_ros.estimation.profile_store import resolve_profile
    site.save(state)
    assert resolve_profile(site.folder) is None
    site.close()


def test_a_state_comes_back_as_it_was_saved(tmp_path):
    site = Site(tmp_path)
    site.open()
    state = State().changed(SWAPPING, 'now', profile='0002')
    site.save(state)
    assert site.load() == state
    assert state.since
    site.close()
    assert Site(tmp_path).open().profile == '0002'


def test_since_changes_with_the_phase_only():
    state = State(phase=RECORDING, since='before')
    assert state.changed(RECORDING, 'still').since == 'before'
    assert state.changed(ADAPTING, 'now').since > '2020'
    assert not state.changed(IDLE, 'x', failed=True).changed(IDLE, 'y').failed


@pytest.mark.parametrize('damage', ['', '{"phase": "adap', '[]', '{"phase": "flying"}', 'null',
                                    '{"phase": 3}'])
def test_a_damaged_state_is_a_site_at_rest(tmp_path, damage):
    site = Site(tmp_path)
    site.state_file.write_text(damage)
    state = site.load()
    assert (state.phase, state.failed) == (IDLE, True)
    assert 'was damaged' in state.message


def test_fields_of_another_version_are_passed_over(tmp_path):
    site = Site(tmp_path)
    site.state_file.write_text(json.dumps({'phase': RECORDING, 'later': 1}))
    assert site.load().phase == RECORDING


def test_one_node_a_site(tmp_path):
    first, second = Site(tmp_path), Site(tmp_path)
    first.open()
    with pytest.raises(SiteError, match='another adaptation node uses it'):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_site_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(SiteError, match='set the parameter site to a folder'):
        Site(tmp_path / 'file' / 'site').open()
    with pytest.raises(SiteError, match='make room on the disk'):
        Site(tmp_path / 'gone').save(State())


def test_the_home_folder_has_its_short_name(monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    assert Site('~/site').profile('0001') == tmp_path / 'site' / 'profiles' / '0001.safetensors'


def test_json_is_replaced_whole(tmp_path):
    path = tmp_path / 'x.json'
    write_json(path, {'a': 1})
    write_json(path, {'a': 2})
    assert read_json(path) == {'a': 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ['x.json']
    path.write_text('[1]')
    assert read_json(path) == {}
    assert read_json(tmp_path / 'none') == {}
