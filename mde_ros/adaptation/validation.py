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

"""A quick score on labelled source frames while training; never on a target."""

import numpy as np
import torch

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.camera.resize import network_size, ResizePlan
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.network.depth_network import DepthNetwork, metric_depth, normalise


class Validation:
    """
    Abs Rel over evenly spaced frames of a folder, at the input size of the last stage.

    :param frames: number of frames that are scored.
    """

    def __init__(self, source: IndexedDataset, frames: int, config: TrainConfig) -> None:
        self.source, self.config = source, config
        self.indices = np.unique(np.linspace(0, len(source) - 1, frames).round().astype(int))

    def __call__(self, network: DepthNetwork) -> dict[str, float]:
        """Return abs_rel, raw and with the median of each frame scaled, and delta1."""
        width, height = self.config.sizes[-1][1:]
        rows = []
        for index in self.indices:
            frame = self.source.get(int(index))
            if frame is None or frame.depth is None:
                continue
            plan = ResizePlan.fit(frame.intrinsics, *network_size(
                frame.intrinsics.width, frame.intrinsics.height, width * height))
            image = torch.from_numpy(plan.apply(frame.image))[None].permute(0, 3, 1, 2)
            with torch.inference_mode():
                depth = metric_depth(network(normalise(image)), plan.network.fx,
                                     network.config.canonical_focal)
            predicted = plan.restore(depth[0, 0].numpy())
            with np.errstate(invalid='ignore'):
                known = ((frame.depth > self.config.min_depth)
                         & (frame.depth < self.config.max_depth))
            if known.any():
                ratio = predicted[known] / frame.depth[known]
                rows.append((np.abs(ratio - 1).mean(),
                             np.abs(ratio / np.median(ratio) - 1).mean(),
                             (np.maximum(ratio, 1 / ratio) < 1.25).mean()))
        if not rows:
            return {}
        return dict(zip(('abs_rel', 'abs_rel_median_scaled', 'delta1'),
                        np.mean(rows, 0).round(5).tolist()))
