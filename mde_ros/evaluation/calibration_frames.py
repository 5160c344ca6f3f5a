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

"""Frames of a camera that INT8 is calibrated on, others that it is judged by."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.distortion import Rectifier
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.estimation.backends.base import EngineSpec
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.export import ExportError, Material
from mde_ros.evaluation.metrics import compute_metrics

CALIBRATION, HELD_OUT = 48, 24
LEAST = 12
# Neighbours in a recording are nearly the same picture: the last part is held out, not every
# third frame.
HELD_OUT_SHARE = 1 / 3


def collect(source: IndexedDataset | BagFrames, estimator: DepthEstimator, spec: EngineSpec,
            count: int = CALIBRATION + HELD_OUT) -> Material:
    """
    Return frames of a data set as the network sees them.

    :param spec: whose width and height the frames must have as network inputs.
    :param count: of frames to take, evenly spread.
    :raises ExportError: for fewer than :data:`LEAST` frames, or a camera of another size.
    """
    frames = list(spread(source, count))
    if len(frames) < LEAST:
        raise ExportError(f'--calibration {source.name}: {len(frames)} readable frames, at least '
                          f'{LEAST} are needed: record more')
    for frame in frames:
        seen = estimator.network_intrinsics(frame.intrinsics)
        if (seen.width, seen.height) != (spec.width, spec.height):
            raise ExportError(
                f'--calibration {source.name}: its camera needs a network input of '
                f'{seen.width}x{seen.height}, not {spec.width}x{spec.height}: give --size '
                f'{seen.width}x{seen.height}, or frames of the camera that the engine is for')
    border = len(frames) - max(1, round(len(frames) * HELD_OUT_SHARE))
    inputs = [estimator.network_input(frame.image, frame.intrinsics) for frame in frames]
    judges = frames[border:]
    labelled = all(frame.depth is not None for frame in judges)

    def abs_rel(predictions: Sequence[NDArray[np.float32]]) -> float:
        return float(np.nanmean([
            _abs_rel(estimator, prediction, frame)
            for prediction, frame in zip(predictions, judges, strict=True)]))

    return Material(source.name, inputs[:border], inputs[border:],
                    abs_rel if labelled else None)


def spread(source: IndexedDataset | BagFrames, count: int) -> Iterator[Frame]:
    """Yield at most ``count`` readable frames, evenly spread over a data set."""
    step = max(1, -(-len(source) // count))
    if isinstance(source, IndexedDataset):
        from mde_ros.datasets.frame import FrameError
        for index in range(0, len(source), step):
            try:
                yield source.read(index)
            except FrameError:
                continue
    else:
        for index, frame in enumerate(source):
            if index % step == 0:
                yield frame


def _abs_rel(estimator: DepthEstimator, canonical: NDArray[np.float32], frame: Frame) -> float:
    assert frame.depth is not None
    truth = frame.depth
    if not frame.intrinsics.rectified:
        truth = Rectifier(frame.intrinsics).apply_depth(truth)
    return compute_metrics(estimator.metric(canonical, frame.intrinsics), truth).abs_rel
