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

"""A table of seconds: tiny networks on folders of 64 x 48 pixels."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.benchmarks.data import Part, ReadyData, ReadyTarget
from mde_ros.benchmarks.methods import contender
from mde_ros.benchmarks.runner import Benchmark
from mde_ros.benchmarks.settings import Settings
from mde_ros.benchmarks.training import Machine
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.network.depth_network import NetworkConfig, SIZES

TINY = NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8), canonical_focal=50.)
CAMERA = Intrinsics(64, 48, 48., 48., 31.5, 23.5)
ADAPT, SCORE = 8, 4


def write_folder(path: Path, seed: int, frames: int = ADAPT + SCORE) -> Path:
    """Write an RGB-D folder of ramps with noise: 8 frames to adapt to, 4 to score."""
    rng = np.random.default_rng(seed)
    (path / 'rgb').mkdir(parents=True)
    (path / 'depth').mkdir()
    names = [f'{index:04d}' for index in range(frames)]
    rows, columns = np.indices((48, 64))
    for index, name in enumerate(names):
        noise = rng.integers(0, 60, (48, 64, 3))
        image = np.stack([columns * 2, rows * 3, np.full_like(rows, 10 * index)], -1) + noise
        cv2.imwrite(str(path / 'rgb' / f'{name}.png'), image.astype(np.uint8))
        cv2.imwrite(str(path / 'depth' / f'{name}.png'),
                    (1000 + 50 * rows + 50 * index).astype(np.uint16))
    (path / 'meta.json').write_text(json.dumps({
        **CAMERA.to_dict(), 'camera': 'test', 'licence': 'Apache-2.0', 'source': 'made here',
        'splits': {'adapt': names[:ADAPT], 'score': names[ADAPT:]}}))
    return path


@pytest.fixture
def ready(tmp_path: Path) -> ReadyData:
    """Return a labelled source and one target."""
    source = write_folder(tmp_path / 'source', 1)
    target = write_folder(tmp_path / 'target', 2)
    return ReadyData((Part(source),), (
        ReadyTarget('target', Part(target, 'adapt'), Part(target, 'score')),))


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return two steps of warm start and three of each method."""
    monkeypatch.setitem(SIZES, 'tiny', TINY)
    torch.set_num_threads(1)
    return Settings(frame_width=64, frame_height=48, width=64, height=48, warm_steps=2,
                    steps=3, batch=2, network='tiny',
                    precision='32-true')


@pytest.fixture
def make_benchmark(ready: ReadyData, settings: Settings,
                   tmp_path: Path) -> Callable[..., Benchmark]:
    """Return a function that makes or goes on with a benchmark in tmp_path / out."""
    def make(*methods: str, seeds: tuple[int, ...] = (0,), **more: Any) -> Benchmark:
        return Benchmark('test', more.pop('data', ready), more.pop('settings', settings),
                         [contender(name) for name in methods or ('source_only', 'adabn')],
                         seeds, tmp_path / 'out', machine=Machine(workers=0), **more)
    return make
