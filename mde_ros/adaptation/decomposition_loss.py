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

"""The feature decomposition loss: what a recognition network says of content and style."""

from collections.abc import Sequence

import torch
from torch.nn import functional

# Weights of the recognition network's layers, lowest first (LFDA: style by the lower layers,
# content by the upper ones).
STYLE_WEIGHTS = (1., .5, .25, .125)
CONTENT_WEIGHTS = (.125, .25, .5, 1.)
EPS = 1e-5


def content_distance(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor]
                     ) -> torch.Tensor:
    """
    Return the mean absolute difference of instance-normalised features, upper layers first.

    Instance normalisation takes the style out of the comparison (MUNIT's perceptual loss).

    :param ours: four N x C x H x W feature maps, lowest layer first.
    """
    total = ours[0].new_zeros(())
    for weight, a, b in zip(CONTENT_WEIGHTS, ours, theirs, strict=True):
        a, b = (functional.instance_norm(x.float(), eps=EPS) for x in (a, b))
        total = total + weight * (a - b).abs().mean()
    return total / sum(CONTENT_WEIGHTS)


def style_distance(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor]) -> torch.Tensor:
    """
    Return the difference of channel means and deviations, lower layers first.

    Each layer is measured in units of ``theirs``' own deviation, so no layer dominates by its
    magnitude. N of both must be equal: image n is compared with style n.
    """
    total = ours[0].new_zeros(())
    for weight, a, b in zip(STYLE_WEIGHTS, ours, theirs, strict=True):
        deviation_a, mean_a = torch.std_mean(a.float(), (2, 3), unbiased=False)
        deviation_b, mean_b = torch.std_mean(b.float(), (2, 3), unbiased=False)
        unit = deviation_b.mean(1, keepdim=True) + EPS
        total = total + weight * (((mean_a - mean_b) / unit).abs().mean()
                                  + ((deviation_a - deviation_b) / unit).abs().mean())
    return total / sum(STYLE_WEIGHTS)
