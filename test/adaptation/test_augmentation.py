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

"""Training samples: labels stay metric through zooming, flipping and re-photographing."""

from dataclasses import replace

from hypothesis import given, strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.adaptation.augmentation import make_sample, zoom_window
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.network.depth_network import NetworkConfig

CAMERA = Intrinsics(64, 48, 50., 50., 31.5, 23.5)
PLAIN = TrainConfig(zoom=1., appearance=0., min_depth=.5, max_depth=10.,
                    network=NetworkConfig(canonical_focal=100.))


def frame(depth: NDArray[np.float32] | float = 2., camera: Intrinsics = CAMERA) -> Frame:
    """Return a frame whose red channel is 4 times the column, green 5 times the row."""
    rows, columns = np.indices((camera.height, camera.width))
    image = np.stack([columns * 4 % 256, rows * 5 % 256, np.full_like(rows, 9)], -1)
    full = np.broadcast_to(np.float32(depth), rows.shape).astype(np.float32)
    return Frame('f', 0, image.astype(np.uint8), camera, full)


def rng(seed: int = 0) -> np.random.Generator:
    """Return a generator."""
    return np.random.default_rng(seed)


def test_labels_by_hand() -> None:
    sample = make_sample(frame(), 32, 24, PLAIN, rng())
    # Half the width halves the focal length to 25 pixels: log(2 m * 100 / 25).
    assert sample.image.shape == (24, 32, 3) and sample.image.dtype == np.uint8
    assert sample.log_depth.shape == (12, 16) and sample.log_depth.dtype == np.float32
    assert np.allclose(sample.log_depth, np.log(8), atol=1e-6)


@pytest.mark.parametrize('seed', range(5))
def test_a_zoomed_picture_has_a_longer_lens(seed: int) -> None:
    config = replace(PLAIN, zoom=.4)
    _, _, width, _ = zoom_window(64, 48, 4 / 3, .4, rng(seed))
    sample = make_sample(frame(), 64, 48, config, rng(seed))
    assert 26 <= width <= 64
    assert np.allclose(sample.log_depth, np.log(2 * 100 / (50 * 64 / width)), atol=1e-6)


def test_image_and_label_flip_together() -> None:
    flipped = set()
    depth = np.indices((48, 64))[1].astype(np.float32) * .1 + 1
    for seed in range(8):
        sample = make_sample(frame(depth), 64, 48, PLAIN, rng(seed))
        columns = sample.image[..., 0] / 4  # the source column that each pixel shows
        metres = np.exp(sample.log_depth) * 50 / 100
        # A label belongs to the middle of 2 x 2 pixels: within half a pixel of their mean.
        middle = columns.reshape(24, 2, 32, 2).mean((1, 3))
        assert np.abs((metres - 1) / .1 - middle).max() < .5 + 1e-3
        flipped.add(columns[0, 0] > columns[0, -1])
    assert flipped == {True, False}


@pytest.mark.parametrize(('width', 'height'), [(64, 48), (32, 24), (16, 12)])
def test_labels_are_read_in_the_middle_of_their_pixels(width: int, height: int) -> None:
    rows, columns = np.indices((48, 64)).astype(np.float32)
    step = 64 / (width / 2)
    for axis, values in ((1, columns), (0, rows)):
        seed = next(s for s in range(9) if make_sample(
            frame(), width, height, PLAIN, rng(s)).image[0, 0, 0] < 128)  # not flipped
        sample = make_sample(frame(values * .1 + 1), width, height, PLAIN, rng(seed))
        focal = 50 * width / 64
        found = (np.exp(sample.log_depth) * focal / 100 - 1) / .1
        ideal = (np.indices(found.shape)[axis] + .5) * step - .5
        assert np.abs(found - ideal).max() < .5 + 1e-3


def test_only_readings_in_the_range_are_labels() -> None:
    depth = np.full((48, 64), 3., np.float32)
    depth[:, :16], depth[:, 16:32], depth[:24, 32:] = np.nan, .4, 10.5
    sample = make_sample(frame(depth), 64, 48, PLAIN, rng())
    assert np.isnan(sample.log_depth).mean() == pytest.approx(.75)
    labels = sample.log_depth[np.isfinite(sample.log_depth)]
    assert np.allclose(labels, np.log(6), atol=1e-6)  # 3 m at 50 of 100 pixels
    # The range is that of metres, not of canonical depth: 10 m count although 20 are canonical.
    edge = make_sample(frame(10.), 64, 48, PLAIN, rng()).log_depth
    assert np.allclose(edge, np.log(20), atol=1e-6)


def test_readings_are_never_mixed() -> None:
    depth = np.where(np.indices((48, 64)).sum(0) % 7 < 3, 1., 8.).astype(np.float32)
    sample = make_sample(frame(depth), 40, 30, PLAIN, rng())
    metres = np.exp(sample.log_depth) * (50 * 40 / 64) / 100
    assert set(np.unique(metres.round(4))) == {1., 8.}


def test_the_appearance_changes_the_picture_alone() -> None:
    depth = np.indices((48, 64))[0].astype(np.float32) * .1 + 1
    plain = make_sample(frame(depth), 64, 48, PLAIN, rng(3))
    other = make_sample(frame(depth), 64, 48, replace(PLAIN, appearance=1.), rng(3))
    assert np.abs(other.image.astype(int) - plain.image).mean() > 1
    assert np.array_equal(other.log_depth, plain.log_depth)


def test_weather_is_seen_through_the_depth_of_each_pixel() -> None:
    depth = np.full((48, 64), 2., np.float32)
    depth[:, 32:] = 9.5
    config, hazier, changed = replace(PLAIN, weather=1.), [], 0
    for seed in range(8):
        sample = make_sample(frame(depth), 64, 48, config, rng(seed))
        metres = np.exp(sample.log_depth) * 50 / 100
        near, far = metres < 3, metres > 9
        assert near.mean() == far.mean() == .5
        blue = sample.image[::2, ::2, 2]  # 9 everywhere in clear air
        changed += blue[far].mean() > 9
        hazier.append(blue[far].mean() > blue[near].mean())
    assert changed == 8 and all(hazier)


def test_weather_has_the_focal_length_of_the_zoomed_picture(monkeypatch: pytest.MonkeyPatch
                                                            ) -> None:
    seen: list[tuple[NDArray[np.float32], Intrinsics]] = []

    class Air:
        def apply(self, image: NDArray[np.uint8], metres: NDArray[np.float32],
                  camera: Intrinsics, generator: np.random.Generator) -> NDArray[np.uint8]:
            seen.append((metres, camera))
            return image // 2

    monkeypatch.setattr('mde_ros.adaptation.augmentation.random_weather', lambda rng: Air())
    config = replace(PLAIN, zoom=.4, weather=1.)
    left, top, width, height = zoom_window(64, 48, 32 / 24, .4, rng(2))
    make_sample(frame(), 32, 24, config, rng(2))
    (metres, camera), = seen
    assert metres.shape == (24, 32) and np.all(metres == 2)
    assert (camera.width, camera.height) == (32, 24)
    assert camera.fx == pytest.approx(50 * 32 / width)
    assert camera.cx == pytest.approx((31.5 - left + .5) * 32 / width - .5)


def test_without_weather_nothing_is_drawn_for_it() -> None:
    used, wanted = rng(7), rng(7)
    make_sample(frame(), 32, 24, replace(PLAIN, zoom=.5), used)
    # Window, flip, appearance: samples are what they were before there was any weather.
    zoom_window(64, 48, 32 / 24, .5, wanted)
    wanted.random(2)
    assert used.random() == wanted.random()


def test_a_sample_is_a_function_of_its_generator() -> None:
    config = replace(PLAIN, zoom=.5, appearance=1.)
    given_frame = frame()
    before = given_frame.image.copy()
    first, again, other = (make_sample(given_frame, 64, 48, config, rng(s)) for s in (4, 4, 5))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.log_depth, again.log_depth)
    assert not np.array_equal(first.image, other.image)
    assert np.array_equal(given_frame.image, before)
    assert first.image.flags.c_contiguous and first.log_depth.flags.writeable


@pytest.mark.parametrize('camera', [
    Intrinsics(48, 64, 50., 50., 23.5, 31.5), Intrinsics(160, 48, 50., 50., 80., 24.),
    Intrinsics(640, 480, 500., 500., 320., 240.)])
def test_any_aspect_is_cropped_never_squashed(camera: Intrinsics) -> None:
    width, height = camera.width, camera.height
    sample = make_sample(frame(2., camera), 64, 48, PLAIN, rng(1))
    assert sample.image.shape == (48, 64, 3)
    side = min(width, height * 4 / 3)
    assert np.allclose(sample.log_depth, np.log(2 * 100 / (camera.fx * 64 / side)), atol=.02)


@given(st.integers(20, 2000), st.integers(20, 2000), st.floats(.3, 4), st.floats(.1, 1),
       st.integers(0, 2 ** 32))
def test_zoom_windows_lie_inside_and_keep_the_aspect(width: int, height: int, aspect: float,
                                                     smallest: float, seed: int) -> None:
    left, top, w, h = zoom_window(width, height, aspect, smallest, rng(seed))
    assert left >= 0 and top >= 0 and w >= 1 and h >= 1
    assert left + w <= width and top + h <= height
    full = min(width, height * aspect)
    assert smallest * full - 1 <= w <= full + 1
    # Rounding moves each side by half a pixel.
    assert abs(w - h * aspect) <= .5 + .5 * aspect + 1e-6 or 1 in (w, h)


def test_windows_reach_all_of_the_image_and_all_zooms() -> None:
    generator = rng()
    windows = np.array([zoom_window(64, 48, 4 / 3, .5, generator) for _ in range(300)])
    assert windows[:, 0].min() == 0 and (windows[:, 0] + windows[:, 2]).max() == 64
    assert windows[:, 1].min() == 0 and (windows[:, 1] + windows[:, 3]).max() == 48
    assert windows[:, 2].min() <= 34 and windows[:, 2].max() >= 62
    # Uniform in log: the median is the geometric mean.
    assert np.median(windows[:, 2]) == pytest.approx(64 * .5 ** .5, rel=.06)
