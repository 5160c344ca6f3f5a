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

"""The pictures that a check looks at: held-out target frames and labelled source frames."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
import torch

from mde_ros.adaptation.augmentation import OUTPUT_STRIDE
from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.resize import network_size, ResizePlan
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset


@dataclass(frozen=True)
class CheckPicture:
    """
    One picture at the network's size.

    :param image: H x W x 3 uint8, RGB.
    :param focal: focal length in pixels of ``image``.
    :param log_depth: H / 2 x W / 2, log of depth in metres, NaN where unlabelled; None for
        pictures of the target.
    """

    image: NDArray[np.uint8]
    focal: float
    log_depth: NDArray[np.float32] | None = None

    def tensor(self) -> torch.Tensor:
        """Return 1 x 3 x H x W uint8."""
        return torch.from_numpy(self.image)[None].permute(0, 3, 1, 2)


def spread_indices(count: int, most: int) -> list[int]:
    """Return at most ``most`` numbers below ``count``, evenly spaced, ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()


def target_pictures(targets: Sequence[IndexedDataset], most: int, area: int
                    ) -> list[CheckPicture]:
    """
    Return pictures of the target as the robot's network sees them, spread over its frames.

    :param targets: opened with ``read_depth=False``.
    :param most: number of pictures.
    :param area: pixels of the network's input.
    """
    if any(target.read_depth for target in targets):
        raise ValueError('open targets with read_depth=False: a check sees no labels')
    return [picture_of(frame, area) for frame in _frames(targets, most)]


def source_pictures(sources: Sequence[IndexedDataset], most: int, area: int
                    ) -> list[CheckPicture]:
    """Return labelled pictures, spread over the frames of all sources."""
    return [picture_of(frame, area) for frame in _frames(sources, most)
            if frame.depth is not None]


def _frames(sets: Sequence[IndexedDataset], most: int) -> Iterable[Frame]:
    ends = np.cumsum([len(one) for one in sets])
    for number in spread_indices(int(ends[-1]), most):
        which = int(np.searchsorted(ends, number, side='right'))
        frame = sets[which].get(number - int(ends[which]) + len(sets[which]))
        if frame is not None:
            yield frame


def picture_of(frame: Frame, area: int) -> CheckPicture:
    """Return a frame as the estimator shows it to the network, with its depth if it has any."""
    camera, image, depth = frame.intrinsics, frame.image, frame.depth
    if not camera.rectified:
        rectifier = Rectifier(camera)
        image, camera = rectifier.apply(image), rectifier.rectified
        depth = None if depth is None else rectifier.apply_depth(depth)
    plan = ResizePlan.fit(camera, *network_size(camera.width, camera.height, area))
    small = plan.apply(image)
    if depth is None:
        return CheckPicture(small, plan.network.fx)
    left, top = (side // OUTPUT_STRIDE for side in plan.offset)
    width, height = (max(1, side // OUTPUT_STRIDE) for side in plan.scaled)
    log_depth = np.full([side // OUTPUT_STRIDE for side in small.shape[:2]], np.nan, np.float32)
    # The nearest reading: a mean across an edge is a depth that is nowhere.
    there = cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    with np.errstate(invalid='ignore', divide='ignore'):
        log_depth[top:top + height, left:left + width] = np.log(np.where(there > 0, there, np.nan))
    return CheckPicture(small, plan.network.fx, log_depth)


def restyled(picture: CheckPicture, look: CheckPicture) -> CheckPicture:
    """
    Return a picture in the colours of another: mean and deviation of each Lab channel.

    The cheapest change of style there is; labels stay what they are.
    """
    ours, theirs = (cv2.cvtColor(one.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
                    for one in (picture, look))
    axes = (0, 1)
    gain = (theirs.std(axes) + 1e-3) / (ours.std(axes) + 1e-3)
    changed = (ours - ours.mean(axes)) * gain + theirs.mean(axes)
    rgb = np.clip(cv2.cvtColor(changed.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)
    return replace(picture, image=np.rint(rgb * 255).astype(np.uint8))
