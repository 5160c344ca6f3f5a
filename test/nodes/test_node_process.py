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

"""A depth node in a process of its own."""

import os
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from mde_ros.nodes.node_process import (
    check_runs, end_of, NodeProcessError, peak_memory_of, running_node)


@pytest.fixture(autouse=True)
def in_own_domain(domain_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the child in a domain of its own."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain_id))


def test_a_node_that_cannot_start(capfd: pytest.CaptureFixture[str]) -> None:
    """Parameters that it refuses end it; its own words are on the terminal."""
    with running_node('/test', {'max_rate': -1.}) as process:
        assert end_of(process).wait(60)
        process.wait(10)
        with pytest.raises(NodeProcessError, match='ended with exit code 2 at its start'):
            check_runs(process, 'at its start')
    assert 'max_rate' in capfd.readouterr().err


def test_the_node_ends_with_the_block() -> None:
    """Also when the block fails; whatever the node was doing then."""
    with pytest.raises(ZeroDivisionError), running_node('/test', {}) as process:
        time.sleep(.3)
        check_runs(process, 'now')
        raise ZeroDivisionError
    assert process.returncode is not None
    assert end_of(process).wait(5)


def test_memory_of_a_process() -> None:
    """At least what it allocated; nothing of one that has ended."""
    words = [sys.executable, '-c', 'x = bytes([1]) * 80_000_000; print(x[9], flush=True); input()']
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert (peak_memory_of(process.pid) or 0) > 80
        process.communicate(b'end\n')
    assert peak_memory_of(process.pid) is None
    assert (peak_memory_of(os.getpid()) or 0) > 10


def test_a_node_of_somebody_else() -> None:
    """It cannot be seen to end."""
    check_runs(None, 'now')
    assert not end_of(None).is_set()
