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

"""Batch statistics of the target as one number for all its frames, not as a trailing mean."""

from collections.abc import Sequence
import copy

import numpy as np
import torch

from mde_ros.adaptation.augmentation import make_target
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.network.batch_norm import batch_norms, TARGET
from mde_ros.network.depth_network import DepthNetwork, normalise

# Batches as large as this say nearly what the whole set says; the mean over some is taken.
BATCH, BATCHES = 16, 6


# Methods that train the target's path on its own statistics, which trail behind the weights.
# Others share them with the source or measure them themselves.
TRAILING = ('adabn', 'lfda', 'mean_teacher')


def statistics_batches(targets: Sequence[IndexedDataset], config: TrainConfig
                       ) -> list[torch.Tensor]:
    """Return batches of N x 3 x H x W uint8, crops as in the last stage of training."""
    rng = np.random.default_rng((config.seed, 2))
    width, height = config.sizes[-1][1:]
    ends = np.cumsum([len(target) for target in targets])
    order = rng.permutation(int(ends[-1]))[:BATCH * BATCHES]
    pictures = []
    for number in order:
        which = int(np.searchsorted(ends, number, side='right'))
        frame = targets[which].get(int(number) - int(ends[which]) + len(targets[which]))
        if frame is not None:
            pictures.append(make_target(frame, width, height, config, rng).image)
    count = max(1, len(pictures) // BATCH)
    return [torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2)
            for part in (pictures[n::count] for n in range(count)) if len(part) > 1]


def precise_statistics(network: DepthNetwork, batches: Sequence[torch.Tensor]) -> DepthNetwork:
    """
    Return a copy whose target statistics are the mean over ``batches``.

    While training they trail behind the weights; at the end the weights stand still.
    """
    network = copy.deepcopy(network).train()
    layers = batch_norms(network)
    momenta = [layer.momentum for layer in layers]
    for number, batch in enumerate(batches):
        for layer in layers:
            layer.momentum = 1 / (number + 1)
        with torch.no_grad():
            network.forward_domain(normalise(batch), TARGET)
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum
    return network.eval()
