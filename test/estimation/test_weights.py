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

"""Weight files: whole or refused, with a message that names the file; nothing is unpickled."""

from collections.abc import Callable
import dataclasses
import hashlib
import json
from pathlib import Path
import pickle

import pytest
from safetensors.torch import save_file
import torch

from mde_ros.estimation import weights as module
from mde_ros.estimation.weights import (
    FORMAT, load_card, load_weights, save_weights, SHIPPED, WeightCard, weights_path,
    WeightsError)
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', 4, 'film', 'separate', 200., .2, 50.)


def network(config: NetworkConfig = TINY) -> DepthNetwork:
    """Return a tiny network that is not as it starts."""
    torch.manual_seed(5)
    made = DepthNetwork(config)
    with torch.no_grad():
        for value in made.state_dict().values():
            value.add_(torch.rand_like(value))
    return made


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a good weight file."""
    save_weights(tmp_path / 'good', network(), WeightCard('tiny', TINY, 32 * 48))
    return tmp_path / 'good.safetensors'


def edit_card(path: Path, **fields: object) -> None:
    """Set fields of a weight file's card."""
    card = json.loads(path.with_suffix('.json').read_text())
    path.with_suffix('.json').write_text(json.dumps({**card, **fields}))


def replace_data(path: Path, data: bytes) -> None:
    """Write other data whose hash the card confirms, so that it is the content that counts."""
    path.write_bytes(data)
    edit_card(path, sha256=hashlib.sha256(data).hexdigest())


def test_round_trip(tmp_path: Path) -> None:
    card = WeightCard(
        'kitchen', TINY, 1536, (.3, 12.5), [{'name': 'rooms', 'licence': 'Apache-2.0'}],
        {'seed': 3}, {'rooms': {'abs_rel': .1}}, ['notice'])
    original = network()
    written = save_weights(tmp_path / 'deep' / 'w.safetensors', original, card)
    read, again = load_weights(tmp_path / 'deep' / 'w.safetensors')
    assert again == written == dataclasses.replace(card, sha256=written.sha256)
    assert again.sha256 == hashlib.sha256(
        (tmp_path / 'deep' / 'w.safetensors').read_bytes()).hexdigest()
    assert again.model_id == f'kitchen-{written.sha256[:8]}'
    assert not read.training
    assert read.config == TINY
    for name, value in original.state_dict().items():
        assert torch.equal(read.state_dict()[name], value)
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(read(image), original.eval()(image))
    assert sorted(p.name for p in (tmp_path / 'deep').iterdir()) == ['w.json', 'w.safetensors']


def test_equal_weights_give_equal_files(tmp_path: Path) -> None:
    card = WeightCard('tiny', TINY, 1536)
    first, second = (save_weights(tmp_path / n, network(), card) for n in 'ab')
    assert first.sha256 == second.sha256
    assert (tmp_path / 'a.safetensors').read_bytes() == (tmp_path / 'b.safetensors').read_bytes()


def test_the_card_takes_the_configuration_of_the_network(tmp_path: Path) -> None:
    save_weights(tmp_path / 'w', network(), WeightCard('tiny', NetworkConfig(), 1536))
    assert load_card(tmp_path / 'w').network == TINY


@pytest.mark.parametrize('kind', [str, Path])
@pytest.mark.parametrize('form', ['{}', '{}.safetensors', '{}.json'])
def test_any_form_of_the_path_is_understood(saved: Path, form: str,
                                            kind: Callable[[str], str | Path]) -> None:
    assert load_weights(kind(form.format(saved.with_suffix(''))))[1].name == 'tiny'


def test_a_dot_may_be_part_of_the_name(tmp_path: Path) -> None:
    for version in ('1.1', '1.2'):
        save_weights(tmp_path / f'indoor_v{version}', network(), WeightCard(version, TINY, 1536))
    assert [load_card(tmp_path / f'indoor_v{v}').name for v in ('1.1', '1.2')] == ['1.1', '1.2']


def test_shipped_names_the_packaged_weights(monkeypatch: pytest.MonkeyPatch,
                                            tmp_path: Path) -> None:
    assert weights_path(SHIPPED) == Path(module.__file__).parents[1] / 'weights/base.safetensors'
    monkeypatch.setattr(module, 'SHIPPED_FOLDER', tmp_path)
    save_weights(tmp_path / 'base', network(), WeightCard('packaged', TINY, 1536))
    assert load_weights(SHIPPED)[1].name == 'packaged'


def test_the_packaged_weights_load_where_they_are() -> None:
    if not weights_path(SHIPPED).exists():
        pytest.skip('this checkout has no packaged weights')
    packaged, card = load_weights(SHIPPED)
    assert weights_path(SHIPPED).stat().st_size < 15e6
    assert card.data and all(entry.get('licence') for entry in card.data)
    with torch.no_grad():
        assert packaged(torch.zeros(1, 3, 64, 64)).isfinite().all()


def test_empty_path() -> None:
    with pytest.raises(WeightsError, match=r'give a \.safetensors file, or shipped'):
        load_weights('')


def refused(path: Path, *words: str) -> None:
    """Check that a weight file is refused with one line that has its name and the words."""
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    message = str(caught.value)
    assert '\n' not in message
    assert path.stem in message
    for word in words:
        assert word in message


def test_missing_files(saved: Path) -> None:
    refused(saved.with_name('other.safetensors'), 'other.json: no such weight card')
    card = saved.with_suffix('.json')
    text = card.read_text()
    card.unlink()
    refused(saved, 'good.json: no such weight card', 'mde train')
    card.write_text(text)
    saved.unlink()
    refused(saved, 'good.safetensors: cannot be read: No such file')


def test_a_flipped_bit_is_found(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    data[-7] ^= 1
    saved.write_bytes(data)
    refused(saved, 'sha256', 'damaged or belongs to another card')


@pytest.mark.parametrize('size', [0, 5, 1000])
def test_truncated_files(saved: Path, size: int) -> None:
    data = saved.read_bytes()[:size]
    saved.write_bytes(data)
    refused(saved, 'sha256')
    replace_data(saved, data)
    refused(saved, 'not a safetensors file')


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Return what unpickling calls."""
        return open, (str(self.path), 'w')


@pytest.mark.parametrize('form', ['pickle', 'torch'])
def test_a_pickle_is_never_unpickled(saved: Path, tmp_path: Path, form: str) -> None:
    trace = tmp_path / 'executed'
    if form == 'pickle':
        replace_data(saved, pickle.dumps(Bomb(trace)))
    else:
        torch.save(Bomb(trace), tmp_path / 'file.pt')
        replace_data(saved, (tmp_path / 'file.pt').read_bytes())
    refused(saved, 'not a safetensors file')
    assert not trace.exists()


def test_foreign_tensors(saved: Path, tmp_path: Path) -> None:
    save_file({'model.weight': torch.zeros(3)}, tmp_path / 'foreign')
    replace_data(saved, (tmp_path / 'foreign').read_bytes())
    refused(saved, 'another architecture', 'tensors missing', '1 unknown')


@pytest.mark.parametrize('change', [
    {'encoder_width': 1.0}, {'decoder': 'dense'}, {'style_channels': 0}, {'affine': 'shared'}])
def test_weights_of_another_architecture(saved: Path, change: dict[str, object]) -> None:
    edit_card(saved, network={**TINY.to_dict(), **change})
    refused(saved, 'another architecture')


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    broken = network()
    broken.decoder.head.bias.data.fill_(float('nan'))
    save_weights(tmp_path / 'nan', broken, WeightCard('nan', TINY, 1536))
    refused(tmp_path / 'nan.safetensors', 'not finite')


@pytest.mark.parametrize(('text', 'words'), [
    ('{"format": ', 'not a readable JSON card'), ('', 'not a readable JSON card'),
    ('[1]', 'not a weight card'), ('{}', f"format 'None' where '{FORMAT}' was expected"),
    ('{"format": "mde_ros weights 99"}', "format 'mde_ros weights 99'"),
    (f'{{"format": "{FORMAT}"}}', "the card field 'network' is missing")])
def test_wrong_cards(saved: Path, text: str, words: str) -> None:
    saved.with_suffix('.json').write_text(text)
    refused(saved, 'good.json', words)


def test_a_card_that_is_no_text(saved: Path) -> None:
    saved.with_suffix('.json').write_bytes(b'\xff\xfe\x00')
    refused(saved, 'not a readable JSON card')


@pytest.mark.parametrize(('field', 'value', 'words'), [
    ('network', {**TINY.to_dict(), 'attention': 2}, 'attention are unknown to this version'),
    ('network', {**TINY.to_dict(), 'decoder': 'wide'}, "decoder = 'wide'"),
    ('network', None, 'wrong'), ('depth_range', 5, 'wrong'), ('depth_range', [1], 'wrong'),
    ('input_area', 'large', 'wrong'), ('input_area', 0, 'input_area = 0: must be positive'),
    ('name', None, "'name' must be a str"), ('sha256', None, "'sha256' must be a str"),
    ('data', {}, "'data' must be a list"), ('metrics', [], "'metrics' must be a dict")])
def test_wrong_card_fields_are_named(saved: Path, field: str, value: object,
                                     words: str) -> None:
    edit_card(saved, **{field: value})
    refused(saved, 'good.json', words)


def test_fields_of_a_newer_card_are_passed_over(saved: Path) -> None:
    edit_card(saved, weather='fog')
    assert load_weights(saved)[1].name == 'tiny'


def test_a_crash_while_saving_is_found(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes(), saved.with_suffix('.json').read_text()

    def crash(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    other = network()
    other.style_code.fill_(9)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module.os, 'replace', crash)
        save_weights(saved, other, WeightCard('new', TINY, 1536))
    assert (saved.read_bytes(), saved.with_suffix('.json').read_text()) == before
    assert load_weights(saved)[1].name == 'tiny'

    replace, done = module.os.replace, []

    def crash_later(source: Path, target: Path) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(replace(source, target))

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module.os, 'replace', crash_later)
        save_weights(saved, other, WeightCard('new', TINY, 1536))
    # New tensors beside the old card: noticed, not used.
    refused(saved, 'belongs to another card')
