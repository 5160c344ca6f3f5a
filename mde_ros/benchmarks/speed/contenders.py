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

"""What runs in turns: our network in every back end and precision, and T2Net's U-Net."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from mde_ros.adaptation.predecessors.t2net_unet import T2NetConfig, T2NetUnet
from mde_ros.estimation.backends.base import Backend, BackendError, BF16, EngineSpec, FP32, INT8
from mde_ros.estimation.backends.choose import check_backend, noise
from mde_ros.estimation.backends.onnx_backend import OnnxBackend
from mde_ros.estimation.backends.openvino_backend import OpenvinoBackend
from mde_ros.estimation.backends.torch_backend import TorchBackend
from mde_ros.estimation.quantise import FLOAT_STARTS, quantise
from mde_ros.network.depth_network import DepthNetwork

EAGER, T2NET = 'torch fp32', 't2net torch fp32'
CALIBRATION = 4


@dataclass(frozen=True)
class Contender:
    """
    One network ready to run.

    :param run: one pass over images that are there already.
    :param difference: largest relative difference to torch in float32 on a picture of noise; None
        for other networks.
    :param mean_difference: its mean.
    """

    run: Callable[[], object]
    difference: float | None = None
    mean_difference: float | None = None


def contenders(network: DepthNetwork, spec: EngineSpec, compiled: bool = False
               ) -> tuple[dict[str, Contender], dict[str, str]]:
    """
    Return what can run here, 'BACKEND PRECISION' by name, and why the rest cannot.

    :param network: folded.
    :param spec: input, batch, threads and device; the precision is set here.
    :param compiled: torch.compile too, which takes half a minute.
    """
    makers: dict[str, Callable[[], Backend]] = {}
    if spec.device == 'cpu':
        makers[f'openvino {FP32}'] = lambda: OpenvinoBackend(_graph(network, spec), spec)
        bf16, int8 = replace(spec, precision=BF16), replace(spec, precision=INT8)
        makers[f'openvino {BF16}'] = lambda: OpenvinoBackend(_graph(network, spec), bf16)
        makers[f'openvino {INT8}'] = lambda: OpenvinoBackend(_int8(network, spec), int8)
        makers[f'onnx {FP32}'] = lambda: OnnxBackend(_graph(network, spec), spec)
        makers[f'onnx {INT8}'] = lambda: OnnxBackend(_int8(network, spec), int8)
    else:
        makers[f'cuda {FP32}'] = lambda: OnnxBackend(_graph(network, spec), spec, 'cuda')
        makers[f'tensorrt {FP32}'] = lambda: OnnxBackend(_graph(network, spec), spec, 'tensorrt')
    if compiled:
        makers[f'compile {FP32}'] = lambda: TorchBackend(network, spec, True)
    eager = TorchBackend(network, spec)
    eager.images[:] = noise(eager.images.shape)
    expected = eager.run().copy()
    found, missing = {EAGER: Contender(eager.run)}, {}
    for name, make in makers.items():
        backend, precision = name.split()
        try:
            if precision != INT8 or backend != 'openvino':
                check_backend(backend, precision, spec.device)
            engine = make()
        except (BackendError, ImportError) as error:
            missing[name] = str(error)
            continue
        engine.images[:] = noise(engine.images.shape)
        difference = np.abs(engine.run() / expected - 1)
        found[name] = Contender(engine.run, float(difference.max()), float(difference.mean()))
    return found, missing


def t2net(spec: EngineSpec) -> tuple[Contender, torch.nn.Module]:
    """Return T2Net's U-Net in PyTorch on the same input, and the network."""
    network = T2NetUnet(T2NetConfig()).eval().to(
        spec.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.zeros(spec.batch, 3, spec.height, spec.width, device=spec.device).to(
        memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode():
            return network(image).cpu()
    return Contender(run), network


def _graph(network: DepthNetwork, spec: EngineSpec) -> bytes:
    from mde_ros.estimation.onnx_graph import depth_graph
    data: bytes = depth_graph(network, spec.width, spec.height, spec.batch).SerializeToString()
    return data


def _int8(network: DepthNetwork, spec: EngineSpec) -> bytes:
    """Return the network in INT8, calibrated on noise: as fast as on pictures, no more."""
    frames = noise((CALIBRATION, spec.height, spec.width, 3))
    return quantise(_graph(network, replace(spec, batch=1)), list(frames), FLOAT_STARTS[0])
