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

"""Cells: trained once, gone on with, refused when changed, target labels never opened."""

from collections.abc import Callable
from dataclasses import replace
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from mde_ros.adaptation.history import read_history
from mde_ros.adaptation.methods.adabn import AdaBn
from mde_ros.benchmarks import runner as module
from mde_ros.benchmarks.data import ReadyData
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.runner import Benchmark
from mde_ros.benchmarks.settings import Settings
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import load_weights
from mde_ros.evaluation.evaluator import evaluate

Make = Callable[..., Benchmark]


@pytest.fixture(autouse=True)
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the counting, a second a cell, that test_benchmark_scoring.py tests."""
    monkeypatch.setattr(module, 'cost', lambda *arguments: {'parameters': 1})


def poison(folder: Path, names: list[str]) -> None:
    """Make depth files unreadable."""
    for name in names:
        (folder / 'depth' / f'{name}.png').write_bytes(b'not to be opened')


def test_a_row_is_what_the_estimator_of_the_node_scores(make_benchmark: Make,
                                                        ready: ReadyData) -> None:
    rows = list(make_benchmark('source_only', 'adabn', 'oracle').run())
    assert [r['method'] for r in rows] == ['source_only', 'adabn', 'oracle']
    assert [r['target_labels'] for r in rows] == [False, False, True]
    assert [r['batch'] for r in rows] == [2, 2, 4]
    assert all(r['steps'] == 3 and r['warm_steps'] == 2 for r in rows)
    out = make_benchmark().out
    network, card = load_weights(out / 'target' / 'adabn' / 'seed0' / 'weights')
    expected = evaluate(ready.targets[0].score.open(True), DepthEstimator((network, card)))
    assert rows[1]['raw'] == expected.to_dict()['raw']
    assert rows[1]['frames']['scored'] == 4
    assert rows[0]['raw'] != rows[1]['raw'] != rows[2]['raw']
    assert rows[1]['seconds'] > 0 and rows[1]['parameters'] == 1
    assert not (out / 'target' / 'adabn' / 'seed0' / 'run' / 'checkpoints').exists()


def test_finished_cells_are_not_run_again(make_benchmark: Make,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    watch = lambda title, steps: titles.append(title)  # noqa: E731
    first = list(make_benchmark(watch=watch).run())
    assert titles == ['warm start, seed 0', 'target source_only, seed 0', 'target adabn, seed 0']

    def forbidden(*arguments: Any) -> None:
        raise AssertionError('scored again')

    monkeypatch.setattr(module, 'score', forbidden)
    titles.clear()
    assert list(make_benchmark(watch=watch).run()) == first
    assert not titles


def test_another_method_and_seed_join_what_is_there(make_benchmark: Make) -> None:
    list(make_benchmark().run())
    titles: list[str] = []
    rows = list(make_benchmark('source_only', 'oracle', seeds=(0, 1),
                               watch=lambda title, steps: titles.append(title)).run())
    assert [(r['method'], r['seed']) for r in rows] == [
        ('source_only', 0), ('oracle', 0), ('source_only', 1), ('oracle', 1)]
    assert 'target source_only, seed 0' not in titles and 'warm start, seed 1' in titles
    assert rows[0]['raw'] != rows[2]['raw']


def test_killed_in_a_cell_it_goes_on_as_if_nothing_had_happened(
        make_benchmark: Make, settings: Settings, tmp_path: Path) -> None:
    longer = replace(settings, steps=6)
    whole = list(make_benchmark(settings=longer).run())
    (tmp_path / 'out').rename(tmp_path / 'whole')

    def stop_in_adabn(title: str, steps: int) -> Callable[[int, dict[str, float]], None]:
        def progress(step: int, losses: dict[str, float]) -> None:
            if 'adabn' in title and step == 4:
                raise KeyboardInterrupt
        return progress

    with pytest.raises(KeyboardInterrupt):
        list(make_benchmark(settings=longer, watch=stop_in_adabn).run())
    again = list(make_benchmark(settings=longer).run())
    for before, now in zip(whole, again, strict=True):
        assert before['raw'] == now['raw']
    history = read_history(tmp_path / 'out' / 'target' / 'adabn' / 'seed0' / 'run'
                           / 'history.jsonl')
    assert [record['step'] for record in history] == list(range(6))


def test_changed_settings_are_refused_by_name(make_benchmark: Make, settings: Settings,
                                              ready: ReadyData) -> None:
    list(make_benchmark().run())
    with pytest.raises(BenchmarkError, match=r'\(settings\.steps\)'):
        list(make_benchmark(settings=replace(settings, steps=4)).run())
    (ready.source[0].path / 'rgb' / '0000.png').unlink()
    with pytest.raises(BenchmarkError, match=r'\(source\)'):
        list(make_benchmark().run())


def test_changed_settings_of_one_cell_are_refused(make_benchmark: Make) -> None:
    benchmark = make_benchmark()
    list(benchmark.run())
    changed = replace(benchmark.contenders[1], values={'zoom': .8})
    benchmark.contenders = [benchmark.contenders[0], changed]
    with pytest.raises(BenchmarkError, match=r'adabn.seed0.*\(config\.zoom\)'):
        list(benchmark.run())


def test_labels_of_the_target_are_never_opened(make_benchmark: Make, ready: ReadyData,
                                               settings: Settings,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    methods = ('adabn', 'adversary', 'mean_teacher', 'lfda')
    short = replace(settings, warm_steps=0, steps=2)
    target = ready.targets[0].adapt
    opened: list[Path] = []
    original = RgbdFolder.__getitem__

    def note(folder: RgbdFolder, index: int) -> Any:
        if folder.path == target.path and folder.split == 'adapt' and folder.read_depth:
            opened.append(folder.path)
        return original(folder, index)

    monkeypatch.setattr(RgbdFolder, '__getitem__', note)
    clean = list(make_benchmark(*methods, settings=short).run())
    out = make_benchmark().out
    out.rename(out.with_name('clean'))
    poison(target.path, target.open(False).names)  # type: ignore[arg-type]
    poisoned = list(make_benchmark(*methods, settings=short).run())
    assert not opened
    assert [r['raw'] for r in poisoned] == [r['raw'] for r in clean]


def test_the_oracle_uses_them(make_benchmark: Make, ready: ReadyData) -> None:
    training = make_benchmark().training(
        make_benchmark('oracle').contenders[0], ready.targets[0], 0)
    data = training.data()
    assert [one.split for one in data.sources] == [None, 'adapt']
    assert data.shares.tolist() == [.5, .5]
    poison(ready.targets[0].adapt.path, ['0000', '0003'])
    clean = list(make_benchmark('source_only', 'oracle').run())
    assert clean[1]['raw'] != clean[0]['raw']
    assert any(one.get(0) is None for one in data.sources)


def test_scored_frames_are_no_training_frames(make_benchmark: Make, ready: ReadyData) -> None:
    # Unreadable scored labels leave every training as it is, and are then missed.
    score = ready.targets[0].score
    poison(score.path, score.open(False).names)  # type: ignore[arg-type]
    benchmark = make_benchmark('source_only', 'oracle')
    with pytest.raises(Exception, match='could be scored') as caught:
        list(benchmark.run())
    assert not isinstance(caught.value, DatasetError)
    assert (benchmark.out / 'source' / 'source_only' / 'seed0' / 'trained.json').exists()


def test_all_start_from_the_same_weights_and_see_the_same_source(
        make_benchmark: Make, ready: ReadyData) -> None:
    benchmark = make_benchmark('source_only', 'adabn', 'lfda')
    list(benchmark.run())
    trainings = [benchmark.training(one, ready.targets[0], 0) for one in benchmark.contenders]
    assert len({training.to_dict()['start'] for training in trainings}) == 1
    states = [training.network(training.data()).state_dict() for training in trainings]
    for state in states[1:]:
        assert all(torch.equal(value, states[0][name]) for name, value in state.items())
    samples = [training.data()[3] for training in trainings]
    assert all(torch.equal(sample.image, samples[0].image) for sample in samples)
    # The warm start saw others.
    warm = benchmark.warm_training(0).data()[3]
    assert not torch.equal(warm.image, samples[0].image)


def test_one_stage_without_a_warm_start(make_benchmark: Make, settings: Settings) -> None:
    rows = list(make_benchmark(settings=replace(settings, warm_steps=0)).run())
    assert [r['warm_steps'] for r in rows] == [0, 0]
    assert not (make_benchmark().out / 'source' / 'warm').exists()


def test_a_training_that_diverges_leaves_the_others(make_benchmark: Make,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    original = AdaBn.losses

    def diverge(method: AdaBn, batch: Any, progress: float) -> dict[str, torch.Tensor]:
        return {name: term * math.inf for name, term in
                original(method, batch, progress).items()}

    benchmark = make_benchmark('source_only', 'adabn', 'oracle')
    with monkeypatch.context() as broken:
        broken.setattr(AdaBn, 'losses', diverge)
        assert [row['method'] for row in benchmark.run()] == ['source_only', 'oracle']
    failed = benchmark.failures[0]
    assert (failed['method'], failed['target'], failed['seed']) == ('adabn', 'target', 0)
    assert 'loss depth/' in failed['reason'] and len(benchmark.failures) == 1
    # Mended, the rest of the table joins.
    assert len(list(make_benchmark('source_only', 'adabn', 'oracle').run())) == 3
