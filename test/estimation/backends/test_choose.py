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

"""Choosing a back end: by name, by measurement, from the cache, from a file."""

from collections.abc import Callable
from pathlib import Path
import time

from backend_checks import check, SPEC
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.estimation.backends import choose
from mde_ros.estimation.backends.base import Backend, BackendError, EngineSpec
from mde_ros.estimation.backends.cache import EngineCache, network_digest
from mde_ros.estimation.backends.choose import check_backend, Engines, measure, noise
from mde_ros.estimation.backends.engine_file import EngineCard, save_engine
from mde_ros.network.depth_network import DepthNetwork


class Stub(Backend):
    """Depth is a constant, after some seconds."""

    def __init__(self, name: str, seconds: float = 0., depth: float = 1.) -> None:
        super().__init__(SPEC)
        self.name, self._seconds = name, seconds
        self._depth = np.full(SPEC.output_shape, depth, np.float32)

    def run(self) -> NDArray[np.float32]:
        time.sleep(self._seconds)
        return self._depth


def fails(words: str) -> Callable[[], Backend]:
    """Return a maker that fails."""
    def make() -> Backend:
        raise BackendError(words)
    return make


@pytest.mark.parametrize('name', ['torch', 'onnx', 'openvino', 'auto'])
def test_every_back_end_by_its_name(network: DepthNetwork, name: str) -> None:
    engines = Engines(network, 'm', backend=name, threads=1)
    engine = engines.of(64, 48)
    assert engines.of(64, 48) is engine
    check(engine, network, 1e-4)
    if name != 'auto':
        assert engines.description == f'{name} fp32 on cpu'
    check(engines.of(80, 48, 2), network, 1e-4)


@pytest.mark.parametrize(('options', 'words'), [
    ({'backend': 'tpu'}, "backend 'tpu': use one of auto, torch"),
    ({'precision': 'fp64'}, "precision 'fp64': use one of fp32"),
    ({'precision': 'int8'}, 'needs a calibration: run mde export --precision int8'),
    ({'backend': 'onnx', 'precision': 'bf16'}, "backend 'onnx' has fp32, int8"),
    ({'device': 'toaster'}, "device 'toaster' cannot be used"),
    ({'engine': '/no/such'}, 'engine /no/such.onnx: no such file')])
def test_what_is_not_there_is_refused_at_once(network: DepthNetwork, options: dict[str, str],
                                              words: str) -> None:
    with pytest.raises(BackendError, match=words):
        Engines(network, 'm', **options)  # type: ignore[arg-type]


def test_a_library_that_is_missing_is_an_error_by_name_and_skipped_by_auto(
        network: DepthNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    from mde_ros.estimation.backends import base
    plain = base.find_spec
    monkeypatch.setattr(base, 'find_spec', lambda name: None if name in (
        'openvino', 'onnxruntime') else plain(name))
    for name, package in (('openvino', 'openvino'), ('onnx', 'onnxruntime')):
        with pytest.raises(BackendError, match=f"backend '{name}' needs {package}: pip install"):
            check_backend(name, 'fp32')
    engines = Engines(network, 'm', backend='auto')
    assert engines.of(64, 48).name == 'torch'
    assert list(engines.measured) == ['torch']


def test_the_fastest_that_agrees_is_measured() -> None:
    found = measure({'slow': lambda: Stub('slow', .003), 'fast': lambda: Stub('fast', .0005),
                     'wrong': lambda: Stub('wrong', depth=1.01), 'absent': fails('not here')},
                    Stub('reference'), 1e-3)
    assert set(found) == {'slow', 'fast'}
    assert found['fast'] < found['slow']
    with pytest.raises(BackendError, match="run the network: not here; backend 'x' differs from "
                       'torch by 1.0%'):
        measure({'absent': fails('not here'), 'x': lambda: Stub('x', depth=1.01)},
                Stub('reference'), 1e-3)


def test_the_decision_is_kept_between_runs_and_made_again_when_it_fails(
        network: DepthNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[float] = []

    def decide(makers: object, reference: object, tolerance: float) -> dict[str, float]:
        measured.append(tolerance)
        return {'torch': 2., ('onnx', 'openvino')[len(measured) - 1]: 1.}
    monkeypatch.setattr(choose, 'measure', decide)

    def chosen() -> str:
        return Engines(network, 'm', backend='auto', cache=EngineCache(tmp_path)).of(64, 48).name
    assert chosen() == 'onnx'
    assert chosen() == 'onnx'
    assert measured == [choose.TOLERANCE]
    plain = Engines._named

    def without_onnx(self: Engines, name: str, spec: object) -> Backend:
        if name == 'onnx':
            raise BackendError('gone')
        return plain(self, name, spec)  # type: ignore[arg-type]
    monkeypatch.setattr(Engines, '_named', without_onnx)
    assert chosen() == 'openvino'


def test_an_engine_file_is_run_and_refused_for_another_network(
        network: DepthNetwork, graph: bytes, tmp_path: Path) -> None:
    save_engine(tmp_path / 'e', graph, EngineCard(
        'm', network_digest(network), 'onnx', 64, 48, 'fp32'))
    engines = Engines(network, 'm', backend='onnx', precision='bf16', engine=str(tmp_path / 'e'))
    assert engines.file_size == (64, 48)
    assert engines.file_batch == 1
    assert engines.precision == 'fp32'  # the file's
    check(engines.of(64, 48), network, 1e-4)
    with pytest.raises(BackendError, match='run mde export --size 80x48'):
        engines.of(80, 48)
    with pytest.raises(BackendError, match="backend 'torch' cannot run it"):
        Engines(network, 'm', backend='torch', engine=str(tmp_path / 'e'))
    assert Engines(network, 'm', backend='auto', engine=str(tmp_path / 'e')).of(
        64, 48).name in ('onnx', 'openvino')
    network.decoder.head.bias.add_(1)
    with pytest.raises(BackendError, match='made from m, not from n'):
        Engines(network, 'n', backend='onnx', engine=str(tmp_path / 'e')).of(64, 48)


def test_the_graph_comes_from_the_cache(network: DepthNetwork, tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    first = Engines(network, 'm', backend='onnx', cache=EngineCache(tmp_path)).graph(SPEC)
    monkeypatch.setattr(choose, '_graph', lambda *_: pytest.fail('made again'))
    assert Engines(network, 'm', backend='onnx', cache=EngineCache(tmp_path)).graph(SPEC) == first


def test_engines_of_all_batches_are_made_with_the_first_of_a_size(
        network: DepthNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[EngineSpec] = []
    plain = Engines._made

    def noted(self: Engines, spec: EngineSpec) -> Backend:
        made.append(spec)
        return plain(self, spec)
    monkeypatch.setattr(Engines, '_made', noted)
    engines = Engines(network, 'm', batch=3)
    assert engines.of(64, 48, 2).spec.batch == 2
    assert sorted(spec.batch for spec in made) == [1, 2, 3]
    for count in (1, 2, 3):
        check(engines.of(64, 48, count), network, 1e-4)
    assert len(made) == 3
    engines.of(64, 48, 4)
    assert [spec.batch for spec in made[3:]] == [4]
    # Room is made by sizes, so that no batch of a size in use goes.
    for number in range(choose.KEPT - 1):
        engines.of(16, 16 + 16 * number)
    count = len(made)
    engines.of(64, 48, 3)
    assert len(made) == count


def test_an_engine_that_cannot_be_made_leaves_those_that_can(
        network: DepthNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Engines._made

    def small(self: Engines, spec: EngineSpec) -> Backend:
        if spec.batch > 1:
            raise BackendError('out of memory')
        return plain(self, spec)
    monkeypatch.setattr(Engines, '_made', small)
    engines = Engines(network, 'm', batch=2)
    with pytest.raises(BackendError, match='out of memory'):
        engines.of(64, 48)
    check(engines.of(64, 48), network, 1e-4)


def test_few_engines_are_kept(network: DepthNetwork) -> None:
    engines = Engines(network, 'm')
    first = engines.of(16, 16)
    for number in range(choose.KEPT):
        engines.of(32 + 16 * number, 16)
    assert engines.of(16, 16) is not first


def test_noise_is_the_same_every_time_and_covers_odd_sides() -> None:
    assert noise((2, 17, 33, 3)).shape == (2, 17, 33, 3)
    assert np.array_equal(noise((1, 32, 32, 3)), noise((1, 32, 32, 3)))
    assert noise((1, 32, 32, 3)).std() > 30
