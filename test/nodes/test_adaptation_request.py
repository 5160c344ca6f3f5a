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

"""What decides an adaptation: an interrupted run goes on only for the same."""

import pytest

pytest.importorskip('rclpy')

from mde_ros.datasets.frame import DatasetError
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_request import describe
from mde_ros.nodes.adaptation_state import Site


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    (made.recording / 'rgb').mkdir(parents=True)
    (made.recording / 'rgb' / '000000.jpg').write_bytes(b'')
    return made


def test_threads_and_priority_do_not_decide(site):
    plain = describe(Settings(), site, '')
    other = describe(Settings(threads=2, priority='low'), site, '')
    assert plain.identity == other.identity
    assert plain.arguments != other.arguments
    assert (plain.threads, other.threads) == (1, 2)


@pytest.mark.parametrize('values', [
    {'steps': 9}, {'seed': 1}, {'weights': 'w'}, {'method': 'adabn'}, {'source': ('a',)},
    {'camera_height': .5}, {'camera_pitch': 9.}, {'mount': 'free'},
    {'camera_pitch': 9., 'camera_roll': 2.}, {'tape_distance': 2.}, {'camera': 'rear'},
    {'replay': '/r'}, {'weather': .5}])
def test_everything_else_does(site, values):
    assert describe(Settings(**values), site, '').identity != describe(
        Settings(), site, '').identity


def test_the_recording_and_the_active_profile_decide_too(site):
    before = describe(Settings(), site, '').identity
    assert describe(Settings(), site, '0001').identity != before
    assert describe(Settings(from_active=False), site, '0001').identity == before
    (site.recording / 'rgb' / '000001.jpg').write_bytes(b'')
    assert describe(Settings(), site, '').identity != before


def test_the_arguments_are_those_of_mde_adapt(site):
    import argparse

    from mde_ros.command_line.adapt import add_arguments
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    (site.recording / 'scoring').mkdir()
    (site.recording / 'scoring' / 'ranges.jsonl').write_text('')
    settings = Settings(source=('a', 'b'), method='mean_teacher', steps=5, replay='/r')
    parsed = parser.parse_args(describe(settings, site, '0002').arguments)
    assert (parsed.source, parsed.steps, parsed.priority) == (['a', 'b'], 5, 'idle')
    assert (parsed.out, parsed.target) == (site.run, str(site.recording))
    assert parsed.profile == str(site.profile('0002'))
    assert parsed.ranges == site.recording / 'scoring' / 'ranges.jsonl'
    (site.recording / 'scoring' / 'ranges.jsonl').unlink()
    (site.recording / 'odometry.jsonl').write_text('')
    assert parser.parse_args(describe(
        Settings(), site, '').arguments).odometry == site.recording / 'odometry.jsonl'
    assert parser.parse_args(describe(
        Settings(tape_distance=2.), site, '').arguments).tape == 2.


def test_without_a_recording(tmp_path):
    with pytest.raises(DatasetError):
        describe(Settings(), Site(tmp_path / 'none'), '')
