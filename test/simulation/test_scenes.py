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

"""Settings, seeds, and pictures that differ only in what was asked for."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from mde_ros.errors import MdeError
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.scenes import frame_name, render_scene, scene_seed, Settings

SMALL = Settings(seed=4, width=64, height=48, views=3)


@pytest.mark.parametrize(('change', 'message'), [
    ({'width': 8}, '--size 8x48'), ({'views': 0}, '--views-per-room 0'), ({'seed': -1}, '--seed'),
    ({'focal': 3.}, '--focal 3.0'), ({'rate': 0.}, '--rate 0.0'), ({'room': 'attic'}, 'attic'),
    ({'trajectory': 'fly'}, '--trajectory fly: use random or drive'),
    ({'camera': 'nikon'}, 'nikon'), ({'weather': 'hail'}, 'hail'),
])
def test_wrong_settings_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(MdeError, match=message):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_seeds_are_fixed_for_ever() -> None:
    # Other numbers here would mean that old data sets cannot be made again.
    assert scene_seed(1, 0) == 7434755675892716031
    seeds = {scene_seed(1, scene, attempt) for scene in range(50) for attempt in range(3)}
    assert len(seeds) == 150


def test_names_sort_by_time() -> None:
    names = [frame_name(SMALL, scene, view) for scene in (0, 2, 10) for view in range(3)]
    assert names == sorted(names)
    assert names[0] == '000000_00'
    long = replace(SMALL, views=500)
    assert frame_name(long, 0, 99) < frame_name(long, 0, 100)


def test_settings_of_older_data_sets_still_match() -> None:
    saved = asdict(SMALL)
    del saved['trajectory'], saved['rate']
    assert SMALL.differing(saved) == []
    assert replace(SMALL, seed=5, room='lab').differing(saved) == ['seed', 'room']


def test_a_scene_can_be_made_again_alone(renderer: Renderer) -> None:
    frames, entry = render_scene(renderer, SMALL, 1)
    assert [frame.name for frame in frames] == ['000001_00', '000001_01', '000001_02']
    # Three views of scene 0 go before it, at 10 Hz.
    assert frames[0].stamp_ns == 1_000_000_000 + 300_000_000
    assert entry['scene'] == 1
    again, same = render_scene(renderer, SMALL, 1, wanted=2)
    assert same == entry
    assert len(again) == 2
    for first, second in zip(frames, again):
        np.testing.assert_array_equal(first.image, second.image)
        np.testing.assert_array_equal(first.depth, second.depth)
        assert first.intrinsics == second.intrinsics


def test_camera_and_weather_leave_the_geometry_alone(renderer: Renderer) -> None:
    plain, _ = render_scene(renderer, SMALL, 2)
    for change in ({'camera': 'camera_b'}, {'weather': 'fog'}):
        other, _ = render_scene(renderer, replace(SMALL, **change), 2)  # type: ignore[arg-type]
        for first, second in zip(plain, other):
            np.testing.assert_array_equal(first.depth, second.depth)
            assert first.intrinsics == second.intrinsics
            difference = np.abs(first.image.astype(int) - second.image).mean()
            assert difference > 2


def test_a_drive_moves_a_little_from_frame_to_frame(renderer: Renderer) -> None:
    drive = replace(SMALL, trajectory='drive', views=4, focal=60., rate=10.)
    frames, _ = render_scene(renderer, drive, 0)
    assert [frame.stamp_ns for frame in frames] == [
        1_000_000_000 + k * 100_000_000 for k in range(4)]
    assert len({frame.intrinsics for frame in frames}) == 1
    medians = [float(np.nanmedian(frame.depth)) for frame in frames]  # type: ignore[arg-type]
    assert max(medians) < 1.5 * min(medians)


def test_a_scene_that_shows_nothing_is_an_error(renderer: Renderer,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mde_ros.simulation.scenes.worth_keeping', lambda image, depth: False)
    monkeypatch.setattr('mde_ros.simulation.scenes.ATTEMPTS', 1)
    with pytest.raises(SimulationError, match='scene 0 of --seed 4'):
        render_scene(renderer, replace(SMALL, views=1), 0)
