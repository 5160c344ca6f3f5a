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

"""The training loop: schedule, averages, domains, failures."""

from collections.abc import Callable
import math
import os
from pathlib import Path
import signal

import pytest
import torch

from mde_ros.adaptation.checkpoint import load_checkpoint
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.history import read_history
from mde_ros.adaptation.methods.base import Batch
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.trainer import learning_rate, Trainer
from mde_ros.network.batch_norm import batch_norms
from mde_ros.network.depth_network import DepthNetwork

Make = Callable[..., Trainer]


def test_learning_rate_by_hand() -> None:
    config = TrainConfig(steps=12, warm_up=4, learning_rate=.8)
    rates = [learning_rate(step, config) for step in (0, 1, 3, 4, 6, 8, 12, 99)]
    quarter = .4 * (1 + math.cos(math.pi / 4))
    assert rates == pytest.approx([.2, .4, .8, .8, quarter, .4, 0, 0])
    assert learning_rate(0, TrainConfig(warm_up=0, learning_rate=.8)) == .8
    # A run that ends within its warm-up.
    assert learning_rate(2, TrainConfig(steps=3, warm_up=6, learning_rate=.6)) == pytest.approx(.3)


def test_loss_falls(make_trainer: Make, tmp_path: Path) -> None:
    trainer = make_trainer('run', steps=24, batch=4, sizes=((1., 64, 48),), zoom=1.,
                           appearance=0., learning_rate=2e-2, warm_up=3, average=.5,
                           checkpoint_every=99)
    trainer.run()
    losses = [r['depth/absolute'] for r in read_history(tmp_path / 'run' / 'history.jsonl')]
    assert len(losses) == 24
    assert sum(losses[-4:]) < .5 * sum(losses[:4])


def test_history_has_every_term(make_trainer: Make, tmp_path: Path) -> None:
    seen = []
    trainer = make_trainer('run', steps=4)
    trainer.run(progress=lambda step, record: seen.append((step, record)))
    records = read_history(tmp_path / 'run' / 'history.jsonl')
    assert [r['step'] for r in records] == [0, 1, 2, 3]
    assert [step for step, _ in seen] == [1, 2, 3, 4]
    for record, (_, shown) in zip(records, seen):
        assert {k: v for k, v in record.items() if k != 'step'} == shown
        terms = [record[f'depth/{name}'] for name in ('silog', 'absolute', 'gradient')]
        assert record['loss'] == pytest.approx(sum(terms))
        assert record['learning_rate'] == pytest.approx(
            learning_rate(record['step'], trainer.config))


def test_only_the_source_path_is_trained_and_handed_to_the_target(make_trainer: Make) -> None:
    trainer = make_trainer('run', steps=4)
    styles = [p.clone() for p in trainer.method.network.style_encoders.parameters()]
    result = trainer.run()
    for layer in batch_norms(trainer.method.network):
        assert not layer.target_mean.any() and (layer.target_var == 1).all()
        assert layer.source_mean.any()
    for layer in batch_norms(result):
        assert torch.equal(layer.target_mean, layer.source_mean)
        assert torch.equal(layer.target_var, layer.source_var)
    assert all(map(torch.equal, trainer.method.network.style_encoders.parameters(), styles))
    assert not result.training


def test_the_result_is_the_average(make_trainer: Make) -> None:
    heads = []
    trainer = make_trainer('run', steps=4, average=.5, learning_rate=.01)
    result = trainer.run(progress=lambda step, record: heads.append(
        trainer.method.network.decoder.head.weight.detach().clone()))
    # The first step is taken whole, then decays of 2 / 11, 3 / 12 and 4 / 13.
    expected = heads[0]
    for count, head in enumerate(heads[1:], 1):
        decay = (1 + count) / (10 + count)
        expected = decay * expected + (1 - decay) * head
    assert torch.allclose(result.decoder.head.weight, expected, atol=1e-6)
    assert not torch.allclose(result.decoder.head.weight, heads[-1], atol=1e-6)


def test_validation_is_recorded_at_its_steps_and_at_the_end(make_trainer: Make,
                                                            tmp_path: Path) -> None:
    networks = []

    def validate(network: DepthNetwork) -> dict[str, float]:
        networks.append(network)
        return {'abs_rel': len(networks) / 10}

    make_trainer('run', steps=5, validate_every=2).run(validate)
    records = read_history(tmp_path / 'run' / 'history.jsonl')
    assert {r['step']: r['validation/abs_rel'] for r in records if 'validation/abs_rel' in r} == {
        1: .1, 3: .2, 4: .3}
    assert not any(network.training for network in networks)


def test_validation_does_not_change_the_training(make_trainer: Make, tmp_path: Path) -> None:
    make_trainer('plain', steps=4).run()

    def validate(network: DepthNetwork) -> dict[str, float]:
        with torch.no_grad():
            network(torch.rand(1, 3, 32, 32))
        return {}

    make_trainer('validated', steps=4, validate_every=2).run(validate)
    plain, validated = (read_history(tmp_path / name / 'history.jsonl')
                        for name in ('plain', 'validated'))
    assert plain == validated


def test_a_loss_that_is_no_number_stops_before_it_spoils_the_weights(
        make_trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer('run')
    losses = trainer.method.losses

    def poisoned(batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        found = losses(batch, progress)
        if trainer.step == 4:
            found['depth/silog'] = found['depth/silog'] * float('nan')
        return found

    monkeypatch.setattr(trainer.method, 'losses', poisoned)
    with pytest.raises(TrainingError, match='loss depth/silog is nan at step 4: ') as caught:
        trainer.run()
    assert 'checkpoints; lower --learning-rate' in str(caught.value)
    assert all(p.isfinite().all() for p in trainer.method.network.parameters())
    state = load_checkpoint(tmp_path / 'run' / 'checkpoints')
    assert state is not None and state['step'] == 3
    assert [r['step'] for r in read_history(tmp_path / 'run' / 'history.jsonl')] == [0, 1, 2, 3]


def test_gradients_that_are_no_numbers_stop_too(
        make_trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer('run')

    def losses(batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        # sqrt at 0: the value is 0, the derivative infinite times 0.
        return {'depth/silog': torch.sqrt(trainer.method.network(batch.image.float()).sum() * 0)}

    monkeypatch.setattr(trainer.method, 'losses', losses)
    before = [p.clone() for p in trainer.method.network.parameters()]
    with pytest.raises(TrainingError, match='gradients are not finite at step 0'):
        trainer.run()
    assert all(map(torch.equal, trainer.method.network.parameters(), before))


def test_mixed_precision_trains_in_full_precision_weights(make_trainer: Make) -> None:
    trainer = make_trainer('run', steps=3, precision='bf16-mixed')
    result = trainer.run()
    assert {p.dtype for p in trainer.method.network.parameters()} == {torch.float32}
    assert all(v.isfinite().all() for v in result.state_dict().values())


@pytest.mark.parametrize('workers', [0, 1])
def test_errors_of_data_are_one_line(make_trainer: Make, rgbd_folder: Path,
                                     workers: int) -> None:
    trainer = make_trainer('run', workers)
    for path in (rgbd_folder / 'rgb').iterdir():
        path.write_bytes(b'no image')
    with pytest.raises(TrainingError, match=r'^20 frames in a row of tiny') as caught:
        trainer.run()
    assert '\n' not in str(caught.value)


def test_a_killed_data_process_is_explained(make_trainer: Make,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer('run', 1)

    monkeypatch.setattr(type(trainer.data), '__getitem__',
                        lambda self, number: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(TrainingError, match=r'a data process was killed.*--workers'):
        trainer.run()


def test_peak_memory_is_that_of_the_process(make_trainer: Make) -> None:
    assert 50 < make_trainer('run').peak_memory_mb < 1e5
