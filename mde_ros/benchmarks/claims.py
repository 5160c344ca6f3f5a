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

"""Folders that belong to settings: the same ones go on, others are refused by name."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import json
import os
from pathlib import Path
from typing import Any

from mde_ros.benchmarks.errors import BenchmarkError


def write_json(path: Path, value: Any) -> None:
    """Write JSON aside and rename it: a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + '.part')
    aside.write_text(json.dumps(value, indent=1) + '\n')
    os.replace(aside, path)


def read_json(path: Path) -> Any:
    """
    Return what a file holds, None without one.

    :raises BenchmarkError: naming a file that is damaged.
    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BenchmarkError(f'{path}: damaged ({error}): remove its folder') from error


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """
    Keep other processes out of a folder for a block; a killed one leaves no lock behind.

    :raises BenchmarkError: when another process is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / '.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchmarkError(f'{folder}: another mde benchmark is at work there: wait for it, '
                                 'or give another --out') from error
        yield


def changed_fields(before: Any, now: Any, prefix: str = '') -> list[str]:
    """
    Return the names of the values that differ, as config.steps.

    >>> changed_fields({'a': 1, 'b': {'c': 2}}, {'a': 1, 'b': {'c': 3}})
    ['b.c']
    """
    if isinstance(before, dict) and isinstance(now, dict):
        return [name for key in sorted({*before, *now}) for name in changed_fields(
            before.get(key), now.get(key), f'{prefix}.{key}' if prefix else str(key))]
    return [] if before == now else [prefix]


def claim(path: Path, settings: dict[str, Any]) -> None:
    """
    Write the settings of a folder, or check that it has the same.

    :param path: the file that holds them.
    :raises BenchmarkError: naming the fields that differ.
    """
    now = json.loads(json.dumps(settings))
    before = read_json(path)
    if before is None:
        write_json(path, now)
    elif names := changed_fields(before, now):
        raise BenchmarkError(
            f"{path.parent} was made with other settings ({', '.join(names)}): give the same ones "
            'to go on, or another --out')
