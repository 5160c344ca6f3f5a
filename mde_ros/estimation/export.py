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

"""Engines for robots: made from weights, checked against PyTorch, measured, with a card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError
from mde_ros.estimation.backends.base import (
    Backend, BackendError, BF16, EngineSpec, FP16, FP32, INT8)
from mde_ros.estimation.backends.cache import library_versions, network_digest
from mde_ros.estimation.backends.choose import check_backend, noise
from mde_ros.estimation.backends.engine_file import EngineCard
from mde_ros.estimation.backends.onnx_backend import OnnxBackend
from mde_ros.estimation.backends.openvino_backend import OpenvinoBackend
from mde_ros.estimation.backends.torch_backend import TorchBackend
from mde_ros.estimation.onnx_graph import depth_graph, to_half
from mde_ros.estimation.quantise import Frames, Loss, quantise_within, Quantised, Run
from mde_ros.network.depth_network import DepthNetwork

# Largest relative difference to PyTorch in float32, and mean difference at fewer bits.
LARGEST_DIFFERENCE, MEAN_DIFFERENCE = 1e-3, .03
LATENCY_RUNS = 50
EXPORTED = ('onnx', 'openvino', 'cuda', 'tensorrt')


class ExportError(MdeError):
    """An engine that cannot be made, or does not compute what PyTorch does."""


@dataclass(frozen=True)
class Material:
    """
    What INT8 is calibrated on and judged by.

    :param name: of the data.
    :param calibration: network inputs, each H x W x 3 uint8.
    :param held_out: others of the same camera.
    :param abs_rel: scores predictions (canonical metres, h x w, one a held-out frame) against
        labels; None where there are none.
    """

    name: str
    calibration: Frames
    held_out: Frames
    abs_rel: Callable[[Sequence[NDArray[np.float32]]], float] | None = None


def export(network: DepthNetwork, model_id: str, backend: str, spec: EngineSpec,
           material: Material | None = None, *, notices: Sequence[str] = (),
           progress: Callable[[str], None] = lambda _: None) -> tuple[bytes, EngineCard]:
    """
    Return the ONNX file and its card.

    :param network: folded.
    :param material: frames of the camera; needed for INT8, else what is checked on (noise
        without).
    :raises mde_ros.estimation.backends.base.BackendError: for a back end, precision or device that
        is not there.
    :raises mde_ros.estimation.quantise.QuantisationError: when INT8 loses too much.
    :raises ExportError: when the result differs from PyTorch by more than the tolerance.
    """
    if backend not in EXPORTED:
        raise BackendError(f"backend '{backend}': there is nothing to export; use one of "
                           + ', '.join(EXPORTED))
    check_backend(backend, spec.precision, spec.device)
    if spec.precision == INT8 and (material is None or not material.calibration):
        raise ExportError('--precision int8 needs --calibration DATA: frames of the camera')
    one = replace(spec, batch=1)
    reference = _runner(TorchBackend(network, replace(one, precision=FP32, device='cpu')))
    graph = depth_graph(network, spec.width, spec.height)
    quantised: Quantised | None = None
    if spec.precision == INT8 and material is not None:
        if spec.batch > 1:
            raise ExportError('--precision int8 goes with --batch 1')
        quantised = quantise_within(
            graph.SerializeToString(), material.calibration,
            lambda data: _runner(_made(data, backend, one)), reference,
            lambda run: judge(run, reference, material), progress)
        data = quantised.model
    else:
        graph = depth_graph(network, spec.width, spec.height, spec.batch)
        data = (to_half(graph) if spec.precision == FP16 else graph).SerializeToString()
    engine = _made(data, backend, spec)
    frames = material.held_out if material and len(material.held_out) else noise(
        (4, spec.height, spec.width, 3))
    check = compare(engine, reference, frames)
    check['frames'] = f'{len(frames)} of {material.name if material else "noise"}'
    loose = spec.precision in (BF16, FP16, INT8)
    check['tolerance'] = MEAN_DIFFERENCE if loose else LARGEST_DIFFERENCE
    check['tolerance_on'] = 'mean' if loose else 'largest'
    if check[check['tolerance_on']] > check['tolerance']:
        raise ExportError(
            f"backend '{backend}', precision '{spec.precision}': differs from torch by "
            f"{check['largest']:.2%} at most and {check['mean']:.2%} in the mean, allowed are "
            f"{check['tolerance']:.2%} ({check['tolerance_on']}): use another --precision or "
            '--backend')
    return data, EngineCard(
        model_id, network_digest(network), backend, spec.width, spec.height, spec.precision,
        spec.batch, check, _calibration(quantised, material), latency(engine, spec.threads),
        library_versions(), list(notices))


def judge(run: Run, reference: Run, material: Material) -> Loss:
    """Return what a model loses against the float32 one on the held-out frames."""
    plain = [reference(frame) for frame in material.held_out]
    other = [run(frame) for frame in material.held_out]
    change = np.abs(np.stack(other) / np.stack(plain) - 1)
    scores = [] if material.abs_rel is None else [
        material.abs_rel(plain), material.abs_rel(other)]
    return Loss(float(change.mean()), float(np.quantile(change, .99)), *scores)


def compare(engine: Backend, reference: Run, frames: Frames | NDArray[np.uint8]
            ) -> dict[str, Any]:
    """Return the largest and the mean relative difference to the reference."""
    largest, total = 0., 0.
    for frame in frames:
        engine.images[:] = frame
        difference = np.abs(engine.run() / reference(frame) - 1)
        largest = max(largest, float(difference.max()))
        total += float(difference.mean())
    return {'largest': largest, 'mean': total / len(frames)}


def latency(engine: Backend, threads: int, runs: int = LATENCY_RUNS) -> dict[str, Any]:
    """Return milliseconds of a run by rank."""
    seconds = []
    for _ in range(5 + runs):
        began = time.perf_counter()
        engine.run()
        seconds.append(time.perf_counter() - began)
    ranks = np.percentile(seconds[5:], (50, 95, 99)) * 1e3
    return {'p50': round(ranks[0], 3), 'p95': round(ranks[1], 3), 'p99': round(ranks[2], 3),
            'threads': threads}


def _made(data: bytes, backend: str, spec: EngineSpec) -> Backend:
    if backend == 'openvino':
        return OpenvinoBackend(data, spec)
    return OnnxBackend(data, spec, backend)


def _runner(engine: Backend) -> Run:
    """Return a function of one image; its result is the caller's."""
    def run(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        engine.images[:] = frame
        return engine.run()[0].copy()
    return run


def _calibration(quantised: Quantised | None, material: Material | None) -> dict[str, Any]:
    if quantised is None or material is None:
        return {}
    loss = quantised.loss
    return {'data': material.name, 'frames': len(material.calibration),
            'held_out': len(material.held_out), 'convolutions_in_float': quantised.floats,
            'mean_change': loss.change, 'p99_change': loss.change_p99, 'abs_rel': loss.abs_rel,
            'abs_rel_int8': loss.abs_rel_int8, 'bounded': loss.bounded}
