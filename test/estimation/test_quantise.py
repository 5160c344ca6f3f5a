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

"""INT8: what stays in float, that it is accurate and smaller, and when it is refused."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
import onnx
import onnxruntime
import pytest
import torch

from mde_ros.estimation import quantise as module
from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.onnx_graph import depth_graph
from mde_ros.estimation.quantise import (
    float_nodes, Loss, QuantisationError, quantise, quantise_within, with_scale)
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.network.fold import fold_network

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@pytest.fixture(scope='module')
def graph() -> bytes:
    """Return a tiny network for 64 x 48."""
    torch.manual_seed(5)
    made = DepthNetwork(NetworkConfig(.25, (8, 8, 8, 8)))
    with torch.no_grad():
        made.decoder.head.weight.mul_(5)
    data: bytes = depth_graph(fold_network(made.eval()), 64, 48).SerializeToString()
    return data


@pytest.fixture(scope='module')
def frames() -> list[NDArray[np.uint8]]:
    """Return three different pictures."""
    first = noise((1, 48, 64, 3))[0]
    return [first, 255 - first, np.roll(first, 16, 1)]


def runner(model: bytes) -> Run:
    """Return what ONNX Runtime says to one picture."""
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])

    def run(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        depth: NDArray[np.float32] = session.run(None, {'image': frame[None]})[0][0]
        return depth
    return run


def test_the_loss_that_is_bounded_is_of_abs_rel_where_there_are_labels() -> None:
    assert Loss(.03, .1).bounded == .03
    assert Loss(.03, .1, .2, .203).bounded == pytest.approx(.015)
    assert '+1.50%' in Loss(.03, .1, .2, .203).words()
    assert 'no labels' in Loss(.03, .1).words()


def test_head_and_first_convolutions_stay_in_float(graph: bytes,
                                                   frames: list[NDArray[np.uint8]]) -> None:
    proto = onnx.load_from_string(graph)
    convolutions = [node.name for node in proto.graph.node if node.op_type == 'Conv']
    kept = float_nodes(proto, 2)
    assert [name for name in convolutions if name in kept] == [
        *convolutions[:2], convolutions[-1]]
    quantised = onnx.load_from_string(quantise(graph, frames, 2))
    made_by = {name: node.op_type for node in quantised.graph.node for name in node.output}
    weights = {node.name: made_by.get(node.input[1]) for node in quantised.graph.node
               if node.op_type == 'Conv'}
    assert [name for name, kind in weights.items() if kind is None] == [
        *convolutions[:2], convolutions[-1]]
    assert set(weights.values()) == {None, 'DequantizeLinear'}


def test_int8_is_near_the_network(graph: bytes, frames: list[NDArray[np.uint8]]) -> None:
    plain, eight = runner(graph), runner(quantise(graph, frames, 4))
    for frame in frames:
        change = np.abs(eight(frame) / plain(frame) - 1)
        assert 0 < change.mean() < .05


def test_a_scale_is_put_into_the_graph(graph: bytes, frames: list[NDArray[np.uint8]]) -> None:
    assert np.allclose(runner(with_scale(graph, 1.25))(frames[0]),
                       1.25 * runner(graph)(frames[0]), rtol=1e-5)


def test_the_first_that_is_accurate_enough_is_taken_and_its_scale_put_back(
        graph: bytes, frames: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch) -> None:
    # Quantising doubles the depth here; the shift is found on the calibration frames.
    monkeypatch.setattr(module, 'quantise', lambda model, *_: with_scale(model, 2.))
    judged: list[float] = []
    plain = runner(graph)

    def judge(run: Run) -> Loss:
        judged.append(float(np.abs(run(frames[2]) / plain(frames[2]) - 1).max()))
        return Loss(.03 if len(judged) == 1 else .01, .1)
    found = quantise_within(graph, frames[:2], runner, plain, judge)
    assert found.floats == module.FLOAT_STARTS[1]
    assert judged == pytest.approx([0, 0], abs=1e-4)
    assert found.loss.change == .01


def test_too_much_loss_is_refused(graph: bytes, frames: list[NDArray[np.uint8]],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'quantise', lambda model, *_: model)
    plain = runner(graph)
    with pytest.raises(QuantisationError, match=r'to 0.2100 \(\+5.00%\).* than the 2%'):
        quantise_within(graph, frames, runner, plain, lambda _: Loss(.01, .1, .2, .21))
