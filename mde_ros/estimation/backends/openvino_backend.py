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

"""The network in OpenVINO, on the CPU."""

from functools import cache
from pathlib import Path
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.estimation.backends.base import (
    Backend, BackendError, BF16, EngineSpec, FP16, FP32, INT8, need_library, need_precision)

_lock = threading.Lock()
_HINTS = {FP32: 'f32', BF16: 'bf16', FP16: 'f16', INT8: 'f32'}


def the_core() -> Any:
    """
    Return the one openvino.Core of this process, which is never destroyed.

    Each Core (2026.4) puts a signal stack of its own under the thread that first uses it. Where
    several are destroyed, in any order but the reverse, the stack that stays has been freed, and
    the next signal that Python handles there (Ctrl-C, a data process that ends) is a segmentation
    fault.
    """
    with _lock:
        return _make_core()


@cache
def _make_core() -> Any:
    import openvino
    return openvino.Core()


class OpenvinoBackend(Backend):
    """
    OpenVINO, made for one frame at a time.

    :param model: the graph of :func:`mde_ros.estimation.onnx_graph.depth_graph`.
    :param cache: folder where the library keeps the compiled network.
    :raises BackendError: when the library is not there, or the processor cannot do the precision.
    """

    name = 'openvino'

    def __init__(self, model: bytes, spec: EngineSpec, cache: Path | None = None) -> None:
        super().__init__(spec)
        self.check(spec.precision, spec.device)
        import openvino
        core = the_core()
        settings: dict[str, Any] = {'PERFORMANCE_HINT': 'LATENCY',
                                    'INFERENCE_PRECISION_HINT': _HINTS[spec.precision]}
        if spec.threads:
            settings['INFERENCE_NUM_THREADS'] = spec.threads
        if cache is not None:
            settings['CACHE_DIR'] = str(cache)
        try:
            compiled = core.compile_model(core.read_model(model), 'CPU', settings)
        except RuntimeError as error:
            raise BackendError(f"backend 'openvino' cannot load the network: "
                               f"{' '.join(str(error).split())[:160]}") from error
        self._request: Any = compiled.create_infer_request()
        self._depth: NDArray[np.float32] = np.zeros(spec.output_shape, np.float32)
        # Both tensors are the memory of these arrays: a run copies neither.
        self._request.set_input_tensor(openvino.Tensor(self.images, shared_memory=True))
        self._request.set_output_tensor(openvino.Tensor(self._depth, shared_memory=True))

    @classmethod
    def check(cls, precision: str, device: str = 'cpu') -> None:
        """
        Check what can be checked without a network.

        :raises BackendError: when the library, the device or the precision is not there.
        """
        need_library(cls.name, 'openvino', 'openvino')
        if device != 'cpu':
            raise BackendError(f"device '{device}': backend 'openvino' runs on the cpu; use "
                               'torch, cuda or tensorrt')
        if precision in (BF16, FP16):
            has = the_core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
            need_precision(cls.name, precision, (FP32, INT8, *(
                p for p in (BF16, FP16) if p.upper() in has)), ' on this processor')

    def run(self) -> NDArray[np.float32]:
        """Return the depth of the images."""
        self._request.infer()
        return self._depth
