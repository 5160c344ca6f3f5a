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

"""A depth node in a process of its own, for as long as somebody needs it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any

from mde_ros.errors import MdeError

Process = subprocess.Popen[bytes]


class NodeProcessError(MdeError):
    """The node ended when it should not have."""


@contextmanager
def running_node(namespace: str, parameters: Mapping[str, Any]) -> Iterator[Process]:
    """Start a depth node; end it in order when the block is left, also by SIGTERM."""
    words = [sys.executable, '-m', 'mde_ros.nodes.depth_node', '--ros-args',
             '-r', f'__ns:={namespace}', '--log-level', 'warn']
    for name, value in parameters.items():
        words += ['-p', f'{name}:={value}']
    process = subprocess.Popen(words, cwd=tempfile.gettempdir())
    # A terminated evaluation must not leave its node behind.
    main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) if main else None
    try:
        yield process
    finally:
        if main:
            signal.signal(signal.SIGTERM, previous)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check_runs(process: Process | None, when: str) -> None:
    """
    Do nothing while the process runs, or is not ours (None).

    :raises NodeProcessError: when it has ended.
    """
    if process is not None and process.poll() is not None:
        raise NodeProcessError(
            f'the depth node ended with exit code {process.returncode} {when}; its log is above')


def end_of(process: Process | None) -> threading.Event:
    """Return an event that is set when the process ends, so that playing ends too."""
    ended = threading.Event()

    def watch() -> None:
        assert process is not None
        process.wait()
        ended.set()
    if process is not None:
        threading.Thread(target=watch, name='node watcher', daemon=True).start()
    return ended


def peak_memory_of(pid: int) -> float | None:
    """Return the largest resident memory of a process so far, 10^6 bytes; None where unknown."""
    try:
        lines = Path(f'/proc/{pid}/status').read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines
                    if line.startswith('VmHWM'))
    except (OSError, StopIteration):
        return None  # not Linux, or it has ended
