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

"""The processes of the adaptation demonstration: depth node, adaptation node, camera."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, ExitStack
import os
from pathlib import Path
import signal
import subprocess
import sys

from mde_ros.errors import MdeError

# Images a second of the camera.
RATE = 10.


class ProcessEnded(MdeError):
    """A node ended when it should not have."""


class Running:
    """What was started, with the log of each."""

    def __init__(self, domain: int) -> None:
        """Start nothing yet."""
        self.domain = domain
        self.processes: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}

    def check(self) -> None:
        """
        Do nothing while all processes run.

        :raises ProcessEnded: naming the log.
        """
        for name, (process, log) in self.processes.items():
            if process.poll() is not None:
                raise ProcessEnded(f'{name} ended with exit code {process.returncode}: see {log}')


def environment(domain: int) -> dict[str, str]:
    """Return the environment of the processes."""
    return {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1'}


@contextmanager
def running(out: Path, weights: str, domain: int, drive: Path, rate: float,
            parameters: Sequence[str]) -> Iterator[Running]:
    """
    Run depth node, adaptation node and a camera that shows a drive again and again.

    :param parameters: of the adaptation node, each NAME:=VALUE.
    """
    site = out / 'site'
    python = [sys.executable, '-m']
    words = {
        'depth_node': [*python, 'mde_ros.nodes.depth_node', '--ros-args',
                       '-p', f'weights:={weights}', '-p', f'profile:={site}'],
        'adaptation_node': [
            *python, 'mde_ros.nodes.adaptation_node', '--ros-args', '-p', f'site:={site}',
            '-p', f'weights:={weights}', '-p', 'progress_period:=0.2',
            *(word for value in parameters for word in ('-p', value))],
        'camera': [*python, 'mde_ros.command_line.main', 'play', str(drive), '--no-depth',
                   '--loop', '--rate', str(rate), '--stamps', 'now',
                   '--wait-for-subscribers', '60']}
    made = Running(domain)
    with ExitStack() as stack:
        for name, command in words.items():
            log = out / f'{name}.log'
            process = stack.enter_context(_started(command, log, environment(domain)))
            made.processes[name] = process, log
        yield made


@contextmanager
def _started(command: list[str], log: Path, variables: dict[str, str]
             ) -> Iterator['subprocess.Popen[bytes]']:
    """Run a process while the block runs; it gets SIGINT and time to end orderly."""
    with log.open('wb') as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT,
                                   env=variables)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
