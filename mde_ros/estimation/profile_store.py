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

"""The profiles of one camera: which is active, and the history that it can go back through."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
import fcntl
import json
import logging
from pathlib import Path
from typing import Any

from mde_ros.estimation.profile import (
    load_profile, profile_file, ProfileCard, ProfileError, write_atomically)

FORMAT = 'mde_ros profile store 1'
CURRENT, BACKUP, PROFILES, LOCK = 'current.json', 'current.backup.json', 'profiles', 'lock'
ADD, ACTIVATE, ROLL_BACK = 'add', 'activate', 'roll_back'

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreEntry:
    """
    One profile of a store.

    :param name: its number, as '0002'.
    :param path: of its safetensors file.
    :param card: None when it is damaged.
    :param active: whether it is the current one.
    :param problem: why it cannot be used, '' when it can.
    """

    name: str
    path: Path
    card: ProfileCard | None
    active: bool
    problem: str = ''


class ProfileStore:
    """
    A folder of numbered profiles, of which one or none is active.

    ``profiles/0001.safetensors`` and ``.json`` are never changed once written; ``current.json``
    names the active one and is replaced atomically, with a copy in ``current.backup.json``:
    a power cut leaves the state before or after. Several processes may use a store.

    :param folder: made by the first :meth:`add`.
    """

    def __init__(self, folder: str | Path) -> None:
        """Remember the folder; nothing is read or written yet."""
        self.folder = Path(folder)

    def add(self, profile: str | Path, why: str = '') -> str:
        """
        Copy a profile into the store, without activating it.

        :param profile: path of a profile written by :func:`~.profile.save_profile`.
        :param why: for the history.
        :return: its name in the store, such as '0001'.
        :raises ProfileError: for a damaged profile, or when the store cannot be written.
        """
        load_profile(profile)
        data, card = profile_file(profile), profile_file(profile).with_suffix('.json')
        with self._changing() as (state, save):
            taken = [int(path.stem) for path in (self.folder / PROFILES).glob('*.*')
                     if path.stem.isdecimal()]
            name = f'{max(taken, default=0) + 1:04d}'
            # The card last: a file without one is no profile.
            for origin in (data, card):
                write_atomically(self._path(name).with_suffix(origin.suffix),
                                 origin.read_bytes())
            save({**state, 'history': [*state['history'], _event(ADD, name, why)]})
        return name

    def activate(self, name: str | None, why: str = '') -> None:
        """
        Make a profile the current one; None means the plain network.

        :raises ProfileError: when the profile is unknown or damaged; the current one stays.
        """
        if name is not None:
            if not name.isdecimal():
                raise ProfileError(f"profile '{name}': give the number that add returned, such "
                                   'as 0001')
            load_profile(self._path(name))
        with self._changing() as (state, save):
            save({**state, 'current': name,
                  'history': [*state['history'], _event(ACTIVATE, name, why)]})

    def roll_back(self, why: str = '') -> str | None:
        """
        Go back to what was active before, past profiles that are damaged.

        :return: what is active now: the name of a profile, or None for the plain network.
        """
        with self._changing() as (state, save):
            active = _active(state)
            name = next((found for found in reversed(active[:-1]) if self._usable(found)), None)
            save({**state, 'current': name,
                  'history': [*state['history'], _event(ROLL_BACK, name, why)]})
        return name

    def current(self, base_sha256: str = '',
                warn: Callable[[str], None] = _log.warning) -> Path | None:
        """
        Return the path of the active profile, None for the plain network.

        Where the active one is missing, damaged or made for other weights, what was active
        before it counts.

        :param base_sha256: of the weights it has to fit; '' takes any.
        :param warn: takes one line for each thing that is not as it should be.
        """
        for name in reversed(_active(self._read(warn))):
            if self._usable(name, base_sha256, warn):
                return None if name is None else self._path(name)
        return None

    def entries(self) -> list[StoreEntry]:
        """Return all profiles of the folder, oldest first."""
        current = self.current()
        found = []
        for path in sorted((self.folder / PROFILES).glob('*.safetensors')):
            card, problem = None, ''
            try:
                card = load_profile(path)[1]
            except ProfileError as error:
                problem = str(error)
            found.append(StoreEntry(path.stem, path, card, path == current, problem))
        return found

    def history(self) -> list[dict[str, Any]]:
        """Return what happened, oldest first: action, name, why, time."""
        history: list[dict[str, Any]] = self._read(_log.warning)['history']
        return history

    def _path(self, name: str) -> Path:
        return self.folder / PROFILES / f'{name}.safetensors'

    def _usable(self, name: str | None, base_sha256: str = '',
                warn: Callable[[str], None] = _log.warning) -> bool:
        """Return whether a profile can be loaded; the plain network always can."""
        if name is None:
            return True
        try:
            card = load_profile(self._path(name))[1]
        except ProfileError as error:
            warn(f'{error}; the profile that was active before it is used')
            return False
        if base_sha256 and card.base_sha256 != base_sha256:
            warn(f"{self._path(name)}: made for the weights '{card.base_name}' "
                 f'({card.base_sha256[:8]}), not for these ({base_sha256[:8]}); what was active '
                 'before it is used: adapt again, or use those weights')
            return False
        return True

    def _read(self, warn: Callable[[str], None]) -> dict[str, Any]:
        """Return the state: of current.json, else of its backup, else an empty one."""
        problems = []
        for path in (self.folder / CURRENT, self.folder / BACKUP):
            try:
                state = _checked(json.loads(path.read_text()))
            except FileNotFoundError:
                problems.append(f'{path} is missing')
            except (OSError, ValueError, RecursionError) as error:
                problems.append(f'{path} is damaged ({error})')
            else:
                if problems:
                    warn(f'{problems[0]}: its copy {BACKUP} is used')
                return state
        if any((self.folder / PROFILES).glob('*.safetensors')):
            warn(f'{"; ".join(problems)}: no profile is active until one is activated again')
        return {'format': FORMAT, 'current': None, 'history': []}

    @contextmanager
    def _changing(self) -> Iterator[tuple[dict[str, Any], Callable[[dict[str, Any]], None]]]:
        """Hold the store for one change; yield its state and what writes a new one."""
        def save(state: dict[str, Any]) -> None:
            data = (json.dumps(state, indent=1) + '\n').encode()
            for name in (CURRENT, BACKUP):
                write_atomically(self.folder / name, data)
        try:
            (self.folder / PROFILES).mkdir(parents=True, exist_ok=True)
            lock = (self.folder / LOCK).open('w')
        except OSError as error:
            raise ProfileError(f'{self.folder}: cannot write there: {error.strerror}') from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._read(_log.warning), save


def resolve_profile(path: str | Path, base_sha256: str = '',
                    warn: Callable[[str], None] = _log.warning) -> Path | None:
    """
    Return the profile that ``path`` names: a profile file, or a store folder's current one.

    :param base_sha256: the weights that a store's profile has to fit; '' takes any.
    :param warn: takes one line for each thing in a store that is not as it should be.
    :return: None for a store without an active profile.
    :raises ProfileError: when there is neither.
    """
    folder = Path(path)
    if not folder.is_dir():
        found = profile_file(path)
        if not found.exists() and not found.with_suffix('.json').exists():
            raise ProfileError(f'{path}: no such profile: give a .safetensors file written by '
                               'mde adapt, or a store folder')
        return found
    known = {CURRENT, BACKUP, PROFILES, LOCK}
    content = {entry.name for entry in folder.iterdir()}
    if content and not content & known:
        inside = sorted(folder.glob('profile.safetensors'))
        raise ProfileError(f'{path}: no profile store: ' + (
            f'give {inside[0]}' if inside else f'it has no {CURRENT}'))
    return ProfileStore(folder).current(base_sha256, warn)


def _event(action: str, name: str | None, why: str) -> dict[str, Any]:
    return {'action': action, 'name': name, 'why': why,
            'time': datetime.now(timezone.utc).isoformat(timespec='seconds')}


def _active(state: dict[str, Any]) -> list[str | None]:
    """Return what was active, one after the other, without what was rolled back."""
    active: list[str | None] = [None]
    for event in state['history']:
        name = event['name']
        if event['action'] == ACTIVATE and name != active[-1]:
            active.append(name)
        elif event['action'] == ROLL_BACK:
            del active[-1:]
            while active and active[-1] != name:
                del active[-1]
            active = active or [None]
    if active[-1] != state['current']:  # written by hand
        active.append(state['current'])
    return active


def _checked(state: Any) -> dict[str, Any]:
    """
    Return a state as it was read.

    :raises ValueError: when it is none.
    """
    if not isinstance(state, dict) or state.get('format') != FORMAT:
        raise ValueError(f"not of the format '{FORMAT}'")
    if not isinstance(state.get('current', 0), (str, type(None))):
        raise ValueError('current must be a name or null')
    history = state.get('history')
    if not isinstance(history, list) or not all(
            isinstance(event, dict) and event.get('action') in (ADD, ACTIVATE, ROLL_BACK)
            and isinstance(event.get('name', 0), (str, type(None))) for event in history):
        raise ValueError('history must be a list of events')
    return state
