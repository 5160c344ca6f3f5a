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

"""A training that is interrupted anywhere goes on as if nothing had happened."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mde_ros.adaptation.checkpoint import checkpoint_paths
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.history import read_history
from mde_ros.adaptation.methods.base import Batch, SourceOnly
from mde_ros.adaptation.trainer import Trainer
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

Make = Callable[..., Trainer]


def stop_at(step: int) -> Callable[[int, dict[str, float]], None]:
    """Return a progress function that interrupts after this many steps."""
    def progress(done: int, record: dict[str, float]) -> None:
        if done == step:
            raise KeyboardInterrupt
    return progress


def same(first: DepthNetwork, second: DepthNetwork) -> bool:
    """Return whether two networks have equal tensors, to the bit."""
    other = second.state_dict()
    return all(torch.equal(value, other[name]) for name, value in first.state_dict().items())


@pytest.fixture(scope='module')
def kept() -> dict[str, Any]:
    """Keep what several tests need and only one computes."""
    return {}


@pytest.fixture
def whole(make_trainer: Make, tmp_path: Path, kept: dict[str, Any]) -> dict[str, Any]:
    """Return result and history of an uninterrupted run."""
    if not kept:
        kept['result'] = make_trainer('whole').run()
        kept['history'] = read_history(tmp_path / 'whole' / 'history.jsonl')
        assert len(kept['history']) == 8 and len({r['loss'] for r in kept['history']}) == 8
    return kept


# Checkpoints are written after 3, 6 and 8 of 8 steps; the input size changes after 4.
@pytest.mark.parametrize(('stops', 'workers'), [
    ((1,), 0), ((3,), 0), ((5,), 1), ((2, 4, 7), 0)])
def test_resumed_equals_uninterrupted_to_the_bit(
        make_trainer: Make, tmp_path: Path, whole: dict[str, Any], stops: tuple[int, ...],
        workers: int) -> None:
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            make_trainer('parts', workers).run(progress=stop_at(stop))
        torch.rand(5)  # the next process has another random state
    trainer = make_trainer('parts', workers)
    # A checkpoint written at the very step of the interruption comes after it.
    assert trainer.step == max((s for s in (0, 3, 6) if s < stops[-1]), default=0)
    result = trainer.run()
    assert read_history(tmp_path / 'parts' / 'history.jsonl') == whole['history']
    assert same(result, whole['result'])


def test_a_method_that_draws_random_numbers_draws_the_same_ones(
        make_trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = SourceOnly.losses

    def random_weights(method: SourceOnly, batch: Batch,
                       progress: float) -> dict[str, torch.Tensor]:
        return {k: v * torch.rand(()) for k, v in plain(method, batch, progress).items()}

    monkeypatch.setattr(SourceOnly, 'losses', random_weights)
    make_trainer('whole', steps=5).run()
    with pytest.raises(KeyboardInterrupt):
        make_trainer('parts', steps=5).run(progress=stop_at(4))
    torch.rand(5)
    make_trainer('parts', steps=5).run()
    whole, parts = (read_history(tmp_path / name / 'history.jsonl') for name in ('whole', 'parts'))
    assert whole == parts and len(whole) == 5


def test_a_finished_run_only_gives_its_result_again(make_trainer: Make, tmp_path: Path) -> None:
    expected = make_trainer('run', steps=2).run()
    before = (tmp_path / 'run' / 'history.jsonl').read_text()
    trainer = make_trainer('run', steps=2)
    steps: list[int] = []
    assert same(trainer.run(progress=lambda step, record: steps.append(step)), expected)
    assert steps == [] and trainer.step == 2
    assert (tmp_path / 'run' / 'history.jsonl').read_text() == before


def test_time_goes_on_counting(make_trainer: Make) -> None:
    settings = {'steps': 2, 'checkpoint_every': 1}
    with pytest.raises(KeyboardInterrupt):
        make_trainer('run', **settings).run(progress=stop_at(2))
    trainer = make_trainer('run', **settings)
    before = trainer.seconds
    assert before > 0
    trainer.run()
    assert trainer.seconds > before


def test_a_damaged_checkpoint_is_passed_over(make_trainer: Make, tmp_path: Path,
                                             whole: dict[str, Any]) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_trainer('parts').run(progress=stop_at(7))
    newest = checkpoint_paths(tmp_path / 'parts' / 'checkpoints')[0]
    newest.write_bytes(newest.read_bytes()[:5000])
    trainer = make_trainer('parts')
    assert trainer.step == 3
    assert same(trainer.run(), whole['result'])
    assert read_history(tmp_path / 'parts' / 'history.jsonl') == whole['history']


def test_no_whole_checkpoint_is_an_error_not_a_new_start(make_trainer: Make,
                                                         tmp_path: Path) -> None:
    make_trainer('run', steps=1).run()
    for path in checkpoint_paths(tmp_path / 'run' / 'checkpoints'):
        path.write_bytes(b'')
    with pytest.raises(TrainingError, match='damaged, and no older checkpoint is whole'):
        make_trainer('run', steps=1)


@pytest.mark.parametrize(('change', 'words'), [
    ({'batch': 4}, 'other settings (batch)'),
    ({'steps': 9, 'seed': 5}, 'other settings (seed, steps)'),
    ({'identity': {'sources': [['other', 9]]}}, 'other settings (sources)'),
    ({'batch': 4, 'identity': {'start': 'x'}}, 'other settings (batch, sources, start)'),
    ({'steps': 9, 'network': NetworkConfig()}, 'other settings (network, steps)')])
def test_other_settings_are_named(make_trainer: Make, tmp_path: Path,
                                  change: dict[str, object], words: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_trainer('run').run(progress=stop_at(1))
    before = (tmp_path / 'run' / 'history.jsonl').read_text()
    with pytest.raises(TrainingError) as caught:
        make_trainer('run', **change)
    assert words in str(caught.value) and 'another --out' in str(caught.value)
    assert (tmp_path / 'run' / 'history.jsonl').read_text() == before
    make_trainer('run')


@pytest.mark.parametrize('content', ['', '[]', '{"config": 3}', '{}'])
def test_a_folder_of_something_else(make_trainer: Make, tmp_path: Path, content: str) -> None:
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'run.json').write_text(content)
    with pytest.raises(TrainingError, match=r'run\.json: not the settings of a run'):
        make_trainer('run')


def test_settings_are_stored(make_trainer: Make, tmp_path: Path) -> None:
    trainer = make_trainer('run')
    stored = json.loads((tmp_path / 'run' / 'run.json').read_text())
    assert stored == json.loads(json.dumps(
        {'method': 'source_only', 'config': trainer.config.to_dict(),
         'sources': [['tiny', 6]]}))
