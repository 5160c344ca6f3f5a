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

"""The stored replay of the source: rendered once, copied, damaged, and where nothing renders."""

import json
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

import pytest

from mde_ros.onsite import source_replay
from mde_ros.onsite.adapt_settings import AdaptError
from mde_ros.onsite.source_replay import content_hash, default_folder, ensure_replay
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.renderer import Renderer

SMALL: dict[str, Any] = {'frames': 8, 'seed': 5, 'size': (32, 24)}


@pytest.fixture(scope='module')
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small replay, or skip without OpenGL."""
    try:
        Renderer(16, 16).close()
    except SimulationError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp('replay')
    seen: list[tuple[int, int]] = []
    ensure_replay(folder, report=lambda done, total: seen.append((done, total)), **SMALL)
    assert seen[-1] == (14, 14)
    return folder


def test_two_parts_of_different_rooms_with_depth(rendered: Path) -> None:
    replay = ensure_replay(rendered, **SMALL)
    train, check = replay.train(), replay.check()
    assert (len(train), len(check)) == (8, 6)
    assert all(frame.depth is not None for frame in (*train, *check))
    assert train[0].image.shape == (24, 32, 3)
    assert (train.meta['simulation']['seed'], check.meta['simulation']['seed']) == (5, 1_000_005)
    assert (replay.facts['seed'], replay.facts['frames'], replay.facts['check_frames'],
            replay.facts['size'], replay.facts['licence']) == (5, 8, 6, [32, 24], 'Apache-2.0')
    assert sum(path.stat().st_size for path in rendered.rglob('*') if path.is_file()) < 300_000


def test_the_seed_decides_every_byte(rendered: Path, tmp_path: Path) -> None:
    again = ensure_replay(tmp_path / 'again', **SMALL)
    assert again.facts == json.loads((rendered / 'replay.json').read_text())
    other = ensure_replay(tmp_path / 'other', **{**SMALL, 'seed': 6})
    assert other.facts['hash'] != again.facts['hash']


def test_one_that_is_there_is_taken_and_not_rendered(rendered: Path, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    copied = shutil.copytree(rendered, tmp_path / 'copied')
    monkeypatch.setattr(source_replay, '_render', None)
    assert ensure_replay(copied, frames=99).facts['frames'] == 8


def test_a_killed_rendering_goes_on(rendered: Path, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    half = shutil.copytree(rendered, tmp_path / 'half')
    (half / 'replay.json').unlink()
    shutil.rmtree(half / 'check')
    done: list[int] = []
    facts = ensure_replay(half, report=lambda made, _: done.append(made), **SMALL).facts
    assert facts['hash'] == content_hash(rendered)
    assert done[0] == 14  # nothing of the first part was rendered again


def test_damage_is_found(rendered: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(rendered, tmp_path / 'copied')
    next((copied / 'train' / 'depth').iterdir()).write_bytes(b'cut')
    with pytest.raises(AdaptError, match='copied: its files are not those .* copy the whole'):
        ensure_replay(copied)
    (copied / 'replay.json').write_text('{"format": 1}')
    with pytest.raises(AdaptError, match='no index of a source replay'):
        ensure_replay(copied)
    (copied / 'replay.json').write_text('{')
    with pytest.raises(AdaptError, match='damaged'):
        ensure_replay(copied)


def test_without_opengl_it_says_how_to_get_one(tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    def no_opengl(*_: object) -> None:
        raise SimulationError('no OpenGL without a screen')

    monkeypatch.setattr('mde_ros.simulation.generator.Renderer', no_opengl)
    with pytest.raises(AdaptError) as caught:
        ensure_replay(tmp_path / 'rooms', **SMALL)
    text = str(caught.value)
    assert 'no OpenGL without a screen' in text and '\n' not in text
    assert 'mde adapt --make-replay --replay rooms and copy that folder here' in text


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(AdaptError, match='give --replay another folder'):
        ensure_replay(tmp_path / 'file' / 'below')


def test_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', '/caches')
    assert default_folder() == Path('/caches/mde_ros/replay')
    monkeypatch.delenv('XDG_CACHE_HOME')
    monkeypatch.setenv('HOME', '/home/robot')
    assert default_folder() == Path('/home/robot/.cache/mde_ros/replay')


def test_two_that_want_the_same_wait_for_each_other(rendered: Path, tmp_path: Path) -> None:
    script = ('import sys\nfrom pathlib import Path\n'
              'from mde_ros.onsite.source_replay import ensure_replay\n'
              "if __name__ == '__main__':\n"
              '    print(ensure_replay(Path(sys.argv[1]), 8, 5, (32, 24)).facts["hash"])\n')
    path = tmp_path / 'both.py'
    path.write_text(script)
    both = [subprocess.Popen([sys.executable, str(path), str(tmp_path / 'same')],
                             stdout=subprocess.PIPE, text=True) for _ in range(2)]
    hashes = [process.communicate(timeout=100)[0].strip() for process in both]
    assert hashes == [content_hash(rendered)] * 2
