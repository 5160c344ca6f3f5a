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

"""ONNX Runtime as a back end, and its providers that are not there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from backend_checks import check, SPEC
import numpy as np
import onnxruntime
import pytest

from mde_ros.estimation.backends.base import BackendError, EngineSpec
from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.backends.onnx_backend import _options, OnnxBackend, PROVIDERS
from mde_ros.estimation.onnx_graph import depth_graph
from mde_ros.network.depth_network import DepthNetwork


@pytest.mark.parametrize('batch', [1, 3])
def test_depth_is_the_networks(network: DepthNetwork, batch: int) -> None:
    spec = replace(SPEC, batch=batch)
    graph = depth_graph(network, spec.width, spec.height, batch).SerializeToString()
    check(OnnxBackend(graph, spec), network, 1e-4)


def test_runs_write_into_the_same_memory(graph: bytes) -> None:
    backend = OnnxBackend(graph, SPEC)
    backend.images[:] = noise(backend.images.shape)
    first = backend.run()
    kept = first.copy()
    backend.images[:] = 0
    backend.run()
    assert not np.array_equal(first, kept)


@pytest.mark.parametrize(('name', 'precision', 'words'), [
    ('onnx', 'bf16', "precision 'bf16': backend 'onnx' has fp32, int8; 16 bits on a CPU"),
    ('onnx', 'fp16', "precision 'fp16'"), ('cuda', 'bf16', "'cuda' has fp32, fp16")])
def test_precisions_that_are_not_there(graph: bytes, name: str, precision: str,
                                       words: str) -> None:
    with pytest.raises(BackendError, match=words):
        OnnxBackend(graph, replace(SPEC, precision=precision), name)


@pytest.mark.parametrize('name', ['cuda', 'tensorrt'])
def test_a_missing_provider_says_what_to_install(graph: bytes, name: str,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers',
                        lambda: ['CPUExecutionProvider'])
    provider = PROVIDERS[name][0]
    with pytest.raises(BackendError, match=f"'{name}': this ONNX Runtime has no {provider}: "
                       'pip install onnxruntime-gpu'):
        OnnxBackend(graph, SPEC, name)


def test_a_provider_that_falls_back_in_silence_is_refused(
        graph: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers',
                        lambda: ['CUDAExecutionProvider', 'CPUExecutionProvider'])
    plain = onnxruntime.InferenceSession

    def on_cpu(model: bytes, options: Any, providers: Any) -> Any:
        assert providers == [('CUDAExecutionProvider', {'device_id': '1'})]
        return plain(model, options, providers=['CPUExecutionProvider'])
    monkeypatch.setattr(onnxruntime, 'InferenceSession', on_cpu)
    with pytest.raises(BackendError, match='CUDAExecutionProvider does not start'):
        OnnxBackend(graph, replace(SPEC, device='cuda:1'), 'cuda')


def test_a_broken_graph_is_one_line() -> None:
    with pytest.raises(BackendError, match="'onnx' cannot load the network") as caught:
        OnnxBackend(b'nonsense', SPEC)
    assert '\n' not in str(caught.value)


def test_the_options_of_tensorrt(tmp_path: Path) -> None:
    half = EngineSpec(64, 48, 'fp16', device='cuda')
    assert _options('tensorrt', half, tmp_path) == {
        'device_id': '0', 'trt_fp16_enable': 'True', 'trt_int8_enable': 'False',
        'trt_engine_cache_enable': 'True', 'trt_engine_cache_path': str(tmp_path)}
    assert _options('onnx', half, tmp_path) == {}
