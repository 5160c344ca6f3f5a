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

"""The back end of a network for each input size: the one asked for, or the fastest here."""

from collections.abc import Callable
import copy
from functools import partial
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.estimation.backends.base import (
    Backend, BackendError, EngineSpec, FP16, FP32, INT8, need_library, PRECISIONS)
from mde_ros.estimation.backends.cache import EngineCache, network_digest
from mde_ros.estimation.backends.engine_file import EngineCard, load_engine
from mde_ros.estimation.backends.onnx_backend import OnnxBackend, PROVIDERS
from mde_ros.estimation.backends.openvino_backend import OpenvinoBackend
from mde_ros.network.depth_network import DepthNetwork

AUTO = 'auto'
BACKENDS = (AUTO, 'torch', 'compile', 'onnx', 'openvino', 'cuda', 'tensorrt')
# What 'auto' tries. Not 'compile', which takes half a minute and a compiler.
CPU_CANDIDATES, GPU_CANDIDATES = ('openvino', 'onnx', 'torch'), ('tensorrt', 'cuda', 'torch')
# Relative difference to PyTorch in float32 from which 'auto' does not trust a back end.
TOLERANCE = 1e-3
WARM_UPS, ROUNDS = 3, 12
KEPT = 8


def check_backend(name: str, precision: str, device: str = 'cpu') -> None:
    """
    Check what can be checked before the size of the input is known.

    :raises BackendError: naming the parameter to change.
    """
    if name not in BACKENDS:
        raise BackendError(f"backend '{name}': use one of {', '.join(BACKENDS)}")
    if precision not in PRECISIONS:
        raise BackendError(f"precision '{precision}': use one of {', '.join(PRECISIONS)}")
    if name in PROVIDERS:
        OnnxBackend.check(name, precision)
    elif name == 'openvino':
        OpenvinoBackend.check(precision, device)
    elif precision == INT8 and name != AUTO:
        raise BackendError(f"precision 'int8': backend '{name}' has fp32, bf16, fp16; use onnx or "
                           'openvino')


class Engines:
    """
    Makes and keeps the engines of one network, by input size and number of images at once.

    :param network: folded.
    :param model_id: of the network, for messages.
    :param backend: of :data:`BACKENDS`.
    :param precision: of :data:`~mde_ros.estimation.backends.base.PRECISIONS`; INT8 only from a
        file.
    :param engine: file of ``mde export``, for one size; '' for none.
    :param cache: None to keep nothing between runs.
    :param batch: most images at once. The engines of fewer are made together with the first one
        of an input size, so that none has to be made later, while frames wait.
    :raises BackendError: naming the parameter to change.
    """

    def __init__(self, network: DepthNetwork, model_id: str, *, backend: str = 'torch',
                 precision: str = FP32, engine: str = '', threads: int = 0, device: str = 'cpu',
                 cache: EngineCache | None = None, batch: int = 1) -> None:
        #: As given, folded.
        self.network, self._model_id = network, model_id
        self._file: tuple[bytes, EngineCard] | None = load_engine(engine) if engine else None
        self._where = str(engine)
        self.precision = self._file[1].precision if self._file else precision
        if self.precision == INT8 and not self._file:
            raise BackendError("precision 'int8': needs a calibration: run mde export --precision "
                               'int8 --calibration DATA, and set engine to its file')
        if self._file and backend in ('torch', 'compile'):
            raise BackendError(f"engine {engine}: backend '{backend}' cannot run it; use auto, "
                               'onnx or openvino')
        check_backend(backend, self.precision, device)
        self.backend, self._threads, self._device = backend, threads, device
        self._cache, self._batch = cache, batch
        self._digest = network_digest(network) if cache is not None or engine else ''
        if backend in ('torch', 'compile'):
            self._torch(EngineSpec(16, 16, self.precision, device=device), False)
        self._kept: dict[tuple[int, int, int], Backend] = {}
        #: Of the last choice of 'auto': best seconds by back end.
        self.measured: dict[str, float] = {}

    def of(self, width: int, height: int, batch: int = 1) -> Backend:
        """
        Return the engine for an input size, made at its first use.

        :raises BackendError: when it cannot be made.
        """
        if (width, height, batch) not in self._kept:
            sizes = list(dict.fromkeys(made[:2] for made in self._kept))
            counts = [batch]
            if (width, height) not in sizes:
                counts += [] if self._file else range(1, self._batch + 1)
                if len(sizes) >= KEPT:  # pictures of a data set may come in any size
                    self._kept = {made: engine for made, engine in self._kept.items()
                                  if made[:2] != sizes[0]}
            for count in dict.fromkeys(counts):
                self._kept[width, height, count] = self._made(EngineSpec(
                    width, height, self.precision, count, self._threads, self._device))
        return self._kept[width, height, batch]

    @property
    def file_size(self) -> tuple[int, int] | None:
        """Return width and height that the engine file is for, None without one."""
        return (self._file[1].width, self._file[1].height) if self._file else None

    @property
    def file_batch(self) -> int | None:
        """Return the number of images at once that the engine file is for, None without one."""
        return self._file[1].batch if self._file else None

    @property
    def description(self) -> str:
        """Return what the newest engine is, such as 'openvino fp32 on cpu'."""
        name = next(reversed(self._kept.values())).name if self._kept else self.backend
        return f'{name} {self.precision} on {self._device}'

    def graph(self, spec: EngineSpec) -> bytes:
        """Return the serialised ONNX graph for an input, from the engine file or the network."""
        if self._file:
            model, card = self._file
            card.need(self._digest, self._model_id, spec, self._where)
            return model
        need_library(self.backend, 'onnx', 'onnx')
        if self._cache is None:
            return _graph(self.network, spec)
        plain = EngineSpec(spec.width, spec.height, spec.precision, spec.batch)
        return self._cache.content(self._cache.key(self._digest, plain, 'graph'), 'model.onnx',
                                   lambda: _graph(self.network, spec))

    def _made(self, spec: EngineSpec) -> Backend:
        if self.backend != AUTO:
            return self._named(self.backend, spec)
        if self._cache is None:
            return self._named(self._fastest(spec)['backend'], spec)
        key = self._cache.key(self._digest, spec, AUTO)
        try:
            return self._named(self._cache.decision(key, partial(self._fastest, spec))['backend'],
                               spec)
        except (BackendError, KeyError):
            # What was fastest then is there no more.
            return self._named(self._fastest(spec)['backend'], spec)

    def _named(self, name: str, spec: EngineSpec) -> Backend:
        if name in ('torch', 'compile'):
            return self._torch(spec, name == 'compile')
        model = self.graph(spec)
        place = None
        if self._cache is not None:
            place = self._cache.place(self._cache.key(self._digest, spec, name))
        if name == 'openvino':
            return OpenvinoBackend(model, spec, place)
        return OnnxBackend(model, spec, name, place)

    def _torch(self, spec: EngineSpec, compiled: bool) -> Backend:
        from mde_ros.estimation.backends.torch_backend import TorchBackend
        network = self.network if spec.precision == FP32 else copy.deepcopy(self.network)
        return TorchBackend(network, spec, compiled)

    def _fastest(self, spec: EngineSpec) -> dict[str, Any]:
        """Return name and times of the fastest back end that agrees with PyTorch."""
        names = CPU_CANDIDATES if spec.device == 'cpu' else GPU_CANDIDATES
        makers: dict[str, Callable[[], Backend]] = {
            name: partial(self._named, name, spec) for name in names
            if not (self._file and name == 'torch')}
        plain = EngineSpec(spec.width, spec.height, batch=spec.batch, device=spec.device)
        reference = None if self._file else self._torch(plain, False)
        self.measured = measure(makers, reference,
                                TOLERANCE if spec.precision == FP32 else np.inf)
        return {'backend': min(self.measured, key=self.measured.__getitem__),
                'seconds': self.measured}


def _graph(network: DepthNetwork, spec: EngineSpec) -> bytes:
    # onnx is not needed where PyTorch runs the network.
    from mde_ros.estimation.onnx_graph import depth_graph, to_half
    model = depth_graph(network, spec.width, spec.height, spec.batch)
    data: bytes = (to_half(model) if spec.precision == FP16 else model).SerializeToString()
    return data


def noise(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a picture of coarse coloured noise, the same every time, N x H x W x 3."""
    rng = np.random.default_rng(0)
    count, height, width, _ = shape
    coarse = rng.integers(0, 256, (count, -(-height // 16), -(-width // 16), 3), np.uint8)
    return coarse.repeat(16, 1).repeat(16, 2)[:, :height, :width]


def measure(makers: dict[str, Callable[[], Backend]], reference: Backend | None,
            tolerance: float) -> dict[str, float]:
    """
    Return the best seconds of a run by back end; what cannot be made or differs is left out.

    :param reference: what the depth has to agree with, None for no check.
    :raises BackendError: when nothing is left.
    """
    expected = None
    if reference is not None:
        reference.images[:] = noise(reference.images.shape)
        expected = reference.run().copy()
    engines: dict[str, Backend] = {}
    reasons = []
    for name, make in makers.items():
        try:
            engine = make()
        except BackendError as error:
            reasons.append(str(error))
            continue
        engine.images[:] = noise(engine.images.shape)
        depth = engine.run()
        difference = 0. if expected is None else float(np.abs(depth / expected - 1).max())
        if difference <= tolerance:
            engines[name] = engine
        else:
            reasons.append(f"backend '{name}' differs from torch by {difference:.1%}")
    found = dict.fromkeys(engines, np.inf)
    # In turns, and the best of each: another process at work must not decide for months.
    for turn in range(WARM_UPS + ROUNDS):
        for name, engine in engines.items():
            began = time.perf_counter()
            engine.run()
            if turn >= WARM_UPS:
                found[name] = min(found[name], time.perf_counter() - began)
    if not found:
        raise BackendError('no back end can run the network: ' + '; '.join(reasons))
    return found
