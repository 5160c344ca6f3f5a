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

"""A profile into use and back, with a depth node that is only a function."""

import shutil

import pytest

pytest.importorskip('rclpy')

from mde_ros.estimation.profile import load_card
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.nodes.adaptation_state import Site
from mde_ros.nodes.adaptation_swap import Reply, Swapper


class DepthNode:
    """Answers as the depth node does: with what the store has, or as it is told."""

    def __init__(self, folder):
        self.store, self.asked, self.answer = ProfileStore(folder), [], None

    def __call__(self, patience):
        self.asked.append(patience)
        if self.answer is not None:
            return self.answer
        path = self.store.current()
        name = 'base-0' if path is None else f'base-0+{load_card(path).profile_id}'
        return Reply(True, f'{name} replaces base-0, loaded in 0.10 s')


@pytest.fixture
def swapping(tmp_path, camera_profiles):
    """Return site, depth node and swapper, an accepted profile in the run."""
    site = Site(tmp_path / 'site')
    site.open()
    site.run.mkdir()
    for suffix in ('.safetensors', '.json'):
        shutil.copy(camera_profiles[0].with_suffix(suffix), site.run / f'profile{suffix}')
    depth = DepthNode(site.folder)
    yield site, depth, Swapper(site, depth)
    site.close()


def test_in_use_and_back(swapping):
    _, depth, swapper = swapping
    assert swapper.active == ''
    name = swapper.add('better')
    assert swapper.add('better') == name == '0001'
    outcome = swapper.swap(name, 'better')
    assert outcome.done
    assert outcome.line.startswith('profile 0001 is in use: base-0+front-')
    assert swapper.active == '0001'
    outcome = swapper.roll_back('worse')
    assert outcome.line.startswith('rolled back from profile 0001 to the plain network')
    assert (swapper.active, depth.asked) == ('', [None, None])
    assert not swapper.roll_back('again').done


def test_a_refusal_is_undone_and_passed_on(swapping):
    _, depth, swapper = swapping
    name = swapper.add('')
    depth.answer = Reply(False, 'kept base-0: made for other weights')
    outcome = swapper.swap(name, '')
    assert not outcome.done
    assert 'the depth node refused it: kept base-0: made for other weights' in outcome.line
    assert swapper.active == ''
    # It has said that it kept the old one: there is nothing to load again.
    assert depth.asked == [None]


def test_silence_is_undone_and_the_depth_node_told_to_look_again(swapping):
    _, depth, swapper = swapping
    name = swapper.add('')
    depth.answer = Reply(False, 'no answer', answered=False)
    assert 'was rolled back: no answer; then call ~/swap' in swapper.swap(name, '').line
    assert swapper.active == ''
    assert len(depth.asked) == 2


def test_another_network_than_the_profiles_is_undone(swapping):
    site, depth, swapper = swapping
    name = swapper.add('')
    # The profile was there before and is so no more: a name after 'replaces' does not count.
    card = load_card(site.profile(name))
    depth.answer = Reply(True, f'base-0 replaces base-0+{card.profile_id}, loaded in 0.1 s')
    outcome = swapper.swap(name, '')
    assert not outcome.done
    assert f'set its parameter profile to {site.folder}' in outcome.line
    assert swapper.active == ''


def test_a_swap_can_be_repeated_after_a_kill(swapping):
    _, depth, swapper = swapping
    name = swapper.add('')
    swapper.store.activate(name, 'and then it was killed')
    assert swapper.swap(name, '').done
    depth.answer = Reply(False, 'no')
    assert not swapper.swap(name, '').done
    # Never in use as far as anybody knows: back to the plain network, not to itself.
    assert swapper.active == ''


def test_a_damaged_profile_leaves_the_old_network(swapping):
    site, depth, swapper = swapping
    name = swapper.add('')
    site.profile(name).write_bytes(b'cut short')
    outcome = swapper.swap(name, '')
    assert not outcome.done
    assert 'the old network stays' in outcome.line
    assert (swapper.active, depth.asked) == ('', [])


def test_a_roll_back_that_the_depth_node_does_not_hear(swapping):
    _, depth, swapper = swapping
    swapper.swap(swapper.add(''), '')
    depth.answer = Reply(False, 'no service', answered=False)
    outcome = swapper.roll_back('')
    assert not outcome.done
    assert 'the depth node has not loaded it: no service' in outcome.line
    assert swapper.active == ''
