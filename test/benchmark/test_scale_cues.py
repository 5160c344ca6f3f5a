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

"""Which cues scale comes from: statistics by hand, networks of one cue, variants of rooms."""

from collections.abc import Callable, Iterator
import json
from pathlib import Path
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.pose import Pose
from mde_ros.simulation.renderer import compile_room, Renderer
from mde_ros.simulation.room import build_room
from mde_ros.simulation.scenes import scene_seed

TINY = NetworkConfig(.125, (8, 8, 8, 8))
CAMERA = Intrinsics(8, 6, 6., 6., 3.5, 2.5)
# A shell at 2 m, and a thing at 1 m before its right quarter.
TRUTH = np.full((6, 8), 2, np.float32)
TRUTH[:, 6:] = 1
LIVING, MIRROR = 0, 27  # seeds of a living room with rug and television, and of a polished floor


@pytest.fixture
def cues(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/scale_cues.py as a module that renders tiny pictures."""
    module = load_script('scale_cues')
    module.WIDTH, module.HEIGHT, module.VIEWS, module.RESAMPLES = 64, 48, 2, 200
    return module


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    """Return a renderer of tiny pictures, or skip."""
    try:
        made = Renderer(64, 48)
    except SimulationError as error:
        pytest.skip(str(error))
    yield made
    made.close()


class Network:
    """An estimator that reads scale from one cue of :func:`synthetic_view`."""

    model_id = 'synthetic'

    def __init__(self, factor: Callable[[float, float, float, float], float]) -> None:
        """Take the factor from the sizes of textures and things, the height and the focal."""
        self.factor = factor

    def estimate(self, image: Any, camera: Intrinsics) -> SimpleNamespace:
        cues = (*(image[0, 0] / 100), camera.fx / 6)
        return SimpleNamespace(depth=TRUTH * np.float32(self.factor(*cues)))


NETWORKS = {
    'textures': Network(lambda textures, things, height, focal: 1 / textures),
    'things': Network(lambda textures, things, height, focal: 1 / things),
    'camera': Network(lambda textures, things, height, focal: 1 / height),
    'focal': Network(lambda textures, things, height, focal: focal),
    'nothing': Network(lambda textures, things, height, focal: 1.3)}


def synthetic_view(cues: ModuleType) -> dict[str, Any]:
    """Return a view whose colours are the sizes of textures and things and the height in %."""
    def shot(red: int = 100, green: int = 100, blue: int = 100, depth: Any = TRUTH,
             fx: float = 6.) -> Any:
        image = np.tile(np.array([red, green, blue], np.uint8), (6, 8, 1))
        return (Pose(0, 0, blue / 100, 0, np.radians(-30)),
                Intrinsics(8, 6, fx, fx, 3.5, 2.5), image, depth)

    larger = np.where(TRUTH == 1, np.float32(.8), TRUTH)
    return {cues.PLAIN: shot(), cues.THINGS: shot(green=125, depth=larger),
            cues.TEXTURES: shot(red=150), cues.FLAT: shot(), cues.FOCAL: shot(fx=7.2),
            cues.BARE: shot(depth=np.full_like(TRUTH, 2)),
            cues.LOWER: shot(blue=70), cues.HIGHER: shot(blue=130)}


@pytest.mark.parametrize('cue', NETWORKS)
def test_a_network_of_one_cue_gives_it_all_the_weight(cues: ModuleType, cue: str) -> None:
    rows = [row for room in range(3)
            for row in cues.measure(room, synthetic_view(cues), NETWORKS[cue])]
    found = cues.summary(rows)
    weights = {name: row['weight'] for name, row in found.items() if row['weight'] is not None}
    assert set(weights) == {cues.THINGS, cues.TEXTURES, cues.FOCAL, cues.LOWER, cues.HIGHER,
                            cues.SLOPE, cues.AT_DEPTH}
    for name, weight in weights.items():
        assert weight == pytest.approx(float(name.startswith(cue)), abs=1e-6), name
    assert found[cues.PLAIN]['scale'] == pytest.approx(1.3 if cue == 'nothing' else 1)
    assert found[cues.PLAIN]['views'] == found[cues.BARE]['views'] == 3
    if cue == 'things':
        assert [found[cues.THINGS][key] for key in ('ideal', 'change', 'low', 'high')] == \
            pytest.approx([.8] * 4)


def test_only_the_shell_counts_where_things_changed(cues: ModuleType) -> None:
    # This network says the thing twice as far, and in every variant: no part of the scale.
    network = SimpleNamespace(estimate=lambda image, camera: SimpleNamespace(
        depth=np.where(TRUTH == 1, 2 * TRUTH, TRUTH)))
    rows = {row.variant: row for row in cues.measure(0, synthetic_view(cues), network)}
    assert rows[cues.THINGS].scale == rows[cues.BARE].change == 1
    view = synthetic_view(cues)
    pose, camera, image, depth = view[cues.THINGS]
    shallow = depth.copy()
    shallow[:, 1:] *= .9  # the shell is 6 of 48 pixels, and then 2
    view[cues.THINGS] = pose, camera, image, shallow
    assert cues.THINGS in {row.variant for row in cues.measure(0, view, network)}
    shallow[2:] *= .9
    assert cues.THINGS not in {row.variant for row in cues.measure(0, view, network)}


def test_a_view_without_things_says_nothing_of_them(cues: ModuleType) -> None:
    view = synthetic_view(cues)
    for name in (cues.THINGS, cues.BARE):
        view[name] = (*view[name][:3], TRUTH)
    found = {row.variant for row in cues.measure(0, view, NETWORKS['nothing'])}
    assert found == set(view) - {cues.THINGS, cues.BARE}


def test_no_reading_is_no_pixel(cues: ModuleType) -> None:
    hole = np.where(np.arange(8) == 0, np.float32(np.nan), np.float32(1))
    view = {name: (*shot[:3], hole * shot[3]) for name, shot in synthetic_view(cues).items()}
    rows = list(cues.measure(0, view, NETWORKS['nothing']))
    assert len(rows) == len(view) and all(np.isfinite(row.scale) for row in rows)


def rows_of(cues: ModuleType, variant: str, *numbers: tuple[int, float, float]) -> list[Any]:
    """Return rows of (room, change, height in plain over the variant's)."""
    return [cues.Measured(room, variant, -30., 1., change, lower)
            for room, change, lower in numbers]


def test_the_bootstrap_draws_rooms(cues: ModuleType) -> None:
    def mean(rows: list[Any]) -> float:
        return float(np.mean([row.change for row in rows]))

    # Two rooms are drawn as (0, 0), (0, 1), (1, 0), (1, 1) with a quarter each.
    two = rows_of(cues, 'x', (0, 1., 1), (4, 3., 1))
    assert cues.over_rooms(two, mean) == cues.over_rooms(two, mean) == [2, 1, 3]
    # All views of a room come together: 1 1 1 and 5, never 1 1 5 alone.
    views = rows_of(cues, 'x', (0, 1., 1), (0, 1., 1), (0, 1., 1), (4, 5., 1))
    drawn: list[float] = []
    cues.over_rooms(views, lambda rows: drawn.append(mean(rows)) or 0.)
    assert set(drawn) == {1., 2., 5.}
    one = rows_of(cues, 'x', (7, 2., 1))
    assert cues.over_rooms(one, mean) == [2, 2, 2]


def test_the_slope_over_the_height(cues: ModuleType) -> None:
    def slope(*numbers: tuple[int, float, float]) -> float:
        return float(cues.height_slope(rows_of(cues, cues.LOWER, *numbers), False))

    assert slope((0, 2., 2.), (0, .5, .5)) == pytest.approx(-1)
    assert slope((0, 1., 2.), (0, 1., .5)) == pytest.approx(0, abs=1e-9)
    assert slope((0, .5 ** .5, 2.)) == pytest.approx(.5)
    # Rises of -log 2 and -2 log 2; the scale falls by log 2 with the first alone: 1 / (1 + 4).
    assert slope((0, .5, 2.), (0, 1., 4.)) == pytest.approx(.2)


def test_the_slope_at_equal_depth(cues: ModuleType) -> None:
    # log change = -.1 log height - .5 log depth, heights 1/2 and 1/4, depths 1/2 and 1.
    rows = [row._replace(nearer=nearer) for row, nearer in zip(rows_of(
        cues, cues.LOWER, (0, 2 ** .6, 2.), (0, 2 ** .2, 4.)), (2., 1.))]
    assert cues.height_slope(rows, True) == pytest.approx(-.1)
    assert cues.height_slope(rows, False) == pytest.approx(-.2)  # -(.6 + 2 * .2) / (1 + 4)


def test_the_weight_of_a_cue(cues: ModuleType) -> None:
    def weight(variant: str, change: float, lower: float = 1.) -> float:
        found = cues.columns(variant, rows_of(cues, variant, *[(0, change, lower)] * 3))
        return float(found['weight'])

    assert weight(cues.THINGS, .8) == pytest.approx(1)
    assert weight(cues.THINGS, .8 ** .5) == pytest.approx(.5)
    assert weight(cues.TEXTURES, 1.) == 0
    assert weight(cues.LOWER, 2., 4.) == pytest.approx(.5)
    assert weight(cues.SLOPE, 2., 4.) == pytest.approx(.5)
    assert cues.columns(cues.BARE, rows_of(cues, cues.BARE, (0, .9, 1.)))['weight'] is None


def test_scale_and_spread_and_pitch(cues: ModuleType) -> None:
    rows = [cues.Measured(room, cues.PLAIN, pitch, scale, 1., 1.) for room, (pitch, scale)
            in enumerate([(-30., .5), (-20., 1.), (5., 2.)])]
    found = cues.summary(rows)
    assert set(found) == {'plain', 'plain, down', 'plain, level', 'plain, up'}
    assert found['plain']['scale'] == 1
    # The 16th percentile of -log 2, 0, log 2 lies 32 % of the way from the first to the second.
    assert found['plain']['spread'] == pytest.approx(.68 * np.log(2))
    assert [found[f'plain, {where}']['change'] for where in cues.PITCHES] == [.5, 1, 2]


def test_scaled_things_stand_where_they_stood(cues: ModuleType) -> None:
    plain, larger = build_room(LIVING), cues.build(LIVING, 1.25)
    assert larger.lamps == plain.lamps and larger.ambient == plain.ambient
    count, materials = 0, set()
    for old, new in zip(plain.plan.parts.pieces, larger.plan.parts.pieces, strict=True):
        assert new.material == old.material and np.array_equal(new.uvs, old.uvs)
        if np.array_equal(new.vertices, old.vertices):
            continue
        count += 1
        materials.add(new.material)
        # v' = p + 1.25 (v - p) for one p on the floor of the room.
        place = (1.25 * old.vertices - new.vertices) / .25
        assert np.ptp(place, axis=0).max() < 1e-9
        x, y, z = place.mean(0)
        assert 0 <= x <= plain.plan.length and 0 <= y <= plain.plan.width
        assert z == pytest.approx(0, abs=1e-9)
    assert 50 < count < len(plain.plan.parts.pieces) - 20
    assert {'rug', 'screen'} <= materials
    for old, new in zip(plain.plan.solids, larger.plan.solids, strict=True):
        assert new.z1 == pytest.approx(1.25 * old.z1)
        assert new.x1 - new.x0 == pytest.approx(1.5 * (old.x1 - old.x0))
        assert new.y1 - new.y0 == pytest.approx(1.5 * (old.y1 - old.y0))


def test_a_bare_room_has_the_shell_only(cues: ModuleType) -> None:
    plain, bare, larger = (cues.build(LIVING, factor) for factor in (1., 0., 1.25))
    shell = [old for old, new in zip(plain.plan.parts.pieces, larger.plan.parts.pieces)
             if np.array_equal(old.vertices, new.vertices)]
    assert bare.lamps == plain.lamps
    for old, new in zip(shell, bare.plan.parts.pieces, strict=True):
        assert np.array_equal(old.vertices, new.vertices)


def test_textures_grow_or_lose_their_pattern(cues: ModuleType) -> None:
    plain = cues.build(MIRROR)
    large, flat = cues.coarser(cues.build(MIRROR), 1.5), cues.flat(cues.build(MIRROR))
    assert plain.look.mirror
    assert large.look.tiles['floor'] == pytest.approx(1.5 * plain.look.tiles['floor'])
    for old, new in zip(plain.plan.parts.pieces, large.plan.parts.pieces, strict=True):
        repeated = old.material in plain.look.tiles
        np.testing.assert_allclose(new.uvs * (1.5 if repeated else 1), old.uvs)
    for name, picture in plain.look.textures.items():
        mean = picture.mean((0, 1)) if name in plain.look.tiles else picture
        assert np.abs(flat.look.textures[name] - mean).max() <= .5, 'rounded'


def test_variants_keep_the_depth_that_they_must(cues: ModuleType, renderer: Renderer,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    draws: list[float] = []
    monkeypatch.setattr(cues, 'expose', lambda image, depth, rng: (
        draws.append(rng.random()) or image))
    # A camera that leaves the room is no variant.
    monkeypatch.setitem(cues.RISES, cues.HIGHER, 50.)
    views = cues.shoot(renderer, MIRROR)
    assert len(views) == 2
    assert len(draws) >= 10 and len(set(draws)) == 2, 'one exposure for all variants of a view'
    changed = 0
    for view in views:
        pose, camera, image, depth = view[cues.PLAIN]
        for name in (cues.TEXTURES, cues.FLAT):
            np.testing.assert_array_equal(view[name][3], depth)
            assert view[name][:2] == (pose, camera)
            assert (view[name][2] != image).mean() > .05
        bare = view[cues.BARE][3]
        # Where an edge lies inside a pixel, depth may be that of either side.
        deeper = np.nan_to_num(bare, nan=99) >= .99 * np.nan_to_num(depth, nan=99)
        assert deeper.mean() > .998
        if cues.THINGS in view and (shown := bare > 1.1 * depth).any():
            changed += 1
            assert (np.abs(view[cues.THINGS][3] / depth - 1)[shown] > cues.SAME).mean() > .5
        assert cues.HIGHER not in view
        if cues.LOWER in view:
            assert view[cues.LOWER][0].z == pytest.approx(pose.z - .3)
        told = view[cues.FOCAL][1]
        assert (told.fx, told.cx) == pytest.approx((1.2 * camera.fx, camera.cx))
        assert view[cues.FOCAL][2] is image
    assert changed


def test_the_mirroring_floor_has_larger_textures_too(cues: ModuleType, renderer: Renderer) -> None:
    def repeats(room: Any) -> Any:
        return compile_room(room, 64, 48).mat('mirror').texrepeat

    np.testing.assert_allclose(1.5 * repeats(cues.coarser(cues.build(MIRROR), 1.5)),
                               repeats(cues.build(MIRROR)), rtol=1e-6)


def test_every_option(cues: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                      capsys: pytest.CaptureFixture[str]) -> None:
    seeds, made = [], []

    def shoot(renderer: Any, seed: int) -> list[dict[str, Any]]:
        seeds.append(seed)
        return [synthetic_view(cues)] * 2

    def estimator(weights: str, threads: int | None) -> Network:
        made.append((weights, threads))
        return NETWORKS['textures']

    monkeypatch.setattr(cues, 'shoot', shoot)
    monkeypatch.setattr(cues, 'DepthEstimator', estimator)
    monkeypatch.setattr(cues, 'Renderer', lambda *size: SimpleNamespace(close=lambda: None))
    page, result = tmp_path / 'p.md', tmp_path / 'r.json'
    page.write_text(f'before\n{cues.BEGIN}\nold\n{cues.END}\nafter\n')
    monkeypatch.setattr(sys, 'argv', [
        'scale_cues.py', '--rooms', '3', '--seed', '5', '--weights', 'other', '--threads', '2',
        '--json', str(result), '--markdown', str(page)])
    cues.main()
    assert seeds == [scene_seed(5, room) for room in range(3)]
    assert made == [('other', 2)]
    found = json.loads(result.read_text())
    assert found['command'].startswith('.venv/bin/python benchmark/scale_cues.py --rooms 3 ')
    assert found['model'] == 'synthetic'
    assert found['rows'][cues.TEXTURES]['weight'] == pytest.approx(1)
    lines = page.read_text().splitlines()
    assert lines[0] == 'before' and lines[-1] == 'after' and 'old' not in lines
    assert '`synthetic`, 3 rooms:' in lines
    assert ('| textures x1.5 | 6 | 0.667 | 0.0% | 0.667 | 0.667 | 0.667 | 0.67 | 1.00 |'
            in lines)
    assert '| bare | 6 | 1.000 | 0.0% | 1.000 | 1.000 | 1.000 | - | - |' in lines
    assert capsys.readouterr().out.strip() in page.read_text()


def test_rooms_and_a_network(cues: ModuleType, renderer: Renderer, tmp_path: Path,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny', DepthNetwork(TINY), WeightCard('tiny', TINY, 64 * 48))
    monkeypatch.setattr(sys, 'argv', [
        'scale_cues.py', '--rooms', '1', '--weights', str(tmp_path / 'tiny.safetensors'),
        '--threads', '1', '--json', str(tmp_path / 'result.json')])
    cues.main()
    rows = json.loads((tmp_path / 'result.json').read_text())['rows']
    assert rows[cues.PLAIN]['views'] == 2
    # The same picture at a longer focal length: this factor every network must give.
    assert rows[cues.FOCAL]['change'] == pytest.approx(1.2, rel=1e-5)
    assert rows[cues.FOCAL]['weight'] == pytest.approx(1, abs=1e-4)
    assert rows[cues.TEXTURES]['change'] != 1 and rows[cues.FLAT]['change'] != 1
