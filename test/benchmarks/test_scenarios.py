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

"""The scenarios: nothing of a target in its source, nothing scored that was adapted to."""

from dataclasses import replace

import pytest

from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.scenarios import (
    RealSet, Scenario, scenario_named, SCENARIOS, SimulatedSet)
from mde_ros.camera.appearance import camera_named
from mde_ros.camera.fog import Weather
from mde_ros.camera.weathers import weather_named


@pytest.mark.parametrize('scenario', SCENARIOS.values(), ids=list(SCENARIOS))
def test_source_adapt_and_score_share_nothing(scenario: Scenario) -> None:
    for target in scenario.targets:
        assert type(target.adapt) is type(target.score)
        if isinstance(target.adapt, SimulatedSet) and isinstance(target.score, SimulatedSet):
            seeds = [one.seed for one in (*scenario.source, target.adapt, target.score)
                     if isinstance(one, SimulatedSet)]
            assert len(set(seeds)) == len(seeds)
            # The same camera and air, or it is no one target.
            assert replace(target.adapt, name='', role='', seed=0) == replace(
                target.score, name='', role='', seed=0)
        elif isinstance(target.adapt, RealSet) and isinstance(target.score, RealSet):
            assert (target.adapt.split, target.score.split) == ('adapt', 'score')
            assert target.adapt.name == target.score.name
        names = {one.name for one in scenario.source}
        assert not names & {target.adapt.name, target.score.name}


@pytest.mark.parametrize('scenario', SCENARIOS.values(), ids=list(SCENARIOS))
def test_names_exist(scenario: Scenario) -> None:
    assert scenario.targets_of('full') == scenario.targets
    quick = scenario.targets_of('quick')
    assert quick and set(quick) <= set(scenario.targets)
    if scenario.quick:
        assert {target.name for target in quick} == set(scenario.quick)
    for one in (*scenario.source, *(t.score for t in scenario.targets)):
        if isinstance(one, SimulatedSet):
            camera_named(one.camera)
            weather_named(one.weather)


def test_fog_of_the_target_is_another_model() -> None:
    score = SCENARIOS['fog'].targets[0].score
    assert isinstance(score, SimulatedSet)
    assert type(weather_named(score.weather)) is not Weather
    assert all(one.weather == 'clear' for one in SCENARIOS['fog'].source
               if isinstance(one, SimulatedSet))


def test_which_need_recordings() -> None:
    assert {name for name, one in SCENARIOS.items() if one.needs_data('quick')} == {
        'cross_camera_real', 'sim_to_real'}


def test_unknown_name() -> None:
    with pytest.raises(BenchmarkError, match='snow.*cross_camera, cross_camera_real'):
        scenario_named('snow')
