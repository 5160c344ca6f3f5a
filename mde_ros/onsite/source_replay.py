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

"""A stored replay of the source: simulated rooms, rendered once, small enough to copy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import fcntl
from hashlib import blake2b
import json
import os
from pathlib import Path
from typing import Any

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.adapt_settings import AdaptError
from mde_ros.simulation.errors import SimulationError

FRAMES, SEED, SIZE = 240, 40_000, (320, 240)
VIEWS = 6  # of one room
CHECK_SHARE = .2
# Rooms of the held-out part: another seed is another series of rooms.
CHECK_SEED = 1_000_000
INDEX, FORMAT = 'replay.json', 'mde_ros replay 1'
TRAIN, CHECK = 'train', 'check'


@dataclass(frozen=True)
class Replay:
    """
    Two RGB-D folders with depth: one to train on, one of other rooms to check with.

    :param facts: the index: seed, counts, size and the hash of all files.
    """

    folder: Path
    facts: dict[str, Any]

    def train(self) -> RgbdFolder:
        """Open the part for training."""
        return RgbdFolder(self.folder / TRAIN)

    def check(self) -> RgbdFolder:
        """Open the held-out part."""
        return RgbdFolder(self.folder / CHECK)


def default_folder() -> Path:
    """Return the folder below the user's cache, $XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(base).expanduser() / 'mde_ros' / 'replay'


def ensure_replay(folder: Path | None = None, frames: int = FRAMES, seed: int = SEED,
                  size: tuple[int, int] = SIZE, workers: int = 1,
                  report: Callable[[int, int], None] | None = None) -> Replay:
    """
    Return the replay of a folder, rendered there if there is none.

    A replay that is there is taken as it is, whatever it was made with. Rendering that was
    killed goes on; the index is written last.

    :param folder: None for the user's cache.
    :param frames: for training; a fifth as many of other rooms are held out.
    :param seed: of the rooms.
    :param size: (width, height).
    :param workers: processes that render.
    :param report: called with (frames done, frames in all).
    :raises AdaptError: for a damaged replay, and where none can be rendered.
    """
    folder = default_folder() if folder is None else folder
    try:
        with _alone(folder):
            if not (folder / INDEX).exists():
                _render(folder, frames, seed, size, workers, report)
            return _open(folder)
    except OSError as error:
        raise AdaptError(f'{folder}: the source replay cannot be kept there: {error}; give '
                         '--replay another folder') from error


def _open(folder: Path) -> Replay:
    path = folder / INDEX
    try:
        facts = json.loads(path.read_text())
    except ValueError as error:
        raise AdaptError(f'{path}: damaged ({error}); remove {folder} or copy it again'
                         ) from error
    if not isinstance(facts, dict) or facts.get('format') != FORMAT:
        raise AdaptError(f"{path}: no index of a source replay ('format' is not '{FORMAT}')")
    if content_hash(folder) != facts.get('hash'):
        raise AdaptError(f'{folder}: its files are not those that {INDEX} was written for: copy '
                         'the whole folder again, or remove it to render it anew')
    return Replay(folder, facts)


def content_hash(folder: Path) -> str:
    """Return a hash over names and bytes of all pictures, depths and meta.json."""
    found = blake2b(digest_size=16)
    for part in (TRAIN, CHECK):
        for path in sorted((folder / part).rglob('*')):
            if path.is_file() and not path.name.startswith('.'):
                found.update(str(path.relative_to(folder)).encode())
                found.update(path.read_bytes())
    return found.hexdigest()


def _render(folder: Path, frames: int, seed: int, size: tuple[int, int], workers: int,
            report: Callable[[int, int], None] | None) -> None:
    from mde_ros.simulation.generator import generate
    from mde_ros.simulation.scenes import Settings
    checks = max(VIEWS, round(frames * CHECK_SHARE))
    done = 0
    try:
        for part, count, first in ((TRAIN, frames, seed), (CHECK, checks, seed + CHECK_SEED)):
            before = done

            def note(made: int, _total: int, before: int = before) -> None:
                if report:
                    report(before + made, frames + checks)

            generate(folder / part, count, Settings(first, *size, VIEWS), workers, note)
            done += count
    except (SimulationError, ImportError) as error:
        raise AdaptError(
            f'{folder}: no source replay, and rooms cannot be rendered here ({error}): on a '
            f'machine that can, run mde adapt --make-replay --replay {folder.name} and copy that '
            'folder here, or give labelled data by --source') from error
    facts = {'format': FORMAT, 'seed': seed, 'frames': frames, 'check_frames': checks,
             'size': list(size), 'views': VIEWS, 'camera': 'simulated neutral',
             'licence': 'Apache-2.0', 'hash': content_hash(folder)}
    aside = folder / f'.{INDEX}.part'
    aside.write_text(json.dumps(facts, indent=1) + '\n')
    os.replace(aside, folder / INDEX)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let others that want the same replay wait until it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / '.lock'
    try:
        lock = path.open('w')
    except PermissionError:
        # A folder shared by users, which this one may only read.
        if not (folder / INDEX).exists():
            raise
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
