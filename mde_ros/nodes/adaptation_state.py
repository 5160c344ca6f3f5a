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

"""The folder of a site, and what its adaptation is doing, so that a kill at any moment shows."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
import fcntl
import json
from pathlib import Path
from typing import Any

from mde_ros.datasets.atomic_files import write_whole
from mde_ros.errors import MdeError

IDLE, RECORDING, CHECKING, ADAPTING, SWAPPING = PHASES = (
    'idle', 'recording', 'checking', 'adapting', 'swapping')


class SiteError(MdeError):
    """A site folder that cannot be used."""


@dataclass(frozen=True)
class State:
    """
    What goes on at a site.

    :param phase: one of PHASES.
    :param since: when that began, ISO 8601 in UTC.
    :param message: one line on the last result, with what to do next.
    :param failed: whether that result is a failure.
    :param profile: name of the profile that is being swapped in, '' before it has one.
    """

    phase: str = IDLE
    since: str = ''
    message: str = 'nothing recorded yet: drive around and call ~/start_recording'
    failed: bool = False
    profile: str = ''

    def changed(self, phase: str, message: str, *, failed: bool = False,
                profile: str = '') -> 'State':
        """Return the state after an event."""
        since = self.since if phase == self.phase else now()
        return replace(self, phase=phase, since=since, message=message, failed=failed,
                       profile=profile)


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec='seconds')


class Site:
    """
    The folder of one place and camera.

    ``recording/`` holds the frames, ``run/`` the adaptation, ``profiles/`` and ``current.json``
    what came of it, ``state.json`` what goes on.

    :param folder: made by :meth:`open` where it does not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        """Name the files."""
        self.folder = Path(folder).expanduser()
        self.recording = self.folder / 'recording'
        self.run = self.folder / 'run'
        self.state_file = self.folder / 'state.json'
        self.trainer_lock = self.folder / '.trainer.lock'
        self._lock: Any = None

    def profile(self, name: str) -> Path:
        """Return the file of a profile in the store."""
        return self.folder / 'profiles' / f'{name}.safetensors'

    def open(self) -> State:
        """
        Make the folder, lock it against other nodes and return the state that it was left in.

        :raises SiteError: when it cannot be written or another node uses it.
        """
        try:
            # With this in it the depth node takes the folder for a store without profiles.
            (self.folder / 'profiles').mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / '.node.lock').open('a+')
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            self._lock = None
            raise SiteError(f'site {self.folder}: another adaptation node uses it; end that one '
                            'or set the parameter site to another folder') from error
        except OSError as error:
            raise SiteError(f'site {self.folder}: cannot write there ({error.strerror}); set the '
                            'parameter site to a folder that can be written') from error
        return self.load()

    def close(self) -> None:
        """Let another node use the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def load(self) -> State:
        """Return the saved state; a damaged file is a site at rest, which loses no data."""
        try:
            values = json.loads(self.state_file.read_text(encoding='utf-8'))
            known = {entry.name for entry in fields(State)}
            state = State(**{name: value for name, value in values.items() if name in known})
        except FileNotFoundError:
            return State(since=now())
        except (OSError, ValueError, TypeError, AttributeError):
            state = State(phase='')
        if state.phase in PHASES:
            return state
        return State(since=now(), failed=True, message=(
            f'{self.state_file} was damaged and is written anew; the recording and the profiles '
            'are kept: call ~/status'))

    def save(self, state: State) -> None:
        """
        Write the state so that a power cut leaves the former one or this one.

        :raises SiteError: when the disk is full or gone.
        """
        try:
            write_json(self.state_file, asdict(state))
        except OSError as error:
            raise SiteError(f'{self.state_file}: cannot write ({error.strerror}); make room on '
                            'the disk') from error


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a JSON file at once, after its bytes are on the disk."""
    write_whole(path, json.dumps(values, indent=1).encode(), durable=True)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where the file is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
