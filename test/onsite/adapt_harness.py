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

"""Tiny networks, recordings and sources for the tests of adaptation."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.batch_norm import batch_norms, copy_domain, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.onsite.adapt_settings import AdaptSettings

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)


def write_frames(path: Path, count: int, depth: bool, seed: int = 0, **meta: Any) -> Path:
    """Write an RGB-D folder of blobs that differ from frame to frame; depth follows the rows."""
    rng = np.random.default_rng(seed)
    rows = np.indices((48, 64))[0]
    with RgbdFolderWriter(path, CAMERA, camera='test camera', licence='none', source='test',
                          image_format='png', **meta) as writer:
        for number in range(count):
            small = rng.integers(30, 225, (12, 16, 3), dtype=np.uint8)
            image = cv2.resize(small, (64, 48), interpolation=cv2.INTER_NEAREST)
            truth = (1 + rows / 24).astype(np.float32) if depth else None
            writer.write(Frame(f'{number:06d}', 1 + number, image, CAMERA, truth))
    return path


def tiny_network(seed: int = 4) -> DepthNetwork:
    """Return a random network whose statistics fit pictures of noise."""
    torch.manual_seed(seed)
    network = DepthNetwork(TINY).train()
    for layer in batch_norms(network):
        layer.momentum = .5
    with torch.no_grad():
        for _ in range(8):
            network.forward_domain(torch.rand(4, 3, 48, 64) * 2 - 1, SOURCE)
    copy_domain(network, SOURCE, TARGET)
    for layer in batch_norms(network):
        layer.momentum = .03
    return network.eval()


def save_tiny(path: Path) -> Path:
    """Write the weights of :func:`tiny_network`."""
    save_weights(path, tiny_network(), WeightCard('tiny', TINY, 48 * 64))
    return path.with_suffix('.safetensors')


def tiny_settings(tmp_path: Path, **changes: Any) -> AdaptSettings:
    """Return settings of a job of seconds; makes weights, recording and source once."""
    if not (tmp_path / 'start.json').exists():
        save_tiny(tmp_path / 'start')
        write_frames(tmp_path / 'recording', 25, False, 1)
        write_frames(tmp_path / 'source', 20, True, 2)
    return AdaptSettings(**{
        'target': str(tmp_path / 'recording'), 'out': tmp_path / 'out',
        'weights': str(tmp_path / 'start.safetensors'), 'source': (str(tmp_path / 'source'),),
        'steps': 4, 'batch': 2, 'sizes': ((.5, 32, 32), (.5, 64, 48)), 'precision': '32-true',
        'check_frames': 4, 'checkpoint_every': 2, 'force': True, **changes})
