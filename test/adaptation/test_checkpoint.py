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

"""Checkpoints: complete or passed over."""

from pathlib import Path

from lightning_fabric import Fabric
import pytest
import torch

from mde_ros.adaptation import checkpoint as module
from mde_ros.adaptation.checkpoint import (
    checkpoint_paths, KEPT, load_checkpoint, save_checkpoint)
from mde_ros.adaptation.errors import TrainingError


@pytest.fixture(scope='module')
def fabric() -> Fabric:
    """Return one process on the CPU."""
    return Fabric(accelerator='cpu', devices=1)


def state(step: int) -> dict[str, object]:
    """Return something like the state of a training."""
    return {'step': step, 'seconds': .5 * step, 'network': {'weight': torch.arange(500.) + step}}


def test_round_trip(fabric: Fabric, tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / 'none') is None
    path = save_checkpoint(fabric, tmp_path / 'run', 250, state(250))
    assert path.name == 'step-0000250.ckpt'
    read = load_checkpoint(tmp_path / 'run')
    assert read is not None
    assert read['step'] == 250 and read['seconds'] == 125
    assert torch.equal(read['network']['weight'], torch.arange(500.) + 250)


def test_the_newest_are_kept(fabric: Fabric, tmp_path: Path) -> None:
    for step in (5, 10_000_000, 90, 900):
        save_checkpoint(fabric, tmp_path, step, state(step))
    # By number, not by text or time.
    assert [p.name for p in checkpoint_paths(tmp_path)] == [
        'step-10000000.ckpt', 'step-0000900.ckpt'][:KEPT]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'step-0000900.ckpt', 'step-10000000.ckpt']


def test_other_files_are_no_checkpoints(tmp_path: Path) -> None:
    for name in ('step-0000001.part', 'step-x.ckpt', 'last.ckpt', 'step-1.ckpt.bak'):
        (tmp_path / name).write_text('')
    assert checkpoint_paths(tmp_path) == []
    assert load_checkpoint(tmp_path) is None


DAMAGES = {
    'empty': lambda data: b'',
    'cut short': lambda data: data[:len(data) // 2],
    'a few bytes': lambda data: data[:10],
    'zeros, as after a power cut': lambda data: bytes(len(data)),
    'a block of zeros': lambda data: data[:1000] + bytes(1000) + data[2000:],
    'text': lambda data: b'hello world' * 20,
    'a pickle of code': lambda data: b'cbuiltins\nprint\n.',
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_damaged_ones_are_passed_over(fabric: Fabric, tmp_path: Path, damage: str,
                                      caplog: pytest.LogCaptureFixture) -> None:
    save_checkpoint(fabric, tmp_path, 1, state(1))
    newest = save_checkpoint(fabric, tmp_path, 2, state(2))
    newest.write_bytes(DAMAGES[damage](newest.read_bytes()))
    read = load_checkpoint(tmp_path)
    assert read is not None and read['step'] == 1
    assert 'step-0000002.ckpt: damaged, passed over' in caplog.text


def test_a_flipped_bit_in_a_weight_is_found(fabric: Fabric, tmp_path: Path) -> None:
    path = save_checkpoint(fabric, tmp_path, 3, state(3))
    data = bytearray(path.read_bytes())
    position = data.find(torch.arange(5.).add(203).numpy().tobytes())
    assert position > 0
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrainingError, match=r'0003\.ckpt: damaged, and no older') as caught:
        load_checkpoint(tmp_path)
    assert 'remove the folder to start again' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_crash_while_saving_leaves_the_former_ones(
        fabric: Fabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (1, 2):
        save_checkpoint(fabric, tmp_path, step, state(step))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module.os, 'replace', crash)
        save_checkpoint(fabric, tmp_path, 3, state(3))
    read = load_checkpoint(tmp_path)
    assert read is not None and read['step'] == 2
    assert len(checkpoint_paths(tmp_path)) == 2
    # The next attempt is not disturbed by what the first left.
    save_checkpoint(fabric, tmp_path, 3, state(3))
    assert [p.name for p in checkpoint_paths(tmp_path)] == [
        'step-0000003.ckpt', 'step-0000002.ckpt']
