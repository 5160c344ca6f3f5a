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

"""The loss history: one record a step, whatever happens to the process."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mde_ros.adaptation import history as module
from mde_ros.adaptation.history import History, read_history


def write(folder: Path, first: int, end: int, loss: float) -> None:
    """Write the steps from ``first`` to before ``end``."""
    history = History(folder, first)
    for step in range(first, end):
        history.add(step, {'loss': loss + step, 'depth/silog': .5})
    history.close()


def test_one_record_a_step(tmp_path: Path) -> None:
    assert read_history(tmp_path / 'history.jsonl') == []
    write(tmp_path, 0, 2, 10.)
    assert (tmp_path / 'history.jsonl').read_text() == (
        '{"step": 0, "loss": 10.0, "depth/silog": 0.5}\n'
        '{"step": 1, "loss": 11.0, "depth/silog": 0.5}\n')
    assert [r['step'] for r in read_history(tmp_path / 'history.jsonl')] == [0, 1]


def test_readable_while_it_is_written(tmp_path: Path) -> None:
    history = History(tmp_path, 0)
    history.add(0, {'loss': 1.})
    assert read_history(history.path) == [{'step': 0, 'loss': 1.}]
    history.close()


def test_a_resumed_run_drops_what_comes_again(tmp_path: Path) -> None:
    write(tmp_path, 0, 6, 0.)
    write(tmp_path, 4, 8, 100.)
    assert [r['loss'] for r in read_history(tmp_path / 'history.jsonl')] == [
        0, 1, 2, 3, 104, 105, 106, 107]


def test_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, 0, 3, 0.)
    path = tmp_path / 'history.jsonl'
    path.write_text(path.read_text()[:-20])
    assert [r['step'] for r in read_history(path)] == [0, 1]
    write(tmp_path, 2, 4, 0.)
    assert [r['step'] for r in read_history(path)] == [0, 1, 2, 3]


def test_a_kill_while_it_is_cut_back_loses_nothing(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 0, 5, 0.)

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module.os, 'replace', kill)
        History(tmp_path, 4)
    assert len(read_history(tmp_path / 'history.jsonl')) == 5


def test_tensorboard_shows_each_step_once(tmp_path: Path) -> None:
    write(tmp_path, 0, 6, 0.)
    write(tmp_path, 4, 8, 100.)
    board = EventAccumulator(str(tmp_path / 'tensorboard'))
    board.Reload()
    events = board.Scalars('loss')
    assert [e.step for e in events] == list(range(8))
    assert events[4].value == 104
    assert len(board.Scalars('depth/silog')) == 8
