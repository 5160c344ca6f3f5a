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

"""Mean teacher: the average of the network labels the target for it (SemiSupMDE family)."""

import torch
from torch.nn import functional

from mde_ros.adaptation.depth_loss import depth_losses
from mde_ros.adaptation.methods.base import Batch, Method, still_statistics, to_network
from mde_ros.network.batch_norm import SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork

CONSISTENCY = 1.0
# The share of the training before which the teacher is not asked.
START = .2
# Largest difference in log depth between a picture and its mirror that is still trusted.
TRUST = .1
ERASED = .25


def strong_augmentation(image: torch.Tensor) -> torch.Tensor:
    """
    Return images with other colours, noise and a box erased; geometry stays.

    :param image: N x 3 x H x W in [-1, 1].
    """
    count, _, height, width = image.shape
    device = image.device
    # Seeded by the CPU's random state, which checkpoints hold.
    random = torch.Generator(device).manual_seed(int(torch.randint(2 ** 62, ())))
    gain = torch.empty(count, 3, 1, 1, device=device).uniform_(.7, 1.3, generator=random)
    shift = torch.empty(count, 1, 1, 1, device=device).uniform_(-.25, .25, generator=random)
    noise = torch.empty_like(image).normal_(0, .05, generator=random)
    out = (image * gain + shift + noise).clamp(-1, 1)
    h, w = max(1, int(height * ERASED)), max(1, int(width * ERASED))
    for index in range(count):
        top = int(torch.randint(height - h + 1, ()))
        left = int(torch.randint(width - w + 1, ()))
        out[index, :, top:top + h, left:left + w] = 0
    return out


def teach(teacher: DepthNetwork, image: torch.Tensor, domain: str = TARGET) -> torch.Tensor:
    """Return the teacher's log depth, NaN where picture and mirrored picture disagree."""
    with torch.no_grad():
        log_depth = teacher.forward_domain(image, domain)
        mirrored = teacher.forward_domain(image.flip(-1), domain).flip(-1)
        agree = (log_depth - mirrored).abs() < TRUST
        return torch.where(agree, (log_depth + mirrored) / 2, torch.nan).float()


def consistency_loss(student: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute log difference where the teacher is sure."""
    mask = torch.isfinite(label)
    difference = torch.where(mask, student.float() - label, 0.)
    return functional.smooth_l1_loss(
        difference, torch.zeros_like(difference), reduction='sum',
        beta=.02) / mask.sum().clamp(min=1)


class MeanTeacher(Method[DepthNetwork]):
    """The labelled source, and the average's depth on strongly augmented target images."""

    name = 'mean_teacher'
    summary = 'consistency with an averaged teacher on the target, separate statistics'

    def losses(self, batch: Batch, progress: float) -> dict[str, torch.Tensor]:
        """Return the source's depth loss and the consistency."""
        terms = depth_losses(
            self.network.forward_domain(to_network(batch.image), SOURCE), batch.log_depth)
        target = to_network(batch.target)
        with torch.no_grad():
            # The statistics of operation are those of clean images.
            self.network.forward_domain(target, TARGET)
        ramp = min(1., max(0., (progress - START) / (1 - START) * 2))
        if ramp > 0:
            teacher = self.average.module.eval()
            assert isinstance(teacher, DepthNetwork)
            with still_statistics(self.network):
                student = self.network.forward_domain(strong_augmentation(target), TARGET)
            terms['consistency'] = CONSISTENCY * ramp * consistency_loss(
                student, teach(teacher, target))
        return terms
