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

"""Before an adaptation: recordings refused, the network to start from, pictures to check with."""

from pathlib import Path
import shutil

from adapt_harness import tiny_network, tiny_settings
import pytest
import torch

from mde_ros.estimation.profile import save_profile
from mde_ros.estimation.profile_card import ProfileError, SiteScale
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.estimation.weights import load_weights
from mde_ros.network.batch_norm import batch_norms
from mde_ros.onsite.adapt_data import open_data
from mde_ros.onsite.adapt_settings import AdaptError
from mde_ros.onsite.adapt_start import check_pictures, refusals, starting_network


def break_images(folder: Path, names: list[str]) -> None:
    """Put bytes that are no picture in the place of these frames."""
    for name in names:
        (folder / 'rgb' / f'{name}.png').write_bytes(b'broken')


def test_a_static_recording_is_refused(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    for path in (tmp_path / 'recording' / 'rgb').iterdir():
        shutil.copy(tmp_path / 'recording' / 'rgb' / '000000.png', path.with_suffix('.tmp'))
        path.with_suffix('.tmp').replace(path)
    assert 'static' in '; '.join(refusals(settings))


def test_data_of_other_kinds_are_not_looked_at(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tiny_settings(tmp_path)
    monkeypatch.setattr('mde_ros.onsite.adapt_start.check_recording', lambda *_: ['looked at'])
    assert refusals(settings) == ['looked at']
    monkeypatch.setattr('mde_ros.onsite.adapt_start.open_target', lambda _: (object(), None))
    assert refusals(settings) == []


def test_a_profile_gives_network_hash_and_scale(tmp_path: Path) -> None:
    tiny_settings(tmp_path)
    base, card = load_weights(str(tmp_path / 'start.safetensors'))
    assert starting_network('', base, card) == (base, '', SiteScale())
    adapted = tiny_network()
    adapted.load_state_dict(base.state_dict())
    with torch.no_grad():
        for layer in batch_norms(adapted):
            for tensor in layer.parameters():
                tensor += .5
    scale = SiteScale(2., None, 'tape', 1)
    profile = save_profile(tmp_path / 'p', base, card, adapted, name='hall', scale=scale)
    store = ProfileStore(tmp_path / 'store')
    store.folder.mkdir()
    assert starting_network(str(store.folder), base, card) == (base, '', SiteScale())
    store.activate(store.add(tmp_path / 'p'))
    for path in (tmp_path / 'p', store.folder):
        network, found, kept = starting_network(str(path), base, card)
        assert (found, kept) == (profile.sha256, scale)
        state, wanted = network.state_dict(), adapted.state_dict()
        assert all(torch.equal(state[name], wanted[name]) for name in wanted)
    with pytest.raises(ProfileError):
        starting_network(str(tmp_path / 'none'), base, card)


def test_pictures_are_of_held_out_frames(tmp_path: Path) -> None:
    data = open_data(tiny_settings(tmp_path))
    targets, sources = check_pictures(data, 3, 32 * 24)
    assert (len(targets), len(sources)) == (3, 3)


@pytest.mark.parametrize(('folder', 'words'), [('recording', 'target'), ('source', 'source')])
def test_no_readable_picture_is_named(tmp_path: Path, folder: str, words: str) -> None:
    data = open_data(tiny_settings(tmp_path))
    held = data.target_check.names if folder == 'recording' else data.source_checks[0].names
    break_images(tmp_path / folder, held)
    with pytest.raises(AdaptError, match=f'no readable held-out frame of the {words}'):
        check_pictures(data, 4, 32 * 24)
