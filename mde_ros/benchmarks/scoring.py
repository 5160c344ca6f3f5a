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

"""Scores a trained network as the depth node would run it, and keeps examples."""

from collections.abc import Sequence
import copy
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.benchmarks.data import Part
from mde_ros.benchmarks.training import card_of
from mde_ros.camera.resize import network_size
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.protocols import DepthProtocol
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.network.complexity import count
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.network.fold import fold_network

EXAMPLES = 4
# Sizes at which the literature counts, width x height.
COUNTED = ((640, 192), (320, 240))


class Examples:
    """An observer that keeps evenly spaced frames: picture, truth and depth."""

    def __init__(self, names: Sequence[str], number: int = EXAMPLES) -> None:
        # Inside the set: its first and last frame are often the least typical.
        places = (np.arange(number) + .5) / number * len(names)
        self.wanted = {names[int(place)] for place in places}
        self.kept: dict[str, list[NDArray[Any]]] = {'images': [], 'truths': [], 'depths': []}

    def __call__(self, name: str, image: NDArray[np.uint8], depth: NDArray[np.float32],
                 truth: NDArray[np.float32]) -> None:
        """Take a scored frame."""
        if name in self.wanted:
            self.kept['images'].append(image.copy())
            self.kept['truths'].append(truth.astype(np.float16))
            self.kept['depths'].append(depth.astype(np.float16))

    def save(self, path: Path) -> None:
        """Write them, whole or not at all; all in the size of the first."""
        aside = path.with_name(path.name + '.part.npz')
        arrays: dict[str, Any] = {
            key: np.stack([_sized(one, value[0]) for one in value])
            for key, value in self.kept.items() if value}
        np.savez_compressed(aside, **arrays)
        os.replace(aside, path)


def _sized(array: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return a picture in the size of another; days of KITTI differ by some pixels."""
    if array.shape == like.shape:
        return array
    height, width = like.shape[:2]
    # OpenCV knows no float16.
    return np.asarray(cv2.resize(
        array if array.dtype == np.uint8 else array.astype(np.float32), (width, height),
        interpolation=cv2.INTER_NEAREST), array.dtype)


def score(network: nn.Module, config: TrainConfig, name: str, part: Part, examples: Path,
          device: str = 'cpu', protocol: DepthProtocol | None = None) -> dict[str, Any]:
    """
    Return the numbers of a network on labelled frames, through the estimator of the node.

    :param network: ours, or any that gives log depth and has config.canonical_focal.
    :param part: the frames; read with their labels, which no training has seen.
    :param examples: .npz file of a few of them.
    :param protocol: crop, range and scaling; the row has its table entry.
    """
    folder = part.open(read_depth=True)
    # Networks without batch norm per domain have nothing to fold: they pass through as they are.
    estimator = DepthEstimator(
        (network, card_of(config, name)), device=device)  # type: ignore[arg-type]
    observer = Examples(folder.names)
    found = evaluate(folder, estimator, protocol=protocol, observers=[observer]).to_dict()
    observer.save(examples)
    return {'frames': found['frames'], 'protocol': found.get('protocol'),
            'range': [found['settings']['min_depth'], found['settings']['max_depth']],
            'data_hash': found['data']['hash'], 'scale': found['scale'],
            'floors': {floor: {column: values and values['abs_rel']
                               for column, values in columns.items()}
                       for floor, columns in found['floors'].items()},
            **{column: found[column] for column in COLUMNS}}


def cost(network: nn.Module, config: TrainConfig, part: Part,
         protocol: DepthProtocol | None = None) -> dict[str, Any]:
    """Return parameters and GMACs of what runs for one image, at the sizes of papers and here."""
    folded = (fold_network(network) if isinstance(network, DepthNetwork)
              else copy.deepcopy(network))
    camera = part.camera(protocol)
    width, height = config.sizes[-1][1:]
    here = network_size(camera.width, camera.height, width * height)
    # Without data nothing is computed: shapes are enough to count.
    folded.to('meta')
    counted = {f'{w}x{h}': count(folded, w, h) for w, h in (*COUNTED, here)}
    return {'parameters': counted[f'{here[0]}x{here[1]}'].parameters,
            'input': f'{here[0]}x{here[1]}',
            'gmacs': {size: round(one.gmacs, 4) for size, one in counted.items()}}
