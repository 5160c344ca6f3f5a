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

"""From an image and its camera to metric depth: what the node and the evaluator call."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
import torch

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import network_size, ResizePlan
from mde_ros.errors import MdeError
from mde_ros.estimation.weights import load_weights, SHIPPED, WeightCard
from mde_ros.network.depth_network import DepthNetwork, metric_depth, normalise
from mde_ros.network.fold import fold_network


class EstimatorError(MdeError):
    """An image that cannot be estimated, or a device that is not there."""


@dataclass(frozen=True)
class Estimate:
    """
    Depth of one image.

    :param depth: H x W float32 metres along the optical axis, at the size of the image; NaN
        where the rectified image shows what the lens did not see.
    :param intrinsics: the rectified pinhole that the depth belongs to.
    :param image: the rectified image, H x W x 3 uint8 RGB.
    :param timings: seconds by stage: rectify, resize, network, upsample.
    """

    depth: NDArray[np.float32]
    intrinsics: Intrinsics
    image: NDArray[np.uint8]
    timings: dict[str, float]


class DepthEstimator:
    """
    The network behind images of any camera.

    Resizing plans and rectification maps are kept for each camera, so switching between
    cameras costs nothing. Not for two callers at the same time.

    :param weights: path of a weight file, 'shipped', or a network in memory with its card.
    :param input_area: pixels of the network's input; None takes the card's.
    :param threads: CPU threads of PyTorch (a setting of the whole process); None leaves it.
    :param device: 'cpu', 'cuda' or any other of PyTorch's.
    :raises mde_ros.estimation.weights.WeightsError: when the weights cannot be used.
    :raises EstimatorError: when the device is not there.
    """

    def __init__(self, weights: str | Path | tuple[DepthNetwork, WeightCard] = SHIPPED, *,
                 input_area: int | None = None, threads: int | None = None,
                 device: str = 'cpu') -> None:
        network, self.card = (
            weights if isinstance(weights, tuple) else load_weights(weights))
        self.model_id = self.card.model_id
        self.input_area = self.card.input_area if input_area is None else input_area
        if self.input_area < 1:
            raise EstimatorError(f'input_area = {self.input_area}: must be positive')
        if threads:
            torch.set_num_threads(threads)
        try:
            self.device = torch.device(device)
            self._network = fold_network(network).to(self.device).to(
                memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise EstimatorError(f"device '{device}' cannot be used: {reason}") from error
        self._canonical_focal = network.config.canonical_focal
        self._cameras: dict[Intrinsics, tuple[Rectifier | None, ResizePlan]] = {}

    def _camera(self, intrinsics: Intrinsics) -> tuple[Rectifier | None, ResizePlan]:
        known = self._cameras.get(intrinsics)
        if known is None:
            rectifier = None if intrinsics.rectified else Rectifier(intrinsics)
            pinhole = rectifier.rectified if rectifier else intrinsics.without_distortion()
            size = network_size(pinhole.width, pinhole.height, self.input_area)
            known = rectifier, ResizePlan.fit(pinhole, *size)
            if len(self._cameras) > 16:  # frames of a data set may each have their own camera
                self._cameras.clear()
            self._cameras[intrinsics] = known
        return known

    def network_intrinsics(self, intrinsics: Intrinsics) -> Intrinsics:
        """Return the intrinsics of what the network sees of a camera."""
        return self._camera(intrinsics)[1].network

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        """
        Return metric depth of one image.

        :param image: H x W x 3 uint8, RGB, of the size that ``intrinsics`` names.
        :raises EstimatorError: for another shape or type.
        """
        if image.shape != (intrinsics.height, intrinsics.width, 3) or image.dtype != np.uint8:
            raise EstimatorError(
                f'image {"x".join(map(str, image.shape))} {image.dtype} where the camera says '
                f'{intrinsics.height}x{intrinsics.width}x3 uint8: check camera_info')
        rectifier, plan = self._camera(intrinsics)
        times = [perf_counter()]
        if rectifier is not None:
            image = rectifier.apply(image)
        times.append(perf_counter())
        # Images of messages may be read-only, which PyTorch does not know.
        small = np.require(plan.apply(image), requirements=('C', 'W'))
        times.append(perf_counter())
        with torch.inference_mode():
            batch = torch.from_numpy(small)[None].to(self.device).permute(0, 3, 1, 2)
            log_depth = self._network(normalise(batch))
            depth = metric_depth(log_depth, plan.network.fx, self._canonical_focal)
            raw = depth[0, 0].cpu().numpy()
        times.append(perf_counter())
        full = plan.restore(raw)
        if rectifier is not None:
            full[~rectifier.valid] = np.nan
        times.append(perf_counter())
        stages = ('rectify', 'resize', 'network', 'upsample')
        return Estimate(full, plan.camera, image,
                        {name: b - a for name, a, b in zip(stages, times, times[1:])})

    def warm_up(self, intrinsics: Intrinsics) -> None:
        """Run once on a black image, so that the first frame is as fast as the others."""
        self.estimate(np.zeros((intrinsics.height, intrinsics.width, 3), np.uint8), intrinsics)
