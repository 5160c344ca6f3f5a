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

"""A search of tiny networks: rooms kept apart, cells run once, fronts by hand."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from mde_ros.adaptation.errors import TrainingError
from mde_ros.benchmarks import network_search as module
from mde_ros.benchmarks.data import Part, ReadyData
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.network_search import (
    CANDIDATES, excess, judge, pareto_front, Search, split_by_room, summarise_candidates)
from mde_ros.benchmarks.settings import Settings
from mde_ros.benchmarks.training import Machine
from mde_ros.network.depth_network import NetworkConfig, SIZES

NARROW = NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8), decoder='depthwise',
                       canonical_focal=50.)


@pytest.fixture
def rooms(ready: ReadyData) -> Path:
    """Return 12 frames of four rooms."""
    folder = ready.source[0].path
    for index in range(12):
        for kind in ('rgb', 'depth'):
            (folder / kind / f'{index:04d}.png').rename(
                folder / kind / f'{index // 3:06d}_{index % 3:02d}.png')
    return folder


@pytest.fixture
def make_search(rooms: Path, settings: Settings, tmp_path: Path) -> Callable[..., Search]:
    """Return a function that makes or goes on with a search of two candidates."""
    source, scored = split_by_room(rooms, tmp_path / 'view')

    def make(**more: Any) -> Search:
        return Search({'dense': SIZES['tiny'], 'narrow': NARROW},
                      more.pop('settings', settings), source, scored, more.pop('seeds', (0,)),
                      tmp_path / 'out', Machine(workers=0), **more)
    return make


def test_the_shipped_sizes_take_part_and_no_two_are_alike() -> None:
    assert {name: CANDIDATES[name] for name in SIZES} == SIZES
    assert len(set(CANDIDATES.values())) == len(CANDIDATES)


def test_no_room_is_trained_on_and_scored(rooms: Path, tmp_path: Path) -> None:
    train, scored = split_by_room(rooms, tmp_path / 'view')
    # 15 % of four rooms are one, the last.
    assert [name[:6] for name in scored.open(True).names] == ['000003'] * 3
    assert {name[:6] for name in train.open(True).names} == {'000000', '000001', '000002'}
    frame = scored.open(True)[2]
    assert frame.name == '000003_02' and frame.depth is not None
    # Half of them, and again over what is there.
    train, scored = split_by_room(rooms, tmp_path / 'view', .5)
    assert (len(train.open(False)), len(scored.open(False))) == (6, 6)


def test_one_room_cannot_be_split(rgbd_folder: Path, tmp_path: Path) -> None:
    # Frames that are not named ROOM_VIEW are of one room.
    with pytest.raises(BenchmarkError, match='frames of 1 room'):
        split_by_room(rgbd_folder, tmp_path / 'view')


def test_every_cell_is_run_once(make_search: Callable[..., Search],
                                monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    rows = list(make_search(watch=lambda title, steps: titles.append(f'{title} {steps}')).run())
    # Warm steps are no stage of their own here: two and three.
    assert titles == ['dense, seed 0 5', 'narrow, seed 0 5']
    assert [(row['name'], row['seed'], row['frames']['scored']) for row in rows] == [
        ('dense', 0, 3), ('narrow', 0, 3)]
    with monkeypatch.context() as patch:
        patch.setattr(module, 'score', None)
        again = make_search(watch=lambda title, steps: titles.append(title))
        assert list(again.run()) == rows and len(titles) == 2
    assert [row['seed'] for row in make_search(seeds=(0, 1)).run()] == [0, 0, 1, 1]


def test_the_candidate_is_what_is_trained(make_search: Callable[..., Search]) -> None:
    search = make_search()
    list(search.run())
    card = json.loads((search.out / 'narrow' / 'seed0' / 'weights.json').read_text())
    assert NetworkConfig.from_dict(card['network']) == NARROW
    tensors = load_file(search.out / 'narrow' / 'seed0' / 'weights.safetensors')
    assert any('depthwise' in name for name in tensors)


def test_other_settings_are_refused(make_search: Callable[..., Search], settings: Settings
                                    ) -> None:
    list(make_search().run())
    with pytest.raises(BenchmarkError, match='config.batch'):
        list(make_search(settings=Settings(**{**settings.to_dict(), 'batch': 3})).run())


def test_a_training_that_fails_leaves_the_others(make_search: Callable[..., Search],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    working = module.train

    def fails(training: Any, *rest: Any) -> dict[str, Any]:
        if training.config.network == SIZES['tiny']:
            raise TrainingError('loss is nan')
        return working(training, *rest)

    monkeypatch.setattr(module, 'train', fails)
    search = make_search()
    assert [row['name'] for row in search.run()] == ['narrow']
    assert search.failures == [{'name': 'dense', 'seed': 0, 'reason': 'loss is nan'}]


def test_front_by_hand() -> None:
    points = {'dear': (9., .2), 'base': (4., .25), 'slow': (5., .26), 'fast': (1., .4),
              'same': (4., .25), 'worse': (4., .3), 'equal error': (10., .2)}
    assert pareto_front(points) == ['fast', 'base', 'same', 'dear']
    assert excess(points, 'base') == excess(points, 'fast') == 1
    # 0.25 is there for 4: 0.26 for 5 is 4 % above it.
    assert excess(points, 'slow') == pytest.approx(1.04)
    assert excess(points, 'worse') == pytest.approx(1.2)
    assert pareto_front({}) == []


def made_row(name: str, seed: int, error: float) -> dict[str, Any]:
    values = {'abs_rel': error, 'rmse': 1., 'delta1': .5}
    return {'name': name, 'seed': seed, 'seconds': 10., 'raw': values, 'site_scaled': values,
            'median_scaled': {**values, 'abs_rel': 1 - error}}


def test_means_spreads_and_fronts() -> None:
    rows = [made_row('a', 0, .4), made_row('b', 0, .3), made_row('a', 1, .5),
            made_row('b', 1, .2)]
    found = summarise_candidates(rows)
    assert found['a']['seeds'] == [0, 1]
    assert found['a']['raw']['abs_rel']['mean'] == pytest.approx(.45)
    assert found['b']['raw']['abs_rel']['spread'] == pytest.approx(.1 / 2 ** .5)
    facts = {name: {'latency': {'torch fp32': {'p50': time}}, 'shipped': name == 'a'}
             for name, time in (('a', 2.), ('b', 1.), ('not yet', .1))}
    judged = judge(facts, rows)
    assert list(judged['candidates']) == ['a', 'b'] and judged['candidates']['a']['shipped']
    # b is faster and better raw; median-scaled a is better.
    assert judged['front']['torch fp32'] == {
        'raw': ['b'], 'site_scaled': ['b'], 'median_scaled': ['b', 'a']}
    assert judged['candidates']['a']['excess']['torch fp32']['raw'] == pytest.approx(1.8)


def test_parts_name_their_split(make_search: Callable[..., Search], tmp_path: Path) -> None:
    training = make_search().training('dense', 0)
    assert training.source == (Part(tmp_path / 'view', 'train'),)
    assert training.start is training.encoder_start is training.target is None
