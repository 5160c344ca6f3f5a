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

"""Protocols against a second implementation, written here as published code is."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.evaluation.crops import CropError, CROPS
from mde_ros.evaluation.evaluator import evaluate, EvaluationError
from mde_ros.evaluation.metrics import mean_metrics, METRIC_NAMES
from mde_ros.evaluation.protocols import (
    COLUMN_OF_SCALING, get_protocol, ProtocolError, PROTOCOLS, TRUTHS)
from mde_ros.evaluation.scoring import Scorer

KITTI, NYU, CITYSCAPES = (375, 1242), (480, 640), (1024, 2048)
SIZES = {'nyu-eigen-10m': NYU, 't2net-indoor-8m': NYU, 's2r-indoor-8m': NYU, 'sun-8m': (427, 561),
         'plain': (60, 80), 'cityscapes-80m-median': CITYSCAPES}
# (input rows, input columns), (crop rows, crop columns of the input), minimum, cap, median:
# typed from the repositories, not taken from the table under test.
FULL = slice(None), slice(None)
GARG = slice(153, 371), slice(44, 1197)
PUBLISHED: dict[str, tuple[Any, Any, float, float, str]] = {
    'plain': (FULL, FULL, .3, 10, 'no'),
    'plain-road': (FULL, FULL, 1, 80, 'no'),
    'eigen-80m': (FULL, GARG, 1e-3, 80, 'no'),
    'eigen-50m': (FULL, GARG, 1e-3, 50, 'no'),
    'eigen-80m-median': (FULL, GARG, 1e-3, 80, 'before'),
    'eigencrop-80m': (FULL, (slice(124, 342), slice(44, 1197)), 1e-3, 80, 'no'),
    't2net-50m': (FULL, GARG, 1, 50, 'no'),
    't2net-80m': (FULL, GARG, 1, 80, 'no'),
    's2r-80m': (FULL, GARG, 1e-3, 80, 'after'),
    'kb-garg-80m': ((slice(23, 375), slice(13, 1229)), (slice(143, 349), slice(43, 1172)),
                    1e-3, 80, 'no'),
    # Rows 153 to 370 and columns 44 to 1196 of the image, 23 and 13 less in the window.
    'bts-garg-80m': ((slice(23, 375), slice(13, 1229)), (slice(130, 348), slice(31, 1184)),
                     1e-3, 80, 'no'),
    'nyu-eigen-10m': (FULL, (slice(45, 471), slice(41, 601)), 1e-3, 10, 'no'),
    't2net-indoor-8m': ((slice(12, 468), slice(16, 624)), FULL, 1, 8, 'no'),
    's2r-indoor-8m': (FULL, FULL, 1e-3, 8, 'after'),
    'sun-8m': (FULL, FULL, 1e-3, 8, 'no'),
    'vkitti-80m': (FULL, FULL, 1e-3, 80, 'no'),
    'cityscapes-80m-median': ((slice(0, 768), slice(None)), (slice(256, 768), slice(192, 1856)),
                              1e-3, 80, 'before'),
}


def second_opinion(pred: NDArray[Any], gt: NDArray[Any], name: str) -> dict[str, float]:
    """Return the metrics of one image: a plain script in double precision."""
    window, crop, low, high, median = PUBLISHED[name]
    pred, gt = pred[window][crop].astype('f8'), gt[window][crop].astype('f8')
    mask = np.logical_and(gt > low, gt < high)
    pred, gt = pred[mask], gt[mask]
    if median == 'after':
        pred = np.minimum(np.maximum(pred, low), high)
        pred = pred * np.median(gt) / np.median(pred)
    else:
        if median == 'before':
            pred = pred * np.median(gt) / np.median(pred)
        pred = np.minimum(np.maximum(pred, low), high)
    thresh = np.maximum(gt / pred, pred / gt)
    err = np.log(pred) - np.log(gt)
    return {
        'abs_rel': np.mean(np.abs(gt - pred) / gt), 'sq_rel': np.mean((gt - pred) ** 2 / gt),
        'rmse': np.sqrt(np.mean((gt - pred) ** 2)), 'rmse_log': np.sqrt(np.mean(err ** 2)),
        'log10': np.mean(np.abs(np.log10(gt) - np.log10(pred))),
        'silog': 100 * np.sqrt(np.mean(err ** 2) - np.mean(err) ** 2),
        'delta1': (thresh < 1.25).mean(), 'delta2': (thresh < 1.25 ** 2).mean(),
        'delta3': (thresh < 1.25 ** 3).mean()}


def random_pair(shape: tuple[int, int], cap: float,
                seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a prediction that often leaves the range and a sparse reference."""
    rng = np.random.default_rng(seed)
    truth = np.exp(rng.uniform(np.log(.0005), np.log(cap * 1.3), shape)).astype(np.float32)
    truth[rng.random(shape) < .6] = np.nan
    prediction = np.nan_to_num(truth, nan=1.) * np.exp(rng.normal(.2, .5, shape))
    return prediction.astype(np.float32), truth


def test_every_protocol_is_checked_here() -> None:
    assert list(PUBLISHED) == list(PROTOCOLS)
    for protocol in PROTOCOLS.values():
        assert protocol.crop in CROPS and protocol.input_crop in CROPS
        assert protocol.scaling in COLUMN_OF_SCALING and protocol.truth in TRUTHS


@pytest.mark.parametrize('name', PROTOCOLS)
def test_a_second_implementation_agrees(name: str) -> None:
    protocol, shape = get_protocol(name), SIZES.get(name, KITTI)
    camera = Intrinsics(shape[1], shape[0], 700., 700., shape[1] / 2, shape[0] / 2)
    wanted = []
    with Scorer(protocol.options()) as scorer:
        for seed in range(1 if shape == CITYSCAPES else 2):
            prediction, truth = random_pair(shape, protocol.maximum, seed)
            image = np.zeros((*shape, 3), np.uint8)
            part = protocol.prepare(Frame('f', 0, image, camera, truth))
            predicted = protocol.prepare(Frame('f', 0, image, camera, prediction)).depth
            assert part.depth is not None and predicted is not None
            assert part.image.shape[:2] == part.depth.shape
            assert scorer.add(f'{seed}', seed, predicted, part.depth) is None
            wanted.append(second_opinion(prediction, truth, name))
        scores = scorer.finish()
    got = scores.columns[protocol.column].to_dict()
    for metric in METRIC_NAMES:
        mean = np.mean([row[metric] for row in wanted])
        assert got[metric] == pytest.approx(mean, rel=1e-6, abs=1e-9), metric


@pytest.mark.parametrize('name', PROTOCOLS)
def test_every_pixel_of_the_mask(name: str) -> None:
    """One pixel in 3 x 3 tells: its depth is only scored where the second implementation does."""
    protocol, shape = get_protocol(name), SIZES.get(name, KITTI)
    window, crop, low, high, _ = PUBLISHED[name]
    rng = np.random.default_rng(7)
    # The bounds themselves are outside.
    truth = rng.choice(np.array([low, low * 1.01, 5., high * .99, high], np.float32), shape)
    camera = Intrinsics(shape[1], shape[0], 700., 700., 1., 1.)
    part = protocol.prepare(Frame('f', 0, np.zeros((*shape, 3), np.uint8), camera, truth)).depth
    assert part is not None
    wanted = np.zeros(part.shape, bool)
    wanted[crop] = (truth[window][crop] > np.float32(low)) & (truth[window][crop] < high)
    with Scorer(protocol.options()) as scorer:
        # The prediction numbers the pixels, so that the scored ones can be told.
        numbers = np.arange(1, part.size + 1, dtype=np.float32).reshape(part.shape)
        assert scorer.add('f', 0, numbers, part) is None
        stored, = list(scorer._store)
    scored = np.zeros(part.size, bool)
    scored[stored.prediction.astype(int) - 1] = True
    np.testing.assert_array_equal(scored.reshape(part.shape), wanted)


def test_scaled_after_the_clamp_may_exceed_the_cap() -> None:
    """By hand: reference 60, prediction 100 clamped to 80, median factor .75: all 60."""
    truth = np.full((375, 1242), 60, np.float32)
    prediction = np.full_like(truth, 100)
    prediction[:, 600:] = 40  # of 1153 columns 556 and 597: the median is 40, the factor 1.5
    for name, far in (('s2r-80m', 120.), ('eigen-80m-median', 80.)):
        with Scorer(get_protocol(name).options()) as scorer:
            assert scorer.add('f', 0, prediction, truth) is None
            got = scorer.finish().columns['median_scaled'].abs_rel
        assert got == pytest.approx(556 / 1153 * (far - 60) / 60, rel=1e-9), name


def test_metrics_are_means_over_images_not_over_pixels() -> None:
    truth = np.full(KITTI, np.nan, np.float32)
    truth[200:204, 100:130] = 20  # 120 pixels, against 251 354 of the other image
    with Scorer(get_protocol('eigen-80m').options()) as scorer:
        full = np.full(KITTI, 20, np.float32)
        assert scorer.add('many', 0, full, full) is None
        assert scorer.add('few', 1, full / 2, truth) is None
        scores = scorer.finish()
    assert scores.columns['raw'].abs_rel == pytest.approx(.25)
    assert scores.frames[0].pixels == 218 * 1153 and scores.frames[1].pixels == 120
    assert mean_metrics([f.columns['raw'] for f in scores.frames]) == scores.columns['raw']


def test_the_input_crop_moves_the_principal_point() -> None:
    camera = Intrinsics(1242, 375, 721.5377, 721.5377, 609.5593, 172.854)
    image = np.random.default_rng(0).integers(0, 255, (375, 1242, 3), np.uint8)
    part = get_protocol('kb-garg-80m').prepare(Frame('f', 0, image, camera))
    assert part.depth is None
    np.testing.assert_array_equal(part.image, image[23:, 13:1229])
    k = part.intrinsics
    assert (k.width, k.height, k.cx, k.cy) == pytest.approx((1216, 352, 596.5593, 149.854))
    with pytest.raises(CropError):
        get_protocol('kb-garg-80m').prepare(Frame(
            'f', 0, image[:300], camera.cropped(0, 0, 1242, 300)))


def test_the_reference_must_be_the_protocols() -> None:
    source = SimpleNamespace(meta={'truth': 'velodyne'})
    get_protocol('eigen-80m').check_source(source)
    get_protocol('plain-road').check_source(source)
    get_protocol('t2net-50m').check_source(SimpleNamespace(meta={}))  # a folder does not say
    with pytest.raises(ProtocolError, match=r"'t2net-50m' is scored on .* forward x .*"
                                            r'write kitti:PATH\?truth=velodyne&depth=velo_x'):
        get_protocol('t2net-50m').check_source(source)


def test_unknown_protocol() -> None:
    with pytest.raises(ProtocolError, match=r"protocol 'eigen': there are: plain, .*eigen-80m"):
        get_protocol('eigen')


def test_evaluation_with_a_protocol(
        source_of: Callable[..., Any], estimator_of: Callable[..., Any]) -> None:
    """Right on the left half, half as deep on the right; the mirror image evens both out."""
    camera = Intrinsics(640, 480, 500., 500., 310., 240.)
    image = np.full((480, 640, 3), 40, np.uint8)
    image[:, :320, 1] = 1
    frame = Frame('f', 0, image, camera, np.full((480, 640), 4, np.float32))

    def depth(seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = np.full(seen.shape[:2], 4, np.float32)
        found[:, seen.shape[1] // 2:] = 2
        return found

    source = source_of([frame])
    seen: list[int] = []
    result = evaluate(
        source, estimator_of(depth), protocol=get_protocol('nyu-eigen-10m'),
        observers=[lambda name, image, pred, truth: seen.append(np.isfinite(truth).sum())])
    assert seen == [426 * 560]  # pictures of a report show what is scored
    fields = result.to_dict()
    # Columns 320 to 600 of 41 to 600 are half as deep as the reference.
    assert fields['raw']['abs_rel'] == pytest.approx(.5 * 281 / 560, rel=1e-5)
    assert fields['protocol']['name'] == 'nyu-eigen-10m' and fields['protocol']['column'] == 'raw'
    assert fields['settings']['crop'] == 'nyu_eigen' and fields['settings']['flip'] is False
    both = evaluate(source, estimator_of(depth), protocol=get_protocol('nyu-eigen-10m'),
                    flip=True).to_dict()
    assert both['raw']['abs_rel'] == pytest.approx(.25, rel=1e-5)  # 3 m everywhere
    assert both['settings']['flip'] is True
    with pytest.raises(EvaluationError, match=r"1 crop 'kb' is for images of at least 1216x352"):
        evaluate(source, estimator_of(depth), protocol=get_protocol('kb-garg-80m'))
