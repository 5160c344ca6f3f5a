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

"""The network in ONNX Runtime: on the CPU, or on a GPU through CUDA or TensorRT."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.estimation.backends.base import (
    Backend, BackendError, EngineSpec, FP16, FP32, INT8, need_library, need_precision)

# Name of the back end: provider, precisions.
PROVIDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    'onnx': ('CPUExecutionProvider', (FP32, INT8)),
    'cuda': ('CUDAExecutionProvider', (FP32, FP16)),
    'tensorrt': ('TensorrtExecutionProvider', (FP32, FP16, INT8)),
}


class OnnxBackend(Backend):
    """
    ONNX Runtime with one execution provider.

    :param model: the graph of :func:`mde_ros.estimation.onnx_graph.depth_graph`, in the
        precision of ``spec``.
    :param name: of :data:`PROVIDERS`.
    :param cache: folder where TensorRT keeps what took it minutes to build.
    :raises BackendError: when the library, the provider or the precision is not there.
    """

    def __init__(self, model: bytes, spec: EngineSpec, name: str = 'onnx',
                 cache: Path | None = None) -> None:
        super().__init__(spec)
        self.name = name
        provider = PROVIDERS[name][0]
        self.check(name, spec.precision)
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = spec.threads
        options.log_severity_level = 3
        # Threads that spin between frames take the cores from DDS.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=[(provider, _options(name, spec, cache))])
        except Exception as error:
            # The library raises a type of its own for each of its error codes.
            raise BackendError(f"backend '{name}' cannot load the network: "
                               f"{' '.join(str(error).split())[:160]}") from error
        if self._session.get_providers()[0] != provider:
            # Its fallback is the CPU, in silence.
            raise BackendError(f"backend '{name}': {provider} does not start: check the CUDA and "
                               'TensorRT libraries against the ones ONNX Runtime was built for')
        self._depth: NDArray[np.float32] = np.zeros(spec.output_shape, np.float32)
        self._binding: Any = self._session.io_binding()
        self._binding.bind_cpu_input(self._session.get_inputs()[0].name, self.images)
        self._output = onnxruntime.OrtValue.ortvalue_from_numpy(self._depth)
        self._binding.bind_ortvalue_output(self._session.get_outputs()[0].name, self._output)

    @staticmethod
    def check(name: str, precision: str) -> None:
        """
        Check what can be checked without a network.

        :raises BackendError: when the library, the provider or the precision is not there.
        """
        provider, precisions = PROVIDERS[name]
        need_precision(name, precision, precisions,
                       '; 16 bits on a CPU are faster with openvino' if name == 'onnx' else '')
        need_library(name, 'onnxruntime', 'onnxruntime')
        import onnxruntime
        if provider not in onnxruntime.get_available_providers():
            raise BackendError(
                f"backend '{name}': this ONNX Runtime has no {provider}: pip install "
                'onnxruntime-gpu in place of onnxruntime, or use onnx, openvino or torch')

    def run(self) -> NDArray[np.float32]:
        """Return the depth of the images."""
        self._session.run_with_iobinding(self._binding)
        depth: NDArray[np.float32] = self._output.numpy()
        return depth


def _options(name: str, spec: EngineSpec, cache: Path | None) -> dict[str, str]:
    """Return the options of a provider."""
    if name == 'onnx':
        return {}
    _, _, index = spec.device.partition(':')
    options = {'device_id': index or '0'}
    if name == 'tensorrt':
        options['trt_fp16_enable'] = str(spec.precision == FP16)
        options['trt_int8_enable'] = str(spec.precision == INT8)
        if cache is not None:
            options.update(trt_engine_cache_enable='True', trt_engine_cache_path=str(cache))
    return options
