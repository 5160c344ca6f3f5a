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

"""A new profile into use and back: the site's store and the depth node that reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mde_ros.errors import MdeError
from mde_ros.nodes.adaptation_process import PROFILE
from mde_ros.nodes.adaptation_state import read_json, Site

if TYPE_CHECKING:
    from mde_ros.estimation.profile_store import ProfileStore

# Seconds for a second request to the depth node, after the first had no answer.
AFTERMATH = 2.0


@dataclass(frozen=True)
class Reply:
    """
    What came of asking the depth node to load its profile.

    :param loaded: whether it says that it did.
    :param message: its answer, or why there is none.
    :param answered: False when it is not there or took too long.
    """

    loaded: bool
    message: str
    answered: bool = True


@dataclass(frozen=True)
class Outcome:
    """Whether something worked, and one line on it that says what to do next."""

    done: bool
    line: str


# Asks the depth node to load; takes the seconds to wait at most, None for the parameter's.
Reload = Callable[[float | None], Reply]


class Swapper:
    """
    Change the active profile of a site and have the depth node load it.

    Every step can be repeated: after a kill, :meth:`swap` is called again and completes what it
    began, or undoes it.
    """

    def __init__(self, site: Site, reload: Reload) -> None:
        """Read nothing yet."""
        self._site, self._reload = site, reload

    @property
    def store(self) -> 'ProfileStore':
        """Return the profiles of the site; it loads PyTorch, which recording does without."""
        from mde_ros.estimation.profile_store import ProfileStore
        return ProfileStore(self._site.folder)

    @property
    def active(self) -> str:
        """Return the name of the active profile, '' for the plain network."""
        # Only named here, every second: the store would read and hash the whole profile.
        return str(read_json(self._site.folder / 'current.json').get('current') or '')

    def add(self, why: str) -> str:
        """
        Keep the profile of the run in the store, once; return its name there.

        :raises mde_ros.estimation.profile.ProfileError: when it is damaged or the disk is full.
        """
        from mde_ros.estimation.profile import load_card
        profile = self._site.run / PROFILE
        digest = load_card(profile).sha256
        for entry in self.store.entries():
            if entry.card is not None and entry.card.sha256 == digest:
                return entry.name
        return self.store.add(profile, why)

    def swap(self, name: str, why: str) -> Outcome:
        """Make a profile the active one; roll it back unless the depth node runs it then."""
        from mde_ros.estimation.profile import load_card
        try:
            self.store.activate(name, why)
            card = load_card(self._site.profile(name))
        except MdeError as error:
            return Outcome(False, f'the old network stays: {error}')
        reply = self._reload(None)
        if reply.loaded and card.profile_id in reply.message.split(' replaces ')[0]:
            return Outcome(True, f'profile {name} is in use: {reply.message}; if the depth is '
                           'worse, call ~/roll_back')
        if reply.loaded:
            problem = (f'the depth node answered "{reply.message}", so it does not use the '
                       f'profiles of this site: set its parameter profile to {self._site.folder} '
                       'and call ~/swap')
        elif reply.answered:
            problem = f'the depth node refused it: {reply.message}'
        else:
            problem = f'{reply.message}; then call ~/swap'
        return Outcome(False, f'profile {name} was rolled back: {problem}'
                       + self._undo(problem, told=reply.answered and not reply.loaded))

    def roll_back(self, why: str) -> Outcome:
        """Go back to the profile before, and have the depth node load it."""
        before = self.active
        if not before:
            return Outcome(False, 'nothing to roll back: the plain network is in use; call '
                           '~/adapt for a profile')
        try:
            name = self.store.roll_back(why)
        except MdeError as error:
            return Outcome(False, f'profile {before} stays: {error}')
        what = 'the plain network' if name is None else f'profile {name}'
        reply = self._reload(None)
        if reply.loaded:
            return Outcome(True, f'rolled back from profile {before} to {what}: {reply.message}')
        return Outcome(False, (
            f'{what} is the active one again, but the depth node has not loaded it: '
            f'{reply.message}; call its service reload_model or restart it'))

    def _undo(self, why: str, told: bool) -> str:
        """Roll back after a failed swap; return what to add to the line, if anything."""
        try:
            self.store.roll_back(why)
        except MdeError as error:
            return f'; and rolling back failed: {error}'
        if not told:
            # It may still be loading, or has loaded something else: let it look again.
            self._reload(AFTERMATH)
        return ''
