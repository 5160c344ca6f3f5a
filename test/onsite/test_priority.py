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

"""Threads and priority of an adaptation, set in processes of their own: they cannot be raised."""

import os
import subprocess
import sys

import cv2
import pytest
import torch

from mde_ros.onsite.priority import limit_threads, set_priority

SCRIPT = """
import os, sys
from mde_ros.onsite.priority import set_priority
said = set_priority(sys.argv[1])
print(said, os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_IDLE,
      sep=';')
"""


def after(name: str, nice: int = 0) -> list[str]:
    """Return what a process says, its niceness, and whether it is SCHED_IDLE."""
    words = ['nice', '-n', str(nice), sys.executable, '-c', SCRIPT, name]
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          timeout=60).stdout.strip().split(';')


@pytest.mark.skipif(not hasattr(os, 'SCHED_IDLE'), reason='Linux has SCHED_IDLE')
def test_each_priority_in_a_process_of_its_own() -> None:
    here = os.getpriority(os.PRIO_PROCESS, 0)
    assert after('normal') == ['normal', str(here), 'False']
    assert after('low') == [f'nice {max(here, 10)}', str(max(here, 10)), 'False']
    # Who is nicer already stays so.
    assert after('low', 15 - here) == ['nice 15', '15', 'False']
    assert after('idle') == ['SCHED_IDLE', str(here), 'True']


def test_idle_where_the_scheduler_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    nice = [3]

    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, 'sched_setscheduler', forbidden)
    monkeypatch.setattr(os, 'getpriority', lambda *_: nice[0])
    monkeypatch.setattr(os, 'setpriority', lambda _kind, _who, value: nice.__setitem__(0, value))
    assert set_priority('idle') == 'nice 19' and nice == [19]


def test_another_priority_is_refused() -> None:
    with pytest.raises(ValueError, match="priority 'fast': use one of normal, low, idle"):
        set_priority('fast')


def test_threads_of_both_libraries() -> None:
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        limit_threads(2)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
