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

"""T2Net's two discriminators (least squares), and the pool of former translations."""

import torch
from torch import nn
from torch.nn import functional

from mde_ros.adaptation.predecessors.t2net_blocks import initialise

POOL_SIZE = 20
# The feature discriminator's parameters stay within this, as a Wasserstein critic's.
CLAMP = .01


class ImageDiscriminator(nn.Module):
    """
    Tell patches of translated images from those of target images.

    In float32 under any autocast, and on the statistics of each batch: it is only trained.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        c = channels
        act = nn.PReLU()
        layers: list[nn.Module] = [nn.Conv2d(3, c, 4, 2, 1, bias=False), act]
        for inputs, outputs, stride in ((c, 2 * c, 2), (2 * c, 4 * c, 2), (4 * c, 8 * c, 1)):
            layers += [nn.Conv2d(inputs, outputs, 4, stride, 1, bias=False),
                       nn.BatchNorm2d(outputs, track_running_stats=False), act]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * c, 1, 4, 1, 1))
        initialise(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return N x 1 x h x w, 1 for target and 0 for translated."""
        with torch.autocast(image.device.type, enabled=False):
            out: torch.Tensor = self.layers(image.float())
        return out


class FeatureDiscriminator(nn.Module):
    """
    Tell features of translated images from those of target images; fully connected.

    That ties it to one resolution. Features of another one, as in an early stage of training,
    are averaged over or repeated to fill its grid.

    :param shape: channels, height and width of the features.
    :param hidden: units of the two hidden layers.
    """

    def __init__(self, shape: tuple[int, int, int], hidden: int = 512) -> None:
        super().__init__()
        self.grid = shape[1:]
        act = nn.PReLU()
        self.layers = nn.Sequential(
            nn.Linear(shape[0] * shape[1] * shape[2], hidden), act,
            nn.Linear(hidden, hidden), act, nn.Linear(hidden, 1))
        initialise(self)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return N x 1, 1 for target and 0 for translated."""
        with torch.autocast(features.device.type, enabled=False):
            grid = functional.adaptive_avg_pool2d(features.float(), self.grid)
            out: torch.Tensor = self.layers(grid.flatten(1))
        return out

    def clamp(self) -> None:
        """Keep the parameters small."""
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.clamp_(-CLAMP, CLAMP)


def adversary_loss(fake: torch.Tensor) -> torch.Tensor:
    """Return what a generator minimises: its fakes be taken for real."""
    return (fake - 1).square().mean()


def least_squares_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Return what a discriminator minimises: 1 on real, 0 on fake."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


class ImagePool(nn.Module):
    """
    Former translations: half of the time the discriminator sees one of them.

    Its images go with the checkpoints, so that a run resumes exactly.
    """

    def __init__(self, size: int = POOL_SIZE) -> None:
        super().__init__()
        self.size = size
        self.images: list[torch.Tensor] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return as many images as given, some of them older ones that these now replace."""
        if self.images and self.images[0].shape != images.shape[1:]:
            self.images = []
        out = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image.clone())
            elif torch.rand(()) > .5:
                index = int(torch.randint(self.size, ()))
                self.images[index], image = image.clone(), self.images[index]
            out.append(image.to(images.device))
        return torch.stack(out)

    def get_extra_state(self) -> torch.Tensor:
        """Return the images as one tensor."""
        return torch.stack(self.images) if self.images else torch.zeros(0)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Take the images back."""
        self.images = list(state.clone())
