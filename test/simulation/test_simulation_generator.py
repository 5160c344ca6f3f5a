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

"""Folders: complete, resumable, never mixed with other settings."""

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.simulation import generator
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.generator import check_folder, generate, INDEX
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.scenes import render_scene, Settings

SMALL = Settings(seed=9, width=48, height=32, views=2)


@pytest.fixture(scope='module')
def made(renderer: Renderer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('simulated') / 'out'
    reports: list[tuple[int, int]] = []
    counts = generate(path, 3, SMALL, 1, lambda done, total: reports.append((done, total)))
    assert counts['rendered'] == counts['frames'] == 3
    assert counts['skipped'] == 0
    assert counts['scenes'] == 2
    assert sum(counts['rooms'].values()) == 2
    assert sorted(reports)[-1] == (3, 3)
    return path


def test_the_folder_holds_what_was_rendered(made: Path, renderer: Renderer) -> None:
    folder = RgbdFolder(made)
    assert folder.names == ['000000_00', '000000_01', '000001_00']
    assert [entry['scene'] for entry in folder.meta['scenes']] == [0, 1]
    assert folder.meta['simulation']['seed'] == 9
    expected = render_scene(renderer, SMALL, 0)[0][1]
    frame = folder[1]
    assert frame.stamp_ns == expected.stamp_ns
    assert frame.intrinsics.fx == pytest.approx(expected.intrinsics.fx)
    assert frame.depth is not None
    assert expected.depth is not None
    np.testing.assert_allclose(frame.depth, expected.depth, atol=.00051)
    assert np.abs(frame.image.astype(int) - expected.image).mean() < 6  # JPEG


def test_a_second_run_renders_only_what_is_missing(made: Path) -> None:
    lost = made / 'rgb' / '000000_01.jpg'
    before = lost.read_bytes()
    kept = (made / 'rgb' / '000001_00.jpg').stat().st_mtime_ns
    lost.unlink()
    counts = generate(made, 3, SMALL, 1)
    assert (counts['rendered'], counts['skipped']) == (2, 1)
    assert lost.read_bytes() == before
    assert (made / 'rgb' / '000001_00.jpg').stat().st_mtime_ns == kept
    assert generate(made, 3, SMALL, 1)['rendered'] == 0
    assert [entry['scene'] for entry in RgbdFolder(made).meta['scenes']] == [0, 1]


@pytest.mark.parametrize(('change', 'option'), [
    ({'seed': 10}, '--seed'), ({'views': 3}, '--views-per-room'), ({'width': 64}, '--size'),
    ({'camera': 'camera_a'}, '--camera'), ({'room': 'lab'}, '--room')])
def test_other_settings_are_refused(made: Path, change: dict[str, object], option: str) -> None:
    with pytest.raises(SimulationError, match=f'was made with another {option}'):
        generate(made, 3, replace(SMALL, **change))  # type: ignore[arg-type]


def test_other_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'meta.json').write_text(json.dumps({'width': 48}))
    with pytest.raises(SimulationError, match='holds other data'):
        check_folder(tmp_path, SMALL)


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text('{"scene": 3, "seed": 5, "room": "lab"}\n{"scene": 4, "se')
    assert generator._read_index(tmp_path) == {3: {'scene': 3, 'seed': 5, 'room': 'lab'}}


def test_the_error_of_a_worker_reaches_the_user(monkeypatch: pytest.MonkeyPatch,
                                                tmp_path: Path) -> None:
    def broken(width: int, height: int) -> None:
        raise SimulationError('no OpenGL without a screen')

    monkeypatch.setattr(generator, 'Renderer', broken)
    with pytest.raises(SimulationError, match='no OpenGL'):
        generate(tmp_path / 'out', 1, SMALL, 1)
    assert not (tmp_path / 'out').exists()
    monkeypatch.setattr(generator, '_worker', {})
    generator._start_worker(str(tmp_path), SMALL, 'jpg')
    with pytest.raises(SimulationError, match='no OpenGL'):
        generator._work(0, 1)
