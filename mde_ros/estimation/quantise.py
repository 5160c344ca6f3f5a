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

"""INT8 by post-training quantisation, calibrated on frames of the very camera."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
import logging
from pathlib import Path
import tempfile

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import numpy_helper

from mde_ros.errors import MdeError
from mde_ros.estimation.onnx_graph import head_nodes, IMAGE

# Relative change of depth, or of Abs Rel where there are labels, that is refused.
LARGEST_LOSS = .02
# Convolutions at the start that stay in float, tried in turn. Few channels with very different
# ranges share one scale there: in 8 bits the first four alone cost more than all others together.
FLOAT_STARTS = (4, 8, 12)
_QUANTISED = ['Conv', 'Add', 'Concat', 'Resize', 'Slice', 'Clip', 'Relu']

Frames = Sequence[NDArray[np.uint8]]
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class QuantisationError(MdeError):
    """A network that INT8 would make too much worse, or too few frames."""


@dataclass(frozen=True)
class Loss:
    """
    What INT8 costs on frames that it was not calibrated on.

    :param change: mean of |d8 - d| / d over pixels and frames.
    :param change_p99: its 99th percentile.
    :param abs_rel: of float32 against labels, None without labels.
    :param abs_rel_int8: of INT8.
    """

    change: float
    change_p99: float
    abs_rel: float | None = None
    abs_rel_int8: float | None = None

    @property
    def bounded(self) -> float:
        """Return what has to stay below :data:`LARGEST_LOSS`: of Abs Rel where there is one."""
        if self.abs_rel is None or self.abs_rel_int8 is None:
            return self.change
        return self.abs_rel_int8 / self.abs_rel - 1

    def words(self) -> str:
        """Return the loss in words."""
        if self.abs_rel is None or self.abs_rel_int8 is None:
            return f'changes depth by {self.change:.2%} in the mean (no labels to score)'
        return (f'changes Abs Rel from {self.abs_rel:.4f} to {self.abs_rel_int8:.4f} '
                f'({self.bounded:+.2%}), depth by {self.change:.2%} in the mean')


@dataclass(frozen=True)
class Quantised:
    """
    An INT8 model and what it costs.

    :param floats: convolutions at the start that stayed in float.
    """

    model: bytes
    loss: Loss
    floats: int


class _Reader:
    """The frames as ONNX Runtime's calibration reads them."""

    def __init__(self, frames: Frames) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(frames)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next input, None at the end."""
        frame = next(self._left, None)
        return None if frame is None else {IMAGE: frame[None]}

    def __iter__(self) -> '_Reader':
        return self


def float_nodes(model: onnx.ModelProto, start: int) -> list[str]:
    """Return the nodes that stay in float: the head, and all up to a convolution and its clip."""
    kept = head_nodes(model)
    count = 0
    for node in model.graph.node:
        if node.op_type == 'Conv':
            count += 1
        if count > start:
            break
        kept.append(node.name)
    return kept


def quantise(model: bytes, frames: Frames, float_start: int) -> bytes:
    """
    Return the model in INT8: weights by channel, activations by tensor.

    :param frames: network inputs, each H x W x 3 uint8, that ranges are taken from.
    :param float_start: convolutions at the start that stay in float.
    """
    from onnxruntime.quantization import quantize_static, QuantFormat, QuantType
    proto = onnx.load_from_string(model)
    # A bare logger of the library tells users of each step that it would rather have had.
    logging.getLogger().addFilter(_quiet)
    try:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / 'int8.onnx'
            quantize_static(
                proto, str(target), _Reader(frames), quant_format=QuantFormat.QDQ,
                per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                nodes_to_exclude=float_nodes(proto, float_start),
                op_types_to_quantize=_QUANTISED)
            return target.read_bytes()
    finally:
        logging.getLogger().removeFilter(_quiet)


def _quiet(record: logging.LogRecord) -> bool:
    return 'pre-processing' not in record.getMessage()


def with_scale(model: bytes, factor: float) -> bytes:
    """Return the model whose depth is multiplied by a factor, in the constant it has anyway."""
    proto = onnx.load_from_string(model)
    for constant in proto.graph.initializer:
        if constant.name == 'log_low':
            value = numpy_helper.to_array(constant) + np.float32(np.log(factor))
            constant.CopyFrom(numpy_helper.from_array(np.asarray(value, np.float32), 'log_low'))
    data: bytes = proto.SerializeToString()
    return data


def quantise_within(model: bytes, calibration: Frames, make: Callable[[bytes], Run],
                    reference: Run, judge: Callable[[Run], Loss],
                    progress: Callable[[str], None] = lambda _: None) -> Quantised:
    """
    Return the fastest INT8 model that is accurate enough.

    The mean scale that rounding shifts is put back, as the calibration frames say.

    :param make: makes what runs a model, one H x W x 3 image to h x w depth.
    :param reference: runs the float32 model.
    :param judge: scores on frames that were not used to calibrate.
    :raises QuantisationError: when all lose more than :data:`LARGEST_LOSS`.
    """
    tried = []
    for start in FLOAT_STARTS:
        data = quantise(model, calibration, start)
        run = make(data)
        shift = np.mean([np.log(reference(frame) / run(frame)).mean() for frame in calibration])
        data = with_scale(data, float(np.exp(shift)))
        loss = judge(make(data))
        progress(f'int8 with {start} convolutions in float {loss.words()}')
        if loss.bounded <= LARGEST_LOSS:
            return Quantised(data, loss, start)
        tried.append(loss)
    best = min(tried, key=lambda one: one.bounded)
    raise QuantisationError(
        f'precision int8 {best.words()}, more than the {LARGEST_LOSS:.0%} allowed: use '
        '--precision fp32 or bf16, or --calibration with more varied frames of this camera')
