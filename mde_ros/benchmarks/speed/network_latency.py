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

"""Milliseconds of several networks, or of one at several inputs, all taking turns."""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
import multiprocessing
from typing import Any

import torch

from mde_ros.benchmarks.speed.timing import in_milliseconds, take_turns
from mde_ros.estimation.backends.base import BackendError, FP32
from mde_ros.estimation.backends.choose import Engines, noise
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.network.fold import fold_network

# The fastest in float32 and the reference; the first that is there is the one to judge by.
CPU_BACKENDS, GPU_BACKENDS = ('openvino', 'torch'), ('cuda', 'torch')


def measure_apart(networks: Mapping[str, tuple[NetworkConfig, tuple[int, int]]], rounds: int,
                  threads: int = 0, device: str = 'cpu'
                  ) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, str]]:
    """
    Return :func:`measure_networks` of a process of its own, for those who train afterwards.

    OpenVINO leaves the thread that loaded several networks with a signal stack that it has freed:
    the next signal there, such as the end of a data process, would be a segmentation fault.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(measure_networks, dict(networks), rounds, threads, device).result()


def measure_networks(networks: Mapping[str, tuple[NetworkConfig, tuple[int, int]]], rounds: int,
                     threads: int = 0, device: str = 'cpu'
                     ) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, str]]:
    """
    Return milliseconds by back end and name, and why the other back ends cannot run.

    :param networks: network, with random weights, and input (width, height) by name.
    :param rounds: turns of each.
    :param threads: of the CPU, 0 for the library's own choice.
    """
    if threads:
        torch.set_num_threads(threads)
    runs: dict[str, Callable[[], object]] = {}
    there: list[str] = []
    missing: dict[str, str] = {}
    for backend in CPU_BACKENDS if device == 'cpu' else GPU_BACKENDS:
        key = f'{backend} {FP32}'
        try:
            engines = {name: Engines(fold_network(DepthNetwork(config)), name, backend=backend,
                                     threads=threads, device=device).of(*size)
                       for name, (config, size) in networks.items()}
        except (BackendError, ImportError) as error:
            missing[key] = str(error)
            continue
        there.append(key)
        for name, engine in engines.items():
            engine.images[:] = noise(engine.images.shape)
            runs[f'{key} {name}'] = engine.run
    seconds = take_turns(runs, rounds, repeats=3)
    return {key: {name: in_milliseconds(seconds[f'{key} {name}']) for name in networks}
            for key in there}, missing


def with_ratio(times: Mapping[str, Mapping[str, dict[str, float]]], name: str,
               reference: str) -> dict[str, dict[str, Any]]:
    """
    Return the times of one, by back end, each with the ratio of its median to another's.

    :param times: of :func:`measure_networks`.
    """
    return {key: {**found[name],
                  'ratio': round(found[name]['p50'] / found[reference]['p50'], 3)}
            for key, found in times.items()}
