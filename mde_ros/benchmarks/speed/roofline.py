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

"""The machine's limits, measured: multiply-accumulates and bytes a second."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper
import onnxruntime
import torch

from mde_ros.estimation.onnx_graph import IR_VERSION, OPSET

# Milliseconds a product: among some, one is not interrupted on a busy machine.
SIDE = 768
# Far above the last cache of the machines that robots have.
COPY_BYTES = 256 << 20
PRODUCT = 'matrix product'


@dataclass(frozen=True)
class Roofline:
    """
    What no network can beat.

    :param gmacs: 1e9 float32 multiply-accumulates a second, of the best of large matrix products.
    :param gigabytes: 1e9 bytes a second, read and written, of the best of large copies.
    """

    gmacs: float
    gigabytes: float

    def least_ms(self, gmacs: float) -> float:
        """Return the milliseconds that so many 1e9 multiply-accumulates take at least."""
        return gmacs / self.gmacs * 1e3


def roofline_runs(threads: int = 1, side: int = SIDE, copy_bytes: int = COPY_BYTES
                  ) -> tuple[dict[str, Callable[[], object]], Callable[..., Roofline]]:
    """
    Return what has to be timed, to take turns with what is compared, and what makes of it a limit.

    PyTorch's and ONNX Runtime's matrix products are both tried: on some processors the one
    reaches a third of the other. The second result takes the seconds by name, as
    :func:`~.timing.take_turns` returns them.
    """
    a, b = torch.rand(side, side), torch.rand(side, side)
    product = torch.empty(side, side)
    source = np.ones(copy_bytes // 4, np.float32)
    target = np.empty_like(source)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        _product(b.numpy()), options, providers=['CPUExecutionProvider'])

    def judge(seconds: dict[str, list[float]]) -> Roofline:
        best = min(min(times) for name, times in seconds.items() if PRODUCT in name)
        return Roofline(side ** 3 / best / 1e9,
                        2 * source.nbytes / min(seconds['copy']) / 1e9)

    return {f'{PRODUCT} torch': lambda: torch.mm(a, b, out=product),
            f'{PRODUCT} onnx': lambda: session.run(None, {'a': a.numpy()}),
            'copy': lambda: np.copyto(target, source)}, judge


def _product(b: NDArray[np.float32]) -> bytes:
    """Return a graph of one matrix product with ``b``, which the library may arrange before."""
    shape, kind = list(b.shape), onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node('MatMul', ['a', 'b'], ['c'])], 'product',
        [helper.make_tensor_value_info('a', kind, shape)],
        [helper.make_tensor_value_info('c', kind, shape)],
        initializer=[onnx.numpy_helper.from_array(b, 'b')])
    data: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', OPSET)],
        ir_version=IR_VERSION).SerializeToString()
    return data
