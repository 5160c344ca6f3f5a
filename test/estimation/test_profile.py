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

"""Profiles: only what changed, for one base, whole or refused with the file's name."""

import hashlib
import json
import os
from pathlib import Path
import pickle
from typing import Any

import pytest
from safetensors.torch import load_file, save
import torch

from mde_ros.estimation import profile as module
from mde_ros.estimation.profile import (
    apply_profile, changed_tensors, load_card, load_profile, profile_file, ProfileError,
    save_profile, SiteScale, write_atomically)
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.network.fold import fold_network

TINY = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', 4, 'film', 'separate', 200., .2, 50.)


def network() -> DepthNetwork:
    """Return a tiny network that is not as it starts."""
    torch.manual_seed(5)
    made = DepthNetwork(TINY)
    with torch.no_grad():
        for value in made.state_dict().values():
            value.add_(torch.rand_like(value) * .02)  # more saturates every activation
    return made.eval()


def changed(base: DepthNetwork, *names: str) -> DepthNetwork:
    """Return a copy in which every element of the named tensors is 0.5 larger."""
    other = network()
    other.load_state_dict(base.state_dict())
    with torch.no_grad():
        for name in names:
            other.state_dict()[name].add_(.5)
    return other


@pytest.fixture
def base(tmp_path: Path) -> tuple[DepthNetwork, WeightCard]:
    """Return saved base weights."""
    made = network()
    return made, save_weights(tmp_path / 'w', made,
                              WeightCard('tiny', TINY, 32 * 48, notices=['CC BY']))


@pytest.fixture
def saved(tmp_path: Path, base: tuple[DepthNetwork, WeightCard]) -> Path:
    """Return a good profile that changes the style code and the head."""
    save_profile(tmp_path / 'good', *base, changed(base[0], 'style_code', 'decoder.head.bias'),
                 name='hall')
    return tmp_path / 'good.safetensors'


def test_only_what_runs_on_the_robot_and_differs_is_kept() -> None:
    base = network()
    names = {name for name, _ in base.named_parameters()} | {name for name, _ in
                                                            base.named_buffers()}
    everything = changed_tensors(base, changed(base, *names))
    left_out = {name for name in names if '.source_' in name or name.startswith('style_enc')}
    assert len(left_out) > 20 and set(everything) == names - left_out
    assert 'content_encoder.stem.norm.target_mean' in everything
    assert set(changed_tensors(base, changed(base, 'style_code'))) == {'style_code'}
    assert changed_tensors(base, changed(base)) == {}


def test_round_trip(tmp_path: Path, base: tuple[DepthNetwork, WeightCard]) -> None:
    adapted = changed(base[0], 'style_code', 'decoder.head.bias',
                      'content_encoder.stem.norm.source_mean')
    scale = SiteScale(.7, .05, 'tape', 1)
    written = save_profile(
        tmp_path / 'deep' / 'kitchen_v1.2', *base, adapted, name='kitchen', camera='front',
        scale=scale, intrinsics={'width': 4}, method='site', report={'accepted': True},
        created='2026-01-02T03:04:05+00:00')
    path = tmp_path / 'deep' / 'kitchen_v1.2.safetensors'
    tensors, card = load_profile(path)
    assert card == written and load_card(path) == card
    assert (card.name, card.camera, card.base_name) == ('kitchen', 'front', 'tiny')
    assert card.base_sha256 == base[1].sha256 and card.notices == ['CC BY']
    assert card.scale == scale and card.method == 'site' and card.report == {'accepted': True}
    assert card.intrinsics == {'width': 4} and card.created == '2026-01-02T03:04:05+00:00'
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(tensors) == {'style_code', 'decoder.head.bias'}
    assert json.loads(path.with_suffix('.json').read_text())['format'] == 'mde_ros profile 1'
    assert sorted(p.name for p in path.parent.iterdir()) == [
        'kitchen_v1.2.json', 'kitchen_v1.2.safetensors']


def test_the_applied_network_is_the_adapted_one_on_the_robot(
        tmp_path: Path, base: tuple[DepthNetwork, WeightCard]) -> None:
    norm = 'content_encoder.stem.norm.'
    adapted = changed(base[0], 'style_code', norm + 'target_mean', norm + 'target_bias',
                      norm + 'source_mean')
    save_profile(tmp_path / 'p', *base, adapted, name='p')
    image = torch.rand(1, 3, 32, 64) * 2 - 1
    before = base[0].state_dict()
    old = {name: value.clone() for name, value in before.items()}
    applied = apply_profile(*base, tmp_path / 'p')
    with torch.inference_mode():
        wanted, got = (fold_network(net)(image) for net in (adapted, applied))
        plain = fold_network(base[0])(image)
    assert torch.equal(wanted, got) and not torch.allclose(plain, got)
    assert not applied.training
    assert all(torch.equal(old[name], value) for name, value in before.items()), 'base changed'


def test_a_profile_may_be_a_scale_alone(tmp_path: Path,
                                        base: tuple[DepthNetwork, WeightCard]) -> None:
    cards = [save_profile(tmp_path / f'{factor}', *base, base[0], name='site', created='now',
                          scale=SiteScale(factor, None, 'tape', 1)) for factor in (.5, 2.)]
    tensors, card = load_profile(tmp_path / '0.5')
    assert tensors == {} and card.scale.factor == .5
    # The hash covers the scale, so that the two have different ids.
    assert cards[0].profile_id != cards[1].profile_id
    assert torch.equal(apply_profile(*base, (tensors, card)).style_code, base[0].style_code)


def test_another_base_is_refused_by_name(saved: Path,
                                         base: tuple[DepthNetwork, WeightCard]) -> None:
    other = WeightCard('other', TINY, 32 * 48, sha256='f' * 64)
    with pytest.raises(ProfileError, match=f"{saved}: made for the weights 'tiny' "
                       rf"\({base[1].sha256[:8]}\), not for 'other' \(ffffffff\)"):
        apply_profile(base[0], other, saved)
    with pytest.raises(ProfileError, match="profile 'hall': made for the weights 'tiny'"):
        apply_profile(base[0], other, load_profile(saved))


def rewrite(path: Path, data: bytes) -> None:
    """Write other data whose hash the card confirms, so that it is the content that counts."""
    path.write_bytes(data)
    card = path.with_suffix('.json')
    card.write_text(json.dumps({**json.loads(card.read_text()),
                                'sha256': hashlib.sha256(data).hexdigest()}))


def inside(path: Path) -> dict[str, str]:
    """Return the metadata of good data."""
    values = {**json.loads(path.with_suffix('.json').read_text()), 'sha256': ''}
    return {'card': json.dumps(values)}


def test_any_damage_is_refused_with_the_file(saved: Path) -> None:
    data = saved.read_bytes()
    for wrong in (b'', data[:-1], data[:len(data) // 2], data + b'\0',
                  data[:-1] + bytes([data[-1] ^ 1])):
        saved.write_bytes(wrong)
        with pytest.raises(ProfileError, match=f'{saved}: sha256 .* copy both again'):
            load_profile(saved)
    saved.unlink()
    with pytest.raises(ProfileError, match=f'{saved}: cannot be read: No such file'):
        load_profile(saved)


def test_nothing_is_unpickled(saved: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.system, ('exit 1',)
    for data in (pickle.dumps(Bomb()), b'PK\3\4' + bytes(60), bytes(8), b'\xff' * 64):
        rewrite(saved, data)
        with pytest.raises(ProfileError, match=f'{saved}: not a safetensors file'):
            load_profile(saved)


@pytest.mark.parametrize('text', [
    '', '{', '[]', 'null', '\xff', '[' * 100_000, '{"format": "mde_ros weights 1"}'])
def test_a_damaged_card_is_refused_with_the_file(saved: Path, text: str) -> None:
    card = saved.with_suffix('.json')
    card.write_bytes(text.encode('latin-1'))
    with pytest.raises(ProfileError, match=str(card)):
        load_profile(saved)


def test_a_missing_card_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r'none\.json: no such profile card; give'):
        load_profile(tmp_path / 'none')
    with pytest.raises(ProfileError, match="profile ''|profile '.'"):
        load_profile('')


def test_a_card_that_was_changed_is_refused(saved: Path) -> None:
    card = saved.with_suffix('.json')
    values = json.loads(card.read_text())
    values['scale']['factor'] = 3.
    card.write_text(json.dumps(values))
    with pytest.raises(ProfileError, match=r'its card good\.json was changed'):
        load_profile(saved)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_values_that_are_not_finite_are_refused(
        tmp_path: Path, saved: Path, base: tuple[DepthNetwork, WeightCard],
        value: float) -> None:
    tensors = load_file(saved)
    tensors['style_code'][1] = value
    rewrite(saved, save(tensors, inside(saved)))
    with pytest.raises(ProfileError, match=f'{saved}: holds values that are not finite'):
        load_profile(saved)
    adapted = changed(base[0], 'style_code')
    adapted.style_code[1] = value
    with pytest.raises(ProfileError, match=r'new\.safetensors: holds values .* not finite'):
        save_profile(tmp_path / 'new', *base, adapted, name='new')
    assert not list(tmp_path.glob('new*'))


@pytest.mark.parametrize('tensors', [
    {'style_code': torch.zeros(3)}, {'style_code': torch.zeros(4, dtype=torch.float64)},
    {'unknown': torch.zeros(4)}, {'content_encoder.stem.norm.source_mean': torch.zeros(8)}])
def test_tensors_that_do_not_fit_are_named(
        saved: Path, base: tuple[DepthNetwork, WeightCard],
        tensors: dict[str, torch.Tensor]) -> None:
    rewrite(saved, save(tensors, inside(saved)))
    with pytest.raises(ProfileError, match=f"{saved}: tensor '{next(iter(tensors))}'"):
        apply_profile(*base, saved)


def test_what_cannot_be_saved_says_why(tmp_path: Path,
                                       base: tuple[DepthNetwork, WeightCard]) -> None:
    with pytest.raises(ProfileError, match="base weights 'tiny' have no sha256"):
        save_profile(tmp_path / 'p', base[0], WeightCard('tiny', TINY, 4), base[0], name='p')
    with pytest.raises(ProfileError, match='another configuration'):
        save_profile(tmp_path / 'p', *base, DepthNetwork(NetworkConfig(.125)), name='p')
    for report in ({'x': float('nan')}, {'x': Path('y')}):
        with pytest.raises(ProfileError, match='must be JSON'):
            save_profile(tmp_path / 'p', *base, base[0], name='p', report=report)
    (tmp_path / 'file').write_text('')
    with pytest.raises(ProfileError, match=r'file/p\.safetensors: cannot be written'):
        save_profile(tmp_path / 'file' / 'p', *base, base[0], name='p')
    assert not list(tmp_path.glob('p*'))


def test_notices_and_time(tmp_path: Path, base: tuple[DepthNetwork, WeightCard]) -> None:
    card = save_profile(tmp_path / 'p', *base, base[0], name='p', notices=['own'])
    assert card.notices == ['own'] and card.created.endswith('+00:00')


def test_a_failed_write_leaves_the_old_content(tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'file'
    write_atomically(path, b'old')

    def full(_: int) -> None:
        raise OSError(28, 'No space left on device')
    with monkeypatch.context() as patch:
        patch.setattr(module.os, 'fsync', full)
        with pytest.raises(ProfileError, match=f'{path}: cannot be written: No space left'):
            write_atomically(path, b'new')
    assert path.read_bytes() == b'old' and [p.name for p in tmp_path.iterdir()] == ['file']
    write_atomically(path, b'new')
    assert path.read_bytes() == b'new'


def test_content_reaches_the_disk_before_its_name(tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(module.os, 'fsync', lambda f: (calls.append('sync'), fsync(f)))
    monkeypatch.setattr(module.os, 'replace', lambda a, b: (calls.append('name'), replace(a, b)))
    write_atomically(tmp_path / 'file', b'new')
    assert calls == ['sync', 'name', 'sync']


def test_names_of_files() -> None:
    for given in ('a/p', 'a/p.json', 'a/p.safetensors'):
        assert profile_file(given) == Path('a/p.safetensors')
    assert profile_file('a/v1.2') == Path('a/v1.2.safetensors')
