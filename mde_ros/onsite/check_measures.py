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

"""What can be measured of a network without labels of the target, picture by picture."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import math

import cv2
import numpy as np
from numpy.typing import NDArray
import torch

from mde_ros.adaptation.augmentation import OUTPUT_STRIDE
from mde_ros.network.batch_norm import batch_norms, SeparateBatchNorm2d, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork, normalise
from mde_ros.onsite.check_pictures import CheckPicture, restyled

# The middle 1 / ZOOM of a picture is shown again at full size.
ZOOM = 1.4
DARKER, NOISE = .7, .04
# Log depth is compared where both pictures see the same; the outer share of a zoomed picture
# sees less around it.
MARGIN = .1


def log_depths(network: DepthNetwork, images: torch.Tensor, focal: float,
               domain: str = TARGET) -> NDArray[np.float64]:
    """
    Return N x h x w log depth in metres.

    :param images: N x 3 x H x W uint8.
    """
    with torch.inference_mode():
        out = network.forward_domain(normalise(images), domain)[:, 0].double()
    return out.numpy() + math.log(focal / network.config.canonical_focal)


def variants(picture: CheckPicture, seed: int) -> torch.Tensor:
    """Return 4 x 3 x H x W: as it is, mirrored, darker with noise, and its middle enlarged."""
    image = picture.image
    height, width = image.shape[:2]
    noise = np.random.default_rng(seed).normal(0, NOISE * 255, image.shape)
    dark = np.clip(image * DARKER + noise, 0, 255).astype(np.uint8)
    window = _middle(height, width)
    zoomed = cv2.resize(image[window], (width, height), interpolation=cv2.INTER_LINEAR)
    stack = np.stack([image, image[:, ::-1], dark, zoomed])
    return torch.from_numpy(stack).permute(0, 3, 1, 2)


def _middle(height: int, width: int) -> tuple[slice, slice]:
    h, w = round(height / ZOOM), round(width / ZOOM)
    top, left = (height - h) // 2, (width - w) // 2
    return slice(top, top + h), slice(left, left + w)


def target_measures(network: DepthNetwork, pictures: Sequence[CheckPicture], seed: int = 0
                    ) -> dict[str, NDArray[np.float64]]:
    """
    Return numbers of each picture of the target; all but ``spread`` and ``level`` are errors.

    * ``flip``, ``light``, ``zoom``: mean absolute difference in log depth to the mirrored, the
      darker and noisy, and the enlarged picture (whose focal length is known);
    * ``spread``: standard deviation of log depth within the picture;
    * ``level``: median log depth;
    * ``variety``: mean absolute difference of log depth to the mean over all pictures;
    * ``fit``: see :func:`statistics_fit`, a number a layer.
    """
    rows: dict[str, list[float]] = {key: [] for key in (
        'flip', 'light', 'zoom', 'spread', 'level')}
    maps = []
    for number, picture in enumerate(pictures):
        plain, mirrored, dark, zoomed = log_depths(
            network, variants(picture, seed + number), picture.focal)
        height, width = plain.shape
        # The picture's own scale factors: rounding makes them differ a little from ZOOM.
        rows_, columns = _middle(*picture.image.shape[:2])
        zoom = picture.image.shape[1] / (columns.stop - columns.start)
        middle = plain[rows_.start // OUTPUT_STRIDE:rows_.stop // OUTPUT_STRIDE,
                       columns.start // OUTPUT_STRIDE:columns.stop // OUTPUT_STRIDE]
        enlarged = cv2.resize(middle, (width, height), interpolation=cv2.INTER_LINEAR)
        inner = np.s_[round(MARGIN * height):height - round(MARGIN * height),
                      round(MARGIN * width):width - round(MARGIN * width)]
        rows['flip'].append(float(np.abs(plain - mirrored[:, ::-1]).mean()))
        rows['light'].append(float(np.abs(plain - dark).mean()))
        rows['zoom'].append(float(np.abs(zoomed + math.log(zoom) - enlarged)[inner].mean()))
        rows['spread'].append(float(plain.std()))
        rows['level'].append(float(np.median(plain)))
        maps.append(cv2.resize(plain, (16, 12), interpolation=cv2.INTER_AREA))
    found = {key: np.array(values) for key, values in rows.items()}
    stack = np.stack(maps)
    found['variety'] = np.abs(stack - stack.mean(0)).mean((1, 2))
    found['fit'] = statistics_fit(network, pictures)
    return found


def source_measures(network: DepthNetwork, sources: Sequence[CheckPicture],
                    targets: Sequence[CheckPicture]) -> dict[str, NDArray[np.float64]]:
    """
    Return errors of each labelled source picture: mean absolute difference in log depth.

    * ``source``: on the source's own path;
    * ``styled``: on the target's path, the picture in the colours of one of the target's.
    """
    found: dict[str, list[float]] = {'source': [], 'styled': []}
    for number, picture in enumerate(sources):
        assert picture.log_depth is not None
        known = np.isfinite(picture.log_depth)
        if not known.any():
            continue
        styled = restyled(picture, targets[number % len(targets)])
        for key, one, domain in (('source', picture, SOURCE), ('styled', styled, TARGET)):
            predicted = log_depths(network, one.tensor(), one.focal, domain)[0]
            error = (predicted - picture.log_depth)[known]
            found[key].append(float(np.abs(error).mean()))
    return {key: np.array(values) for key, values in found.items()}


@contextmanager
def _inputs(network: DepthNetwork) -> Iterator[dict[SeparateBatchNorm2d, list[torch.Tensor]]]:
    """Gather channel means and squares of what enters every batch normalisation."""
    seen: dict[SeparateBatchNorm2d, list[torch.Tensor]] = {}

    def note(layer: SeparateBatchNorm2d, arguments: tuple[torch.Tensor, ...]) -> None:
        x = arguments[0].double()
        seen.setdefault(layer, []).append(
            torch.stack((x.mean((0, 2, 3)), (x * x).mean((0, 2, 3)))))

    handles = [layer.register_forward_pre_hook(note) for layer in batch_norms(network)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def statistics_fit(network: DepthNetwork, pictures: Sequence[CheckPicture]
                   ) -> NDArray[np.float64]:
    """
    Return how far the target's batch statistics are from the pictures', a number a layer.

    Kullback-Leibler divergence of the normal distributions, mean over channels: 0 is a fit.
    """
    with _inputs(network) as seen:
        for picture in pictures:
            log_depths(network, picture.tensor(), picture.focal)
    found = []
    for layer, parts in seen.items():
        mean, square = torch.stack(parts).mean(0)
        variance = (square - mean ** 2).clamp(min=0) + layer.eps
        ours, theirs = layer.statistics(TARGET)
        ratio = variance / (theirs.double() + layer.eps)
        shift = (mean - ours.double()) ** 2 / (theirs.double() + layer.eps)
        found.append(float((.5 * (shift + ratio - 1 - torch.log(ratio))).mean()))
    return np.array(found)

