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

"""The store: what is active, what was before, and what a damaged disk leaves of it."""

from collections.abc import Callable
import json
from pathlib import Path
import threading

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from mde_ros.estimation.profile import load_card, ProfileError, save_profile, SiteScale
from mde_ros.estimation.profile_store import ProfileStore, resolve_profile
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', 4, 'film', 'separate', 200., .2, 50.)
NETWORK = DepthNetwork(TINY)
CARD = WeightCard('tiny', TINY, 32 * 48, sha256='a' * 64)
OTHER = WeightCard('other', TINY, 32 * 48, sha256='b' * 64)

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return what writes a profile of a given factor."""
    def made(factor: float, card: WeightCard = CARD) -> Path:
        path = tmp_path / 'made' / f'{factor}.safetensors'
        save_profile(path, NETWORK, card, NETWORK, name=f'f{factor}',
                     scale=SiteScale(factor, None, 'tape', 1))
        return path
    return made


@pytest.fixture
def store(tmp_path: Path, make: Make) -> ProfileStore:
    """Return a store of three profiles of which all were active, the last one now."""
    made = ProfileStore(tmp_path / 'store')
    for factor in (1., 2., 3.):
        made.activate(made.add(make(factor), 'adapted'), 'better')
    return made


def name_of(store: ProfileStore, warnings: list[str] | None = None) -> str | None:
    """Return the name of the current profile."""
    path = store.current(warn=(warnings if warnings is not None else []).append)
    return path.stem if path else None


def test_what_is_added_is_not_active_before_it_is_activated(tmp_path: Path, make: Make) -> None:
    store = ProfileStore(tmp_path / 'deep' / 'store')
    assert store.current() is None and store.entries() == [] and store.history() == []
    assert not store.folder.exists(), 'reading made something'
    assert store.add(make(2.), 'five minutes of hall') == '0001'
    assert store.current() is None
    store.activate('0001', 'Abs Rel 0.3 to 0.2')
    path = store.current()
    assert path == store.folder / 'profiles' / '0001.safetensors'
    assert load_card(path).scale.factor == 2.
    entry, = store.entries()
    assert (entry.name, entry.path, entry.active, entry.problem) == ('0001', path, True, '')
    assert entry.card is not None and entry.card.name == 'f2.0'
    assert [(e['action'], e['name'], e['why']) for e in store.history()] == [
        ('add', '0001', 'five minutes of hall'), ('activate', '0001', 'Abs Rel 0.3 to 0.2')]
    assert all(e['time'].endswith('+00:00') for e in store.history())
    said = json.loads((store.folder / 'current.json').read_text())
    assert said['current'] == '0001' and len(said['history']) == 2


def test_roll_back_goes_to_what_was_active_before_and_is_recorded(store: ProfileStore) -> None:
    assert name_of(store) == '0003'
    assert store.roll_back('too far') == '0002'
    assert name_of(store) == '0002'
    store.activate('0001', 'trial')
    assert store.roll_back() == '0002'
    assert store.roll_back() == '0001'
    assert store.roll_back() is None and name_of(store) is None
    assert store.roll_back('again') is None
    assert [e['action'] for e in store.history()][-6:] == [
        'roll_back', 'activate', *['roll_back'] * 4]
    assert [e['name'] for e in store.history()][-4:] == ['0002', '0001', None, None]
    assert [e['why'] for e in store.history() if e['why'] in ('too far', 'again')] == [
        'too far', 'again']
    assert len(store.entries()) == 3


def test_the_plain_network_can_be_activated_and_left(store: ProfileStore) -> None:
    store.activate(None, 'compare')
    assert store.current() is None
    assert store.roll_back() == '0003'


def test_activating_what_is_active_gives_nothing_to_go_back_to(store: ProfileStore) -> None:
    store.activate('0003', 'again')
    assert store.roll_back() == '0002'


def test_what_cannot_be_used_is_not_activated(store: ProfileStore, tmp_path: Path) -> None:
    damaged = store.folder / 'profiles' / '0002.safetensors'
    damaged.write_bytes(b'')
    with pytest.raises(ProfileError, match=str(damaged)):
        store.activate('0002')
    with pytest.raises(ProfileError, match=r'0009\.json: no such profile'):
        store.activate('0009')
    with pytest.raises(ProfileError, match="profile '../made/1.0': give the number"):
        store.activate('../made/1.0')
    with pytest.raises(ProfileError, match='sha256'):
        store.add(damaged)
    assert name_of(store) == '0003' and len(store.history()) == 6


def test_a_missing_or_damaged_profile_gives_way_to_the_one_before(store: ProfileStore) -> None:
    profiles = store.folder / 'profiles'
    (profiles / '0003.json').write_text('{')
    warnings: list[str] = []
    assert name_of(store, warnings) == '0002'
    assert len(warnings) == 1 and '0003.json' in warnings[0] and 'active before' in warnings[0]
    (profiles / '0002.safetensors').unlink()
    assert name_of(store) == '0001'
    data = profiles / '0001.safetensors'
    data.write_bytes(data.read_bytes()[:-3])
    warnings = []
    assert name_of(store, warnings) is None and len(warnings) == 3
    assert [bool(e.problem) for e in store.entries()] == [True, True]
    assert store.entries()[0].card is None


def test_what_was_rolled_back_does_not_come_back_by_damage(store: ProfileStore) -> None:
    store.roll_back('worse')
    (store.folder / 'profiles' / '0002.safetensors').unlink()
    assert name_of(store) == '0001'


def test_roll_back_passes_damaged_profiles(store: ProfileStore) -> None:
    (store.folder / 'profiles' / '0002.json').unlink()
    assert store.roll_back() == '0001'
    assert store.roll_back() is None


@pytest.mark.parametrize('text', [
    '', '{"current": "0003"', 'null', '[]', '{"format": "x", "current": null, "history": []}',
    '{"format": "mde_ros profile store 1", "current": 3, "history": []}',
    '{"format": "mde_ros profile store 1", "current": null, "history": [1]}',
    '{"format": "mde_ros profile store 1", "current": null, "history": [{"action": "add"}]}',
    '{"format": "mde_ros profile store 1", "current": null, "history": 5}',
    '{"format": "mde_ros profile store 1", "history": []}',
    '\xff\xfe', '[' * 100_000, None])
def test_a_damaged_current_json_is_read_from_its_copy(store: ProfileStore,
                                                      text: str | None) -> None:
    file = store.folder / 'current.json'
    file.unlink() if text is None else file.write_bytes(text.encode('latin-1'))
    warnings: list[str] = []
    assert name_of(store, warnings) == '0003'
    assert len(warnings) == 1 and str(file) in warnings[0]
    assert store.roll_back() == '0002', 'the history is lost'
    assert len(json.loads(file.read_text())['history']) == 7


def test_without_both_nothing_is_active_until_it_is_activated(
        store: ProfileStore, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    for name in ('current.json', 'current.backup.json'):
        (store.folder / name).write_text('')
    assert store.current() is None and store.history() == []
    assert 'no profile is active until one is activated again' in caplog.text
    assert store.add(make(4.)) == '0004'
    store.activate('0002')
    assert name_of(store) == '0002'


def test_a_name_is_never_used_twice(store: ProfileStore, make: Make) -> None:
    # A power cut between the two files of a profile leaves this.
    (store.folder / 'profiles' / '0004.safetensors').write_bytes(b'half')
    (store.folder / 'profiles' / '0005.json.part').write_bytes(b'')
    assert store.add(make(4.)) == '0005'


def test_a_current_that_the_history_does_not_know_is_taken(store: ProfileStore) -> None:
    file = store.folder / 'current.json'
    file.write_text(json.dumps({**json.loads(file.read_text()), 'current': '0001'}))
    assert name_of(store) == '0001'
    assert store.roll_back() == '0003'


def test_profiles_of_other_weights_give_way(store: ProfileStore, make: Make) -> None:
    store.activate(store.add(make(5., OTHER)))
    assert name_of(store) == '0004'
    warnings: list[str] = []
    path = store.current(CARD.sha256, warnings.append)
    assert path is not None and path.stem == '0003'
    assert len(warnings) == 1 and "made for the weights 'other' (bbbbbbbb)" in warnings[0]
    assert store.current('c' * 64, warnings.append) is None
    assert len(warnings) == 5


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path, make: Make) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(ProfileError, match=r'file/store: cannot write there'):
        ProfileStore(tmp_path / 'file' / 'store').add(make(1.))


def test_what_a_path_names(store: ProfileStore, make: Make, tmp_path: Path) -> None:
    assert resolve_profile(store.folder) == store.folder / 'profiles' / '0003.safetensors'
    assert resolve_profile(str(make(1.))) == make(1.)
    assert resolve_profile(make(1.).with_suffix('.json')) == make(1.)
    store.activate(None)
    assert resolve_profile(store.folder) is None
    (tmp_path / 'empty').mkdir()
    assert resolve_profile(tmp_path / 'empty') is None
    for path in (tmp_path / 'no', tmp_path / 'no.safetensors'):
        with pytest.raises(ProfileError, match=f'{path}: no such profile'):
            resolve_profile(path)
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'report.json').write_text('{}')
    with pytest.raises(ProfileError, match=r'run: no profile store: it has no current\.json'):
        resolve_profile(tmp_path / 'run')
    (tmp_path / 'run' / 'profile.safetensors').write_bytes(b'')
    with pytest.raises(ProfileError, match=r'give .*run/profile\.safetensors'):
        resolve_profile(tmp_path / 'run')


def test_resolving_passes_on_weights_and_warnings(store: ProfileStore) -> None:
    warnings: list[str] = []
    assert resolve_profile(store.folder, 'c' * 64, warnings.append) is None
    assert len(warnings) == 3


def test_two_writers_lose_nothing(tmp_path: Path, make: Make) -> None:
    path = make(2.)

    def write() -> None:
        for _ in range(5):
            ProfileStore(tmp_path / 'store').add(path)
    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = ProfileStore(tmp_path / 'store')
    assert sorted(e['name'] for e in store.history()) == [f'{i:04d}' for i in range(1, 16)]
    assert [e.name for e in store.entries() if not e.problem] == [
        f'{i:04d}' for i in range(1, 16)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(['1', '2', '3', None, 'back']), max_size=8))
def test_it_behaves_as_a_stack(tmp_path_factory: pytest.TempPathFactory,
                               steps: list[str | None]) -> None:
    folder = tmp_path_factory.mktemp('stack')
    save_profile(folder / 'p', NETWORK, CARD, NETWORK, name='p')
    store = ProfileStore(folder / 'store')
    for _ in range(3):
        store.add(folder / 'p')
    stack: list[str | None] = [None]
    for step in steps:
        if step == 'back':
            stack = stack[:-1] or [None]
            assert store.roll_back() == stack[-1]
        else:
            name = None if step is None else f'000{step}'
            store.activate(name)
            stack += [name] if name != stack[-1] else []
        assert name_of(store) == stack[-1]
