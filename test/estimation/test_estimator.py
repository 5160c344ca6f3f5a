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

"""The estimator: metric depth of any camera, at the size of its image."""

from dataclasses import replace
import math
from pathlib import Path
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.estimator import DepthEstimator, EstimatorError
from mde_ros.estimation.weights import save_weights, WeightCard, WeightsError
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig, normalise

CONFIG = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)
CARD = WeightCard('tiny', CONFIG, 64 * 48)
CAMERA = Intrinsics(64, 48, 50., 50., 31.5, 23.5)
FISHEYE = Intrinsics(64, 48, 30., 30., 31.5, 23.5, 'equidistant', (.6, .3, 0., 0.))


def network(constant: float | None = None) -> DepthNetwork:
    """Return a tiny random network, or one whose decoder's output is a constant."""
    torch.manual_seed(7)
    made = DepthNetwork(CONFIG)
    with torch.no_grad():
        made.decoder.head.weight.mul_(30)  # depth that varies over the image
        if constant is not None:
            made.decoder.head.weight.zero_()
            made.decoder.head.bias.fill_(constant)
    return made.eval()


@pytest.fixture(scope='module')
def estimator() -> DepthEstimator:
    """Return an estimator with a random network."""
    return DepthEstimator((network(), CARD))


def picture(camera: Intrinsics, seed: int = 0) -> NDArray[np.uint8]:
    """Return smooth coloured noise of a camera's size."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (camera.height // 8 + 1, camera.width // 8 + 1, 3), np.uint8)
    return np.ascontiguousarray(
        coarse.repeat(8, 0).repeat(8, 1)[:camera.height, :camera.width])


@pytest.mark.parametrize(('width', 'height'), [(64, 48), (640, 193), (48, 64), (33, 47), (7, 5)])
def test_depth_has_the_size_of_the_image(estimator: DepthEstimator, width: int,
                                         height: int) -> None:
    camera = Intrinsics(width, height, 50., 50., width / 2, height / 2)
    estimate = estimator.estimate(picture(camera), camera)
    assert estimate.depth.shape == (height, width)
    assert estimate.depth.dtype == np.float32
    assert np.isfinite(estimate.depth).all() and (estimate.depth > 0).all()
    assert estimate.intrinsics == camera


def test_a_camera_with_fewer_pixels_is_enlarged(estimator: DepthEstimator) -> None:
    small, image = CAMERA.resized(32, 24), picture(CAMERA.resized(32, 24))
    assert estimator.network_intrinsics(small) == CAMERA
    shown = cv2.resize(image, (64, 48), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(estimator.network_input(image, small), shown)
    depth = estimator.estimate(image, small).depth
    assert depth.shape == (24, 32)
    # The network's output has half its input's sides: the camera's own size.
    full = estimator.estimate(shown, CAMERA).depth
    np.testing.assert_allclose(depth.mean(), full.mean(), rtol=.01)


def test_depth_by_hand() -> None:
    # The decoder says 0, the middle of log 0.1 .. log 100: sqrt(10) canonical metres. A 128 x 96
    # camera is halved to 64 x 48, its focal length 110 to 55 pixels, 1.1 times the canonical one.
    camera = Intrinsics(128, 96, 110., 110., 63.5, 47.5)
    depth = DepthEstimator((network(0.), CARD)).estimate(picture(camera), camera).depth
    assert np.allclose(depth, math.sqrt(10) * 1.1, rtol=1e-5)


def test_without_resizing_the_estimate_is_the_network(estimator: DepthEstimator) -> None:
    image = picture(CAMERA)
    with torch.no_grad():
        batch = normalise(torch.from_numpy(image)[None].permute(0, 3, 1, 2))
        small = network()(batch).exp()[0, 0].numpy()
    depth = estimator.estimate(image, CAMERA).depth
    assert depth.std() > .05
    # Bilinear at twice the size: the mean of a 2 x 2 block inside is a known mix of neighbours.
    blocks = depth.reshape(24, 2, 32, 2).mean((1, 3))[1:-1, 1:-1]
    kernel = np.array([1, 6, 1]) / 8
    rows = sum(k * small[i:i + 22] for i, k in enumerate(kernel))
    expected = sum(k * rows[:, i:i + 30] for i, k in enumerate(kernel))
    assert np.allclose(blocks, expected, rtol=2e-3)


def test_twice_the_focal_length_is_twice_the_depth(estimator: DepthEstimator) -> None:
    image = picture(CAMERA)
    near = estimator.estimate(image, CAMERA).depth
    far = estimator.estimate(image, replace(CAMERA, fx=100., fy=100.)).depth
    assert np.allclose(far, 2 * near, rtol=1e-6)


def test_the_larger_image_of_the_same_camera_has_the_same_depth() -> None:
    made = DepthEstimator((network(.7), CARD))
    large = CAMERA.resized(256, 192)
    small_depth = made.estimate(picture(CAMERA), CAMERA).depth
    large_depth = made.estimate(picture(large), large).depth
    assert large_depth.mean() == pytest.approx(small_depth.mean(), rel=1e-5)


def test_a_distorted_image_is_rectified_first(estimator: DepthEstimator) -> None:
    image, rectifier = picture(FISHEYE), Rectifier(FISHEYE)
    estimate = estimator.estimate(image, FISHEYE)
    assert estimate.intrinsics == FISHEYE.without_distortion()
    assert np.array_equal(estimate.image, rectifier.apply(image))
    assert not np.array_equal(estimate.image, image)
    plain = estimator.estimate(rectifier.apply(image), FISHEYE.without_distortion())
    valid = rectifier.valid
    assert np.array_equal(estimate.depth[valid], plain.depth[valid])
    # What the lens did not see has no depth.
    assert 0 < (~valid).sum() < valid.sum()
    assert np.isnan(estimate.depth[~valid]).all()


def test_a_rectified_image_is_handed_back_as_it_is(estimator: DepthEstimator) -> None:
    image = picture(CAMERA)
    assert estimator.estimate(image, CAMERA).image is image


def test_zero_coefficients_are_no_distortion(estimator: DepthEstimator) -> None:
    camera = replace(CAMERA, distortion_model='plumb_bob', distortion=(0.,) * 5)
    estimate = estimator.estimate(picture(CAMERA), camera)
    assert estimate.intrinsics == CAMERA
    assert np.array_equal(estimate.depth, estimator.estimate(picture(CAMERA), CAMERA).depth)


@pytest.mark.parametrize(('shape', 'kind', 'words'), [
    ((48, 63, 3), np.uint8, 'image 48x63x3 uint8 where the camera says 48x64x3 uint8'),
    ((64, 48, 3), np.uint8, '64x48x3'), ((48, 64), np.uint8, 'image 48x64 uint8'),
    ((48, 64, 4), np.uint8, '48x64x4'), ((48, 64, 3), np.float32, 'float32'),
    ((0, 0, 3), np.uint8, 'check camera_info')])
def test_images_that_do_not_fit_the_camera(estimator: DepthEstimator, shape: tuple[int, ...],
                                           kind: type, words: str) -> None:
    with pytest.raises(EstimatorError, match=words):
        estimator.estimate(np.zeros(shape, kind), CAMERA)


@pytest.mark.parametrize('device', ['toaster', 'cuda:99', 'cpu:nonsense'])
def test_devices_that_are_not_there(device: str) -> None:
    with pytest.raises(EstimatorError, match=f"device '{device}' cannot be used: ") as caught:
        DepthEstimator((network(), CARD), device=device)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('backend', ['onnx', 'openvino', 'auto'])
def test_every_back_end_gives_the_same_depth(backend: str) -> None:
    reference, other = (DepthEstimator((network(), CARD), backend=name, threads=1)
                        for name in ('torch', backend))
    other.prepare()
    for camera in (CAMERA, FISHEYE, Intrinsics(128, 60, 70., 70., 60., 30.)):
        depth = [made.estimate(picture(camera), camera).depth for made in (reference, other)]
        assert np.array_equal(np.isnan(depth[0]), np.isnan(depth[1]))
        assert np.allclose(*depth, rtol=1e-4, equal_nan=True)
    assert other.runs_on.endswith(' fp32 on cpu')
    assert reference.runs_on == 'torch fp32 on cpu'


@pytest.mark.parametrize(('options', 'words'), [
    ({'backend': 'cuda'}, "backend 'cuda'"), ({'backend': 'x'}, "backend 'x': use one of"),
    ({'precision': 'int8'}, 'run mde export'), ({'engine': 'none.onnx'}, 'engine none.onnx')])
def test_back_ends_that_are_not_there(options: dict[str, str], words: str) -> None:
    if options.get('backend') == 'cuda' and torch.cuda.is_available():
        pytest.skip('this machine has it')
    with pytest.raises(EstimatorError, match=words):
        DepthEstimator((network(), CARD), **options)  # type: ignore[arg-type]


def test_metric_depth_of_an_engines_output(estimator: DepthEstimator) -> None:
    image = picture(FISHEYE)
    seen = estimator.network_input(image, FISHEYE)
    engine = estimator.engines.of(seen.shape[1], seen.shape[0])
    engine.images[0] = seen
    depth = estimator.metric(engine.run()[0], FISHEYE)
    assert np.array_equal(depth, estimator.estimate(image, FISHEYE).depth, equal_nan=True)


def test_two_cameras_interleaved_give_what_they_give_alone() -> None:
    cameras = [CAMERA, FISHEYE, Intrinsics(96, 40, 70., 70., 40., 20.)]
    alone = [[DepthEstimator((network(), CARD)).estimate(picture(c, seed), c).depth
              for seed in (1, 2)] for c in cameras]
    together = DepthEstimator((network(), CARD))
    for seed in (1, 2):
        for number, camera in enumerate(cameras):
            depth = together.estimate(picture(camera, seed), camera).depth
            assert np.array_equal(depth, alone[number][seed - 1], equal_nan=True)


def test_more_cameras_than_are_kept(estimator: DepthEstimator) -> None:
    first = estimator.estimate(picture(CAMERA), CAMERA).depth
    for number in range(20):
        camera = replace(CAMERA, fx=51. + number)
        depth = estimator.estimate(picture(CAMERA), camera).depth
        assert np.allclose(depth, first * camera.fx / 50, rtol=1e-5)


def test_results_belong_to_the_caller(estimator: DepthEstimator) -> None:
    first = estimator.estimate(picture(CAMERA), CAMERA).depth
    kept = first.copy()
    estimator.estimate(picture(CAMERA, 1), CAMERA)
    assert np.array_equal(first, kept)
    first[:] = 0
    assert np.array_equal(estimator.estimate(picture(CAMERA), CAMERA).depth, kept)


def test_the_image_may_be_read_only_or_a_view(estimator: DepthEstimator) -> None:
    image = picture(CAMERA)
    expected = estimator.estimate(image, CAMERA).depth
    frozen = image.copy()
    frozen.flags.writeable = False
    mirrored = np.ascontiguousarray(image[..., ::-1])[..., ::-1]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert np.array_equal(estimator.estimate(frozen, CAMERA).depth, expected)
        assert np.array_equal(estimator.estimate(mirrored, CAMERA).depth, expected)


def test_input_area_sets_the_size_that_the_network_sees() -> None:
    camera = CAMERA.resized(128, 96)
    for area, size in ((None, (64, 48)), (128 * 96, (128, 96)), (32 * 24, (32, 32))):
        made = DepthEstimator((network(), CARD), input_area=area)
        seen = made.network_intrinsics(camera)
        assert (seen.width, seen.height) == size
    # 32 x 24 does not fit multiples of 16: the scale stays 1/4, the rest is border.
    assert seen.fx == pytest.approx(camera.fx / 4) and seen.fy == pytest.approx(camera.fy / 4)
    with pytest.raises(EstimatorError, match='input_area = 0: must be positive'):
        DepthEstimator((network(), CARD), input_area=0)


def test_weights_from_a_file_and_from_memory_agree(tmp_path: Path) -> None:
    card = save_weights(tmp_path / 'tiny', network(), CARD)
    made = DepthEstimator(tmp_path / 'tiny.safetensors')
    assert made.card == card and made.model_id == f'tiny-{card.sha256[:8]}'
    assert np.array_equal(
        made.estimate(picture(CAMERA), CAMERA).depth,
        DepthEstimator((network(), CARD)).estimate(picture(CAMERA), CAMERA).depth)
    with pytest.raises(WeightsError, match=r'nowhere\.json'):
        DepthEstimator(tmp_path / 'nowhere')


def test_a_network_in_memory_is_not_touched() -> None:
    given = network().train()
    DepthEstimator((given, CARD)).estimate(picture(CAMERA), CAMERA)
    assert given.training and all(p.requires_grad for p in given.parameters())
    assert {k: v.tolist() for k, v in given.state_dict().items()} == {
        k: v.tolist() for k, v in network().state_dict().items()}


def test_threads_are_set() -> None:
    before = torch.get_num_threads()
    try:
        DepthEstimator((network(), CARD), threads=before + 1)
        assert torch.get_num_threads() == before + 1
        DepthEstimator((network(), CARD))
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_stages_are_timed_and_warming_up_prepares_the_camera(estimator: DepthEstimator) -> None:
    estimator.warm_up(FISHEYE)
    timings = estimator.estimate(picture(FISHEYE), FISHEYE).timings
    assert list(timings) == ['rectify', 'resize', 'network', 'upsample']
    assert all(seconds >= 0 for seconds in timings.values())
    assert timings['network'] > 0
