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

"""OpenVINO as a back end: depth, precisions, the compiled network kept."""

from dataclasses import replace
from pathlib import Path
import subprocess
import sys
from typing import Any

from backend_checks import check, SPEC
import pytest

pytest.importorskip('openvino')

from mde_ros.estimation.backends import openvino_backend as module
from mde_ros.estimation.backends.base import BackendError
from mde_ros.estimation.backends.openvino_backend import OpenvinoBackend, the_core
from mde_ros.estimation.onnx_graph import depth_graph
from mde_ros.network.depth_network import DepthNetwork


@pytest.mark.parametrize('batch', [1, 3])
def test_depth_is_the_networks(network: DepthNetwork, batch: int) -> None:
    spec = replace(SPEC, batch=batch)
    graph = depth_graph(network, spec.width, spec.height, batch).SerializeToString()
    check(OpenvinoBackend(graph, spec), network, 1e-4)


def test_the_compiled_network_is_kept_and_a_damaged_one_made_again(
        graph: bytes, network: DepthNetwork, tmp_path: Path) -> None:
    check(OpenvinoBackend(graph, SPEC, tmp_path), network, 1e-4)
    blob, = (path for path in tmp_path.rglob('*') if path.is_file())
    before = blob.stat().st_mtime_ns
    check(OpenvinoBackend(graph, SPEC, tmp_path), network, 1e-4)
    assert blob.stat().st_mtime_ns == before
    blob.write_bytes(b'damaged')
    check(OpenvinoBackend(graph, SPEC, tmp_path), network, 1e-4)


SIGNALLED = """
import os, signal, sys
from mde_ros.estimation.backends.base import EngineSpec
from mde_ros.estimation.backends.openvino_backend import OpenvinoBackend
graph = open(sys.argv[1], 'rb').read()
engines = [OpenvinoBackend(graph, EngineSpec(*map(int, sys.argv[2:4]))) for _ in range(3)]
while engines:
    del engines[0]  # the oldest first, as when one network replaces another
signal.signal(signal.SIGUSR1, lambda *_: print('handled'))
os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_a_signal_after_engines_have_gone_is_handled(graph: bytes, tmp_path: Path) -> None:
    """It was a segmentation fault when each engine had an openvino.Core of its own."""
    (tmp_path / 'graph.onnx').write_bytes(graph)
    done = subprocess.run(
        [sys.executable, '-c', SIGNALLED, str(tmp_path / 'graph.onnx'), str(SPEC.width),
         str(SPEC.height)], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, 'handled\n'), done.stderr


def test_bf16_where_the_processor_has_it(graph: bytes, network: DepthNetwork) -> None:
    if 'BF16' not in the_core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES'):
        pytest.skip('this processor has no bf16')
    check(OpenvinoBackend(graph, replace(SPEC, precision='bf16')), network, .25)


def test_what_the_processor_cannot_do_is_refused(graph: bytes,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    class OldCore:
        def get_property(self, *_: Any) -> list[str]:
            return ['FP32', 'INT8']
    monkeypatch.setattr(module, 'the_core', OldCore)
    with pytest.raises(BackendError, match="'bf16': backend 'openvino' has fp32, int8 on this p"):
        OpenvinoBackend(graph, replace(SPEC, precision='bf16'))


def test_other_devices_are_refused(graph: bytes) -> None:
    with pytest.raises(BackendError, match="device 'cuda': backend 'openvino' runs on the cpu"):
        OpenvinoBackend(graph, replace(SPEC, device='cuda'))


def test_a_broken_graph_is_one_line() -> None:
    with pytest.raises(BackendError, match="'openvino' cannot load the network") as caught:
        OpenvinoBackend(b'nonsense', SPEC)
    assert '\n' not in str(caught.value)
