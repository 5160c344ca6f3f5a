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

"""Export: checked against PyTorch, with a card, refused when it differs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.estimation import export as module
from mde_ros.estimation.backends.base import BackendError, EngineSpec
from mde_ros.estimation.backends.cache import network_digest
from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.export import export, ExportError, judge, Material
from mde_ros.estimation.quantise import QuantisationError
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.network.fold import fold_network

SPEC = EngineSpec(64, 48, threads=1)


@pytest.fixture
def network() -> DepthNetwork:
    """Return a small folded network."""
    torch.manual_seed(5)
    made = DepthNetwork(NetworkConfig(.25, (8, 8, 8, 8)))
    with torch.no_grad():
        made.decoder.head.weight.mul_(5)
    return fold_network(made.eval())


def material(worse: float = 0.) -> Material:
    """Return noise; with labels that INT8 is ``worse`` at, relative, when above 0."""
    first = noise((1, 48, 64, 3))[0]
    calls: list[int] = []

    def abs_rel(predictions: Sequence[NDArray[np.float32]]) -> float:
        calls.append(len(predictions))
        return .2 if len(calls) % 2 else .2 * (1 + worse)
    return Material('noise', [first, 255 - first], [np.roll(first, 16, 1)],
                    abs_rel if worse else None)


@pytest.mark.parametrize('backend', ['onnx', 'openvino'])
def test_the_card_says_what_was_made_and_checked(network: DepthNetwork, backend: str,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'LATENCY_RUNS', 3)
    data, card = export(network, 'tiny-1', backend, SPEC, notices=['CC BY'])
    assert (card.model_id, card.backend, card.precision, card.width, card.height, card.batch) == (
        'tiny-1', backend, 'fp32', 64, 48, 1)
    assert card.digest == network_digest(network)
    assert card.check['largest'] < 1e-4 and card.check['tolerance'] == 1e-3
    assert card.check['frames'] == '4 of noise'
    assert set(card.latency_ms) == {'p50', 'p95', 'p99', 'threads'}
    assert card.notices == ['CC BY']
    assert data


def test_int8_is_judged_on_frames_held_out(network: DepthNetwork) -> None:
    _, card = export(network, 'tiny-1', 'onnx', EngineSpec(64, 48, 'int8', threads=1),
                     material(.015))
    assert card.calibration['bounded'] == pytest.approx(.015)
    assert card.calibration['abs_rel'] == .2
    assert card.calibration['frames'] == 2 and card.calibration['held_out'] == 1
    assert card.check['frames'] == '1 of noise'
    assert 0 < card.check['mean'] < .03 and card.check['tolerance_on'] == 'mean'


def test_int8_that_loses_too_much_is_refused(network: DepthNetwork) -> None:
    with pytest.raises(QuantisationError, match=r'\+2.50%'):
        export(network, 'm', 'onnx', EngineSpec(64, 48, 'int8', threads=1), material(.025))


@pytest.mark.parametrize(('backend', 'options', 'words'), [
    ('torch', {}, "backend 'torch': there is nothing to export"),
    ('onnx', {'precision': 'bf16'}, "precision 'bf16'"),
    ('onnx', {'precision': 'int8'}, '--precision int8 needs --calibration')])
def test_what_cannot_be_exported(network: DepthNetwork, backend: str, options: dict[str, str],
                                 words: str) -> None:
    with pytest.raises((BackendError, ExportError), match=words):
        export(network, 'm', backend, EngineSpec(64, 48, **options))  # type: ignore[arg-type]


def test_int8_for_several_at_once_is_refused(network: DepthNetwork) -> None:
    with pytest.raises(ExportError, match='--batch 1'):
        export(network, 'm', 'onnx', EngineSpec(64, 48, 'int8', 2), material())


def test_an_engine_that_differs_from_torch_is_refused(network: DepthNetwork,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    other = fold_network(DepthNetwork(network.config).eval())
    plain = module.depth_graph
    monkeypatch.setattr(module, 'depth_graph', lambda _, *rest: plain(other, *rest))
    with pytest.raises(ExportError, match="backend 'onnx', precision 'fp32': differs from torch"):
        export(network, 'm', 'onnx', SPEC)


def test_the_loss_by_hand() -> None:
    found = judge(lambda frame: np.full((2, 2), 1.1, np.float32),
                  lambda frame: np.ones((2, 2), np.float32), material())
    assert found.change == pytest.approx(.1)
    assert found.change_p99 == pytest.approx(.1)
    assert found.abs_rel is None
