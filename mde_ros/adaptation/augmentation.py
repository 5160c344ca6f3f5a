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

"""From a labelled frame to a training sample: zoom, fog, flip, camera appearance."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.camera.appearance import random_appearance
from mde_ros.camera.fog import random_weather
from mde_ros.datasets.frame import Frame

# The network's output has half the resolution of its input.
OUTPUT_STRIDE = 2


@dataclass(frozen=True)
class Sample:
    """
    One labelled picture at the network's size.

    :param image: H x W x 3 uint8, RGB.
    :param log_depth: H / 2 x W / 2 float32, log of canonical depth, NaN where unlabelled.
    :param focal: focal length in pixels of ``image``.
    """

    image: NDArray[np.uint8]
    log_depth: NDArray[np.float32]
    focal: float


def zoom_window(width: int, height: int, aspect: float, smallest: float,
                rng: np.random.Generator) -> tuple[int, int, int, int]:
    """
    Return a random (left, top, width, height) of the given aspect inside an image.

    Its size is a share between ``smallest`` and 1 of the largest that fits, uniform in log.
    """
    share = float(np.exp(rng.uniform(np.log(smallest), 0)))
    full = min(width, height * aspect)
    w = min(width, max(1, round(full * share)))
    h = min(height, max(1, round(full * share / aspect)))
    return int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h


def make_sample(frame: Frame, width: int, height: int, config: TrainConfig,
                rng: np.random.Generator) -> Sample:
    """
    Crop, resize, flip and re-photograph a labelled frame, in fog where ``weather`` wants it.

    Zooming changes the focal length, and the canonical label with it: depth stays metric.

    :param width: of the network's input.
    """
    assert frame.depth is not None
    left, top, w, h = zoom_window(
        frame.image.shape[1], frame.image.shape[0], width / height, config.zoom, rng)
    window = np.s_[top:top + h, left:left + w]
    shrinks = w > width
    image = cv2.resize(frame.image[window], (width, height),
                       interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    # EXACT takes the reading in the middle of each output pixel; plain INTER_NEAREST takes its
    # upper left one, which moves the labels by up to a pixel of the input.
    depth = cv2.resize(frame.depth[window], (width // OUTPUT_STRIDE, height // OUTPUT_STRIDE),
                       interpolation=cv2.INTER_NEAREST_EXACT)
    # Not drawn where it is not wanted: samples of other trainings stay what they were.
    if config.weather and rng.random() < config.weather:
        whole = cv2.resize(frame.depth[window], (width, height),
                           interpolation=cv2.INTER_NEAREST_EXACT)
        camera = frame.intrinsics.cropped(left, top, w, h).resized(width, height)
        image = random_weather(rng).apply(image, whole, camera, rng)
    if rng.random() < .5:
        image, depth = image[:, ::-1], depth[:, ::-1]
    if rng.random() < config.appearance:
        image = random_appearance(rng).apply(np.ascontiguousarray(image), rng)
    focal = frame.intrinsics.fx * width / w
    with np.errstate(invalid='ignore'):
        known = (depth >= config.min_depth) & (depth <= config.max_depth)
    log_depth = np.full(depth.shape, np.nan, np.float32)
    log_depth[known] = np.log(depth[known] * (config.network.canonical_focal / focal))
    return Sample(np.ascontiguousarray(image), log_depth, focal)


def make_target(frame: Frame, width: int, height: int, config: TrainConfig,
                rng: np.random.Generator) -> Sample:
    """
    Crop, resize and flip a frame of the target; its look is what adaptation learns, and stays.

    :param width: of the network's input.
    :return: its depth is that of an anchor, NaN where the frame has none.
    """
    left, top, w, h = zoom_window(
        frame.image.shape[1], frame.image.shape[0], width / height, config.zoom, rng)
    window = np.s_[top:top + h, left:left + w]
    image = cv2.resize(frame.image[window], (width, height),
                       interpolation=cv2.INTER_AREA if w > width else cv2.INTER_LINEAR)
    focal = frame.intrinsics.fx * width / w
    log_depth = np.full((height // OUTPUT_STRIDE, width // OUTPUT_STRIDE), np.nan, np.float32)
    if frame.depth is not None:
        depth = cv2.resize(frame.depth[window], log_depth.shape[::-1],
                           interpolation=cv2.INTER_NEAREST_EXACT)
        with np.errstate(invalid='ignore'):
            log_depth = np.log(depth * np.float32(config.network.canonical_focal / focal))
    if rng.random() < .5:
        image, log_depth = image[:, ::-1], log_depth[:, ::-1]
    return Sample(np.ascontiguousarray(image), np.ascontiguousarray(log_depth), focal)
