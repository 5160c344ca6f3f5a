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

"""Images of several cameras in one run of the network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.backends.base import Backend
from mde_ros.estimation.backends.cache import network_digest
from mde_ros.estimation.backends.choose import Engines, noise
from mde_ros.estimation.backends.engine_file import EngineCard, save_engine
from mde_ros.estimation.estimator import DepthEstimator, EstimatorError
from mde_ros.estimation.onnx_graph import depth_graph
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.network.fold import fold_network

CONFIG = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)
CARD = WeightCard('tiny', CONFIG, 64 * 48)
CAMERA = Intrinsics(64, 48, 50., 50., 31.5, 23.5)
FISHEYE = Intrinsics(64, 48, 30., 30., 31.5, 23.5, 'equidistant', (.6, .3, 0., 0.))
WIDE = Intrinsics(128, 60, 70., 70., 60., 30.)  # another size of the network's input
CAMERAS = (CAMERA, WIDE, FISHEYE, replace(CAMERA, fx=90., fy=90.), WIDE)


def network() -> DepthNetwork:
    """Return a tiny random network whose depth varies over the image."""
    torch.manual_seed(7)
    made = DepthNetwork(CONFIG)
    with torch.no_grad():
        made.decoder.head.weight.mul_(30)
    return made.eval()


def pictures(cameras: tuple[Intrinsics, ...] = CAMERAS) -> list[NDArray[np.uint8]]:
    """Return a picture for each camera, each another."""
    return [np.roll(noise((1, c.height, c.width, 3))[0], 11 * i, 1)
            for i, c in enumerate(cameras)]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the number of images of each run of the network from now on."""
    counts: list[int] = []
    plain = DepthEstimator._run

    def noted(self: DepthEstimator, engine: Backend, images: list[NDArray[np.uint8]],
              intrinsics: list[Intrinsics]) -> object:
        counts.append(len(images))
        return plain(self, engine, images, intrinsics)
    monkeypatch.setattr(DepthEstimator, '_run', noted)
    return counts


@pytest.mark.parametrize('backend', ['torch', 'onnx', 'openvino'])
def test_a_batch_is_what_its_images_are_alone(backend: str, runs: list[int]) -> None:
    estimator = DepthEstimator((network(), CARD), backend=backend, threads=1, batch=3)
    alone = [estimator.estimate(image, camera) for image, camera in zip(pictures(), CAMERAS)]
    assert runs == [1] * 5
    together = estimator.estimate_batch(pictures(), CAMERAS)
    assert runs[5:] == [3, 2]  # by the size of the input
    for one, other, camera in zip(alone, together, CAMERAS):
        assert other.intrinsics == one.intrinsics == camera.without_distortion()
        assert np.array_equal(other.image, one.image)
        assert np.allclose(other.depth, one.depth, rtol=1e-5, equal_nan=True)
        assert np.nanstd(one.depth) > .05
    assert not np.allclose(together[1].depth, together[4].depth, rtol=1e-2)


def test_results_belong_to_the_caller() -> None:
    estimator = DepthEstimator((network(), CARD), backend='onnx', threads=1, batch=2)
    first = estimator.estimate_batch(pictures()[:1] * 2, CAMERAS[:1] * 2)
    kept = [estimate.depth.copy() for estimate in first]
    estimator.estimate_batch([255 - image for image in pictures()[:1]] * 2, CAMERAS[:1] * 2)
    assert all(np.array_equal(estimate.depth, depth) for estimate, depth in zip(first, kept))


def test_the_time_of_a_run_is_divided_among_its_images() -> None:
    estimator = DepthEstimator((network(), CARD))
    found = estimator.estimate_batch(pictures(), CAMERAS)
    times = [estimate.timings['network'] for estimate in found]
    assert times[0] == times[2] == times[3]
    assert times[1] == times[4]
    assert all(list(estimate.timings) == ['rectify', 'resize', 'network', 'upsample']
               for estimate in found)


def test_images_that_do_not_fit_end_the_batch() -> None:
    estimator = DepthEstimator((network(), CARD))
    images = pictures()
    images[3] = images[3][:-1]
    with pytest.raises(EstimatorError, match='image 47x64x3 uint8 where the camera says 48x64x3'):
        estimator.estimate_batch(images, CAMERAS)
    with pytest.raises(ValueError, match='shorter'):
        estimator.estimate_batch(images, CAMERAS[:2])
    assert estimator.estimate_batch([], []) == []


def test_no_engine_is_made_after_warming_up(monkeypatch: pytest.MonkeyPatch,
                                            runs: list[int]) -> None:
    estimator = DepthEstimator((network(), CARD), batch=3)
    estimator.prepare()  # 64 x 48
    estimator.warm_up(WIDE)
    assert runs == [1, 2, 3]
    monkeypatch.setattr(Engines, '_made', lambda *_: pytest.fail('made while frames wait'))
    for count in (1, 2, 3):
        estimator.estimate_batch(pictures((CAMERA, WIDE) * count), (CAMERA, WIDE) * count)


@pytest.mark.parametrize(('batch', 'expected'), [(1, [1] * 5), (2, [2, 1, 2])])
def test_an_engine_file_keeps_its_own_number(tmp_path: Path, runs: list[int], batch: int,
                                             expected: list[int]) -> None:
    folded = fold_network(network())
    save_engine(tmp_path / 'e', depth_graph(folded, 64, 48, batch).SerializeToString(),
                EngineCard('tiny-', network_digest(folded), 'onnx', 64, 48, 'fp32', batch))
    cameras = (CAMERA, FISHEYE, CAMERA)
    estimator = DepthEstimator((network(), CARD), backend='onnx', threads=1, batch=3,
                               engine=tmp_path / 'e')
    estimator.prepare()
    found = estimator.estimate_batch(pictures(cameras), cameras)
    found += estimator.estimate_batch(pictures(cameras[:2]), cameras[:2])
    assert runs == expected
    plain = DepthEstimator((network(), CARD)).estimate_batch(pictures(cameras), cameras)
    for one, other in zip(found, plain + plain[:2]):
        assert np.allclose(one.depth, other.depth, rtol=1e-4, equal_nan=True)
