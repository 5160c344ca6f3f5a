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

from collections.abc import Sequence
from dataclasses import dataclass
import logging
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
import torch

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import network_size, ResizePlan
from mde_ros.errors import MdeError
from mde_ros.estimation.backends.base import Backend, BackendError, FP32
from mde_ros.estimation.backends.cache import EngineCache
from mde_ros.estimation.backends.choose import Engines
from mde_ros.estimation.profile import (
    apply_profile, load_profile, ProfileCard, ProfileError, SiteScale, Tensors)
from mde_ros.estimation.profile_store import resolve_profile
from mde_ros.estimation.weights import load_weights, SHIPPED, WeightCard
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.network.fold import fold_network

_log = logging.getLogger(__name__)

TYPICAL_SIDES = (640, 480)


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
    :param timings: seconds by stage: rectify, resize, network, upsample. Of a batch, network is
        the time of its run divided by its images.
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

    ``profile`` and ``scale`` are those in use, ``notices`` what was wrong with a store.

    :param weights: path of a weight file, 'shipped', or a network in memory with its card.
    :param profile: camera profile of these weights: a file, a store folder (its current one), or
        what :func:`mde_ros.estimation.profile.load_profile` returns; '' for none. Its scale
        multiplies the depth.
    :param input_area: pixels of the network's input; None takes the card's.
    :param threads: CPU threads of the network (of PyTorch, a setting of the whole process); None
        leaves them to the library.
    :param device: 'cpu', 'cuda' or any other of PyTorch's.
    :param backend: what runs the network: 'torch', 'compile', 'onnx', 'openvino', 'cuda',
        'tensorrt', or 'auto' for the fastest on this machine.
    :param precision: 'fp32', 'bf16' or 'fp16'; 'int8' comes with its engine.
    :param engine: file of ``mde export``, in place of ``precision``; '' for none.
    :param cache: where engines are kept between runs; None keeps none.
    :param batch: most images at once that engines are prepared for; an engine file has its own
        number, and is run as often as needed.
    :raises mde_ros.estimation.weights.WeightsError: when the weights cannot be used.
    :raises mde_ros.estimation.profile.ProfileError: when the profile cannot.
    :raises EstimatorError: when the device, the back end or the precision is not there.
    """

    def __init__(self, weights: str | Path | tuple[DepthNetwork, WeightCard] = SHIPPED, *,
                 profile: str | Path | tuple[Tensors, ProfileCard] = '',
                 input_area: int | None = None, threads: int | None = None,
                 device: str = 'cpu', backend: str = 'torch', precision: str = FP32,
                 engine: str | Path = '', cache: EngineCache | None = None,
                 batch: int = 1) -> None:
        network, self.card = (
            weights if isinstance(weights, tuple) else load_weights(weights))
        self.model_id = self.card.model_id
        self.profile: ProfileCard | None = None
        self.scale = SiteScale()
        self.notices: list[str] = []
        network = self._with_profile(network, profile)
        self.input_area = self.card.input_area if input_area is None else input_area
        if self.input_area < 1:
            raise EstimatorError(f'input_area = {self.input_area}: must be positive')
        if threads:
            torch.set_num_threads(threads)
        try:
            #: One engine for each size of the input and number of images at once.
            self.engines = Engines(
                fold_network(network), self.model_id, backend=backend, precision=precision,
                engine=str(engine), threads=threads or 0, device=device, cache=cache, batch=batch)
        except BackendError as error:
            raise EstimatorError(str(error)) from error
        self._batch = batch
        self._canonical_focal = network.config.canonical_focal
        self._cameras: dict[Intrinsics, tuple[Rectifier | None, ResizePlan]] = {}

    def _with_profile(self, network: DepthNetwork,
                      profile: str | Path | tuple[Tensors, ProfileCard]) -> DepthNetwork:
        """Return the network with the profile's tensors; note its scale and name."""
        if isinstance(profile, tuple):
            where, loaded = '', profile
        else:
            path = resolve_profile(profile, self.card.sha256, self._notice) if profile else None
            if path is None:
                return network
            where, loaded = f'{path}: ', load_profile(path)
        try:
            network = apply_profile(network, self.card, loaded)
        except ProfileError as error:
            raise ProfileError(f'{where}{error}') from error
        self.profile = loaded[1]
        self.scale = self.profile.scale
        self.model_id += f'+{self.profile.profile_id}'
        return network

    def _notice(self, line: str) -> None:
        self.notices.append(line)
        _log.warning(line)

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

    def network_input(self, image: NDArray[np.uint8],
                      intrinsics: Intrinsics) -> NDArray[np.uint8]:
        """Return what the network sees of an image: rectified, resized, padded; h x w x 3."""
        rectifier, plan = self._camera(intrinsics)
        return plan.apply(image if rectifier is None else rectifier.apply(image))

    def metric(self, canonical: NDArray[np.float32],
               intrinsics: Intrinsics) -> NDArray[np.float32]:
        """Return depth H x W of a camera, in metres, from an engine's output h x w."""
        rectifier, plan = self._camera(intrinsics)
        # Networks without a canonical focal length give metres whatever the lens.
        focal = self._canonical_focal
        full = plan.restore(self.scale.apply(
            canonical, 1. if focal is None else plan.network.fx / focal))
        if rectifier is not None:
            full[~rectifier.valid] = np.nan
        return full

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        """
        Return metric depth of one image.

        :param image: H x W x 3 uint8, RGB, of the size that ``intrinsics`` names.
        :raises EstimatorError: for another shape or type.
        """
        return self.estimate_batch([image], [intrinsics])[0]

    def estimate_batch(self, images: Sequence[NDArray[np.uint8]],
                       intrinsics: Sequence[Intrinsics]) -> list[Estimate]:
        """
        Return metric depth of several images; those of one input size share a run of the network.

        :param images: each H x W x 3 uint8, RGB, of the size that its ``intrinsics`` name.
        :raises EstimatorError: for another shape or type of any of them.
        """
        waiting: dict[tuple[int, int], list[int]] = {}
        for index, (image, camera) in enumerate(zip(images, intrinsics, strict=True)):
            if image.shape != (camera.height, camera.width, 3) or image.dtype != np.uint8:
                raise EstimatorError(
                    f'image {"x".join(map(str, image.shape))} {image.dtype} where the camera says '
                    f'{camera.height}x{camera.width}x3 uint8: check camera_info')
            seen = self.network_intrinsics(camera)
            waiting.setdefault((seen.width, seen.height), []).append(index)
        found: dict[int, Estimate] = {}
        for size, indices in waiting.items():
            # An engine file has a fixed number; what a run leaves of it stays unused.
            most = self.engines.file_batch or len(indices)
            for part in (indices[i:i + most] for i in range(0, len(indices), most)):
                engine = self._engine(size, len(part))
                found.update(zip(part, self._run(
                    engine, [images[i] for i in part], [intrinsics[i] for i in part])))
        return [found[index] for index in range(len(images))]

    def _engine(self, size: tuple[int, int], count: int) -> Backend:
        try:
            return self.engines.of(*size, self.engines.file_batch or count)
        except BackendError as error:
            raise EstimatorError(str(error)) from error

    def _run(self, engine: Backend, images: Sequence[NDArray[np.uint8]],
             intrinsics: Sequence[Intrinsics]) -> list[Estimate]:
        """Return the estimates of one run."""
        rectified, times = list(images), []
        for slot, camera in enumerate(intrinsics):
            rectifier, plan = self._camera(camera)
            began = perf_counter()
            if rectifier is not None:
                rectified[slot] = rectifier.apply(images[slot])
            middle = perf_counter()
            plan.apply(rectified[slot], out=engine.images[slot])
            times.append({'rectify': middle - began, 'resize': perf_counter() - middle})
        began = perf_counter()
        canonical = engine.run()
        network = (perf_counter() - began) / len(images)
        estimates = []
        for slot, camera in enumerate(intrinsics):
            began = perf_counter()
            depth = self.metric(canonical[slot], camera)
            estimates.append(Estimate(
                depth, self._camera(camera)[1].camera, rectified[slot],
                {**times[slot], 'network': network, 'upsample': perf_counter() - began}))
        return estimates

    @property
    def runs_on(self) -> str:
        """Return back end, precision and device, such as 'openvino fp32 on cpu'."""
        return self.engines.description

    def prepare(self) -> None:
        """
        Make the engines that most cameras (4:3) need, or that of the file, before one comes.

        :raises EstimatorError: when it cannot be made.
        """
        size = self.engines.file_size or network_size(
            TYPICAL_SIDES[0], TYPICAL_SIDES[1], self.input_area)
        for count in range(1, self._batch + 1):
            self._engine(size, count).run()

    def warm_up(self, intrinsics: Intrinsics) -> None:
        """Run on black images, 1 to ``batch``, so that the first frames are as fast as others."""
        black = np.zeros((intrinsics.height, intrinsics.width, 3), np.uint8)
        for count in range(1, self._batch + 1):
            self.estimate_batch([black] * count, [intrinsics] * count)
