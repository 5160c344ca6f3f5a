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
"""Weights of several networks, averaged."""

from pathlib import Path
from types import ModuleType

import pytest
import torch

from mde_ros.estimation.weights import load_card, load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, SIZES


@pytest.fixture(scope='module')
def script(load_script) -> ModuleType:
    return load_script('average_weights')


def network_of(value: float, size: str = 'small') -> DepthNetwork:
    """Return a network of which all numbers are equal."""
    network = DepthNetwork(SIZES[size])
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(value)
    return network


def write(path: Path, value: float, **card: object) -> Path:
    """Write weights that are all equal."""
    save_weights(path, network_of(value), WeightCard(
        path.stem, SIZES['small'], 76800, **card))  # type: ignore[arg-type]
    return path


def test_the_mean_is_weighted(script: ModuleType) -> None:
    mixed = script.average([network_of(1.), network_of(5.)], [3., 1.])
    # (3 * 1 + 1 * 5) / 4
    assert all((tensor == 2).all() for tensor in mixed.state_dict().values())


@pytest.mark.parametrize('shares', [[1.], [1., 0.], [1., -1.], [1., 1., 1.]])
def test_every_network_needs_a_positive_share(script: ModuleType, shares: list[float]) -> None:
    with pytest.raises(ValueError, match='one positive number for each of the 2 networks'):
        script.average([network_of(1.), network_of(5.)], shares)


def test_networks_of_two_sizes_are_refused(script: ModuleType) -> None:
    with pytest.raises(ValueError, match='different configurations'):
        script.average([network_of(1.), network_of(1., 'base')], [1., 1.])


def test_files_shares_and_name(script: ModuleType, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    rooms, tum = {'name': 'rooms', 'frames': 3}, {'name': 'tum', 'frames': 2}
    first = write(tmp_path / 'a.safetensors', 1., data=[rooms], notices=['x'],
                  metrics={'sim': {}})
    second = write(tmp_path / 'b.safetensors', 4., data=[rooms, tum], notices=['x', 'y'],
                   training={'steps': 7})
    out = tmp_path / 'mean.safetensors'
    script.main([str(first), str(second), '--shares', '1', '2', '--name', 'base',
                 '--out', str(out)])
    network, card = load_weights(out)
    assert all((tensor == 3).all() for tensor in network.state_dict().values())
    assert card.name == 'base' and card.data == [rooms, tum] and card.notices == ['x', 'y']
    assert not card.metrics, 'measured on other weights'
    assert [part['id'] for part in card.training['ingredients']] == [
        load_card(first).model_id, load_card(second).model_id]
    assert [part['share'] for part in card.training['ingredients']] == [1., 2.]
    assert '--shares 1 2' in card.training['command']
    assert capsys.readouterr().out.strip() == f'{out}: {card.model_id}'


def test_equal_shares_are_the_default_and_bad_ones_are_named(
        script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(write(tmp_path / f'{name}.safetensors', value))
             for name, value in (('a', 1.), ('b', 3.))]
    out = tmp_path / 'mean.safetensors'
    script.main([*files, '--out', str(out)])
    network, card = load_weights(out)
    assert all((tensor == 2).all() for tensor in network.state_dict().values())
    assert card.name == 'average'
    with pytest.raises(SystemExit):
        script.main([*files, '--shares', '1', '--out', str(out)])
    assert '--shares [1.0]' in capsys.readouterr().err


def test_statistics_are_those_of_the_data_alike_in_both_domains(
        script: ModuleType, tmp_path: Path, rgbd_folder: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, 'BATCH', 4)
    monkeypatch.setattr(script, 'SIZES', ((1., 64, 48),))
    torch.manual_seed(0)
    network = DepthNetwork(SIZES['small'])
    one, two = tmp_path / 'one.safetensors', tmp_path / 'two.safetensors'
    for path in (one, two):
        save_weights(path, network, WeightCard(path.stem, SIZES['small'], 76800))
    out = tmp_path / 'mean.safetensors'
    made = []
    for options in (['--batches', '1'], ['--batches', '1'], ['--batches', '1', '--seed', '5'],
                    ['--batches', '2', '--source-weight', '1']):
        script.main([str(one), str(two), '--source', f'{rgbd_folder}:adapt', '--out', str(out),
                     *options])
        made.append(load_weights(out)[0].state_dict())
    first, again, seed, longer = made
    name = next(key for key in first if key.endswith('target_mean'))
    before = network.state_dict()
    assert not torch.equal(first[name], before[name])
    for key in first:
        assert torch.equal(first[key], again[key])
        if 'source_mean' in key or 'source_var' in key:
            assert torch.equal(first[key], first[key.replace('source_', 'target_')])
        elif 'target_' not in key:
            torch.testing.assert_close(first[key], before[key])
    assert not torch.equal(first[name], seed[name])
    assert not torch.equal(first[name], longer[name])
