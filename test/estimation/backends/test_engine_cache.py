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

"""The cache of engines: keys, damage, folders that cannot be written."""

from dataclasses import replace
import os
from pathlib import Path
from typing import Any

from backend_checks import SPEC
import pytest
import torch

from mde_ros.estimation.backends import cache
from mde_ros.estimation.backends.cache import cache_folder, EngineCache, network_digest
from mde_ros.network.depth_network import DepthNetwork


def test_the_folder_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch,
                                            tmp_path: Path) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert cache_folder() == tmp_path / 'mde_ros' / 'engines'
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
    assert cache_folder() == Path.home() / '.cache' / 'mde_ros' / 'engines'


def test_the_digest_names_every_tensor(network: DepthNetwork) -> None:
    first = network_digest(network)
    assert network_digest(network) == first
    with torch.no_grad():
        network.decoder.head.bias.add_(1e-6)
    assert network_digest(network) != first


@pytest.mark.parametrize('change', [
    {'width': 80}, {'height': 64}, {'precision': 'bf16'}, {'batch': 2}, {'threads': 2}])
def test_the_key_names_everything_that_an_engine_depends_on(
        tmp_path: Path, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = EngineCache(tmp_path)
    key = kept.key('d', SPEC, 'onnx')
    assert kept.key('d', SPEC, 'onnx') == key
    assert kept.key('d', replace(SPEC, **change), 'onnx') != key
    assert kept.key('e', SPEC, 'onnx') != key
    assert kept.key('d', SPEC, 'openvino') != key
    monkeypatch.setattr(cache, 'library_versions', lambda: {'openvino': '0'})
    assert kept.key('d', SPEC, 'onnx') != key
    monkeypatch.undo()
    monkeypatch.setattr(cache, 'processor', lambda: 'another')
    assert kept.key('d', SPEC, 'onnx') != key


def test_content_is_made_once_and_again_when_damaged(tmp_path: Path) -> None:
    kept, made = EngineCache(tmp_path), []

    def make() -> bytes:
        made.append(1)
        return b'engine'
    assert [kept.content('k', 'a', make) for _ in range(2)] == [b'engine'] * 2
    assert len(made) == 1
    for damage in (b'', b'short', (tmp_path / 'k' / 'a').read_bytes()[:-1]):
        (tmp_path / 'k' / 'a').write_bytes(damage)
        assert kept.content('k', 'a', make) == b'engine'
    assert len(made) == 4
    assert [path.name for path in (tmp_path / 'k').iterdir()] == ['a']  # nothing half-written


def test_decisions_are_kept(tmp_path: Path) -> None:
    kept = EngineCache(tmp_path)
    assert kept.decision('k', lambda: {'backend': 'onnx'}) == {'backend': 'onnx'}
    assert kept.decision('k', lambda: {'backend': 'torch'}) == {'backend': 'onnx'}


def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    kept = EngineCache(tmp_path / 'file')
    assert kept.place('k') is None
    assert kept.content('k', 'a', lambda: b'engine') == b'engine'


def test_old_engines_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, 'KEPT', 2)
    kept = EngineCache(tmp_path)
    for age, key in enumerate('abcd'):
        place = kept.place(key)
        assert place is not None
        os.utime(place, (1000 + age, 1000 + age))
    kept.place('e')
    assert {path.name for path in tmp_path.iterdir()} == {'d', 'e'}
