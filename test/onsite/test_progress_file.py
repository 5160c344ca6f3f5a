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

"""The progress file and the time left."""

import json
from pathlib import Path
from typing import Any

import pytest

from mde_ros.onsite import progress_file
from mde_ros.onsite.progress_file import ProgressFile, TimeLeft


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.
        monkeypatch.setattr(progress_file.time, 'monotonic', lambda: self.now)


def test_about_once_a_second_and_at_every_phase(tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    clock, heard = Clock(monkeypatch), []
    path = tmp_path / 'progress.json'
    progress = ProgressFile(path, heard.append)

    def there() -> dict[str, Any]:
        return dict(json.loads(path.read_text()))

    progress.update(step=1, steps=9)
    assert there() == {'phase': 'checking', 'step': 1, 'steps': 9, 'seconds_left': None,
                       'losses': {}}
    clock.now += .5
    progress.update(step=2)
    assert there()['step'] == 1 and heard[-1]['step'] == 2
    clock.now += .5
    progress.update(step=3, losses={'depth': .5}, seconds_left=8.)
    assert there() == {'phase': 'checking', 'step': 3, 'steps': 9, 'seconds_left': 8.,
                       'losses': {'depth': .5}}
    progress.update(phase='training')
    assert there()['phase'] == 'training'
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_file() -> None:
    progress = ProgressFile(None)
    progress.update(phase='check')
    assert progress.state['phase'] == 'check'


def test_time_left_by_the_work_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    # Two steps of 1, two of 3; this process starts at step 1.
    left = TimeLeft([1, 1, 3, 3], 1)
    assert left.after(1) is None
    clock.now += 2
    assert left.after(2) == pytest.approx(2 * 6 / 1)
    clock.now += 6
    assert left.after(3) == pytest.approx(8 * 3 / 4)
    assert left.after(4) == 0
