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

"""PyTorch as a back end: precisions, batches, devices, the compiler."""

import copy
from dataclasses import replace
from typing import Any

from backend_checks import check, SPEC
import pytest
import torch

from mde_ros.estimation.backends.base import BackendError
from mde_ros.estimation.backends.torch_backend import TorchBackend
from mde_ros.network.depth_network import DepthNetwork


@pytest.mark.parametrize(('precision', 'tolerance'), [('fp32', 1e-5), ('bf16', .1)])
@pytest.mark.parametrize('batch', [1, 2])
def test_depth_is_the_networks(network: DepthNetwork, precision: str, batch: int,
                               tolerance: float) -> None:
    backend = TorchBackend(copy.deepcopy(network),
                           replace(SPEC, precision=precision, batch=batch))
    assert backend.name == 'torch'
    check(backend, network, tolerance)


def test_the_head_stays_in_float32(network: DepthNetwork) -> None:
    TorchBackend(network, replace(SPEC, precision='bf16'))
    assert network.content_encoder.stem.conv.weight.dtype == torch.bfloat16
    assert network.decoder.head.weight.dtype == torch.float32


@pytest.mark.parametrize('device', ['toaster', 'cuda:99'])
def test_devices_that_are_not_there(network: DepthNetwork, device: str) -> None:
    with pytest.raises(BackendError, match=f"device '{device}' cannot be used: "):
        TorchBackend(network, replace(SPEC, device=device))


def test_int8_is_for_others(network: DepthNetwork) -> None:
    with pytest.raises(BackendError, match="precision 'int8': backend 'torch' has fp32"):
        TorchBackend(network, replace(SPEC, precision='int8'))


def test_the_compiled_network_is_run_and_a_missing_compiler_is_named(
        network: DepthNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def compile_later(module: Any) -> Any:
        asked.append(module)
        return module
    monkeypatch.setattr(torch, 'compile', compile_later)
    backend = TorchBackend(network, SPEC, compiled=True)
    assert backend.name == 'compile' and len(asked) == 1
    check(backend, network, 1e-5)

    def broken(_: Any) -> Any:
        def run(_: Any) -> Any:
            raise RuntimeError('no working\nC++ compiler')
        return run
    monkeypatch.setattr(torch, 'compile', broken)
    with pytest.raises(BackendError, match=r"'compile' failed: no working C\+\+ compiler; inst"):
        TorchBackend(network, SPEC, compiled=True)
