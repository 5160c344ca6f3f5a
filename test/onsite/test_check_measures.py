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

"""Measures of networks whose answers are known by hand."""

from typing import Any

from adapt_harness import TINY, tiny_network
import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from mde_ros.network.batch_norm import batch_norms, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_measures import (
    log_depths, source_measures, statistics_fit, target_measures, variants, ZOOM)
from mde_ros.onsite.check_pictures import CheckPicture


class Fake(DepthNetwork):
    """A network that says what a function of the picture says, on either domain."""

    def __init__(self, answer: Any, source: Any = None) -> None:
        super().__init__(TINY)
        self.answers = {TARGET: answer, SOURCE: source or answer}

    def forward_domain(self, image: torch.Tensor, domain: str) -> torch.Tensor:
        return self.answers[domain](image[:, :, ::2, ::2])


def pictures(count: int = 3, seed: int = 0) -> list[CheckPicture]:
    """Return smooth pictures that differ."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((48, 64))
    return [CheckPicture(np.stack([
        127 + 100 * np.sin(columns / rng.uniform(6, 12) + rng.uniform(0, 6)),
        127 + 100 * np.sin(rows / rng.uniform(6, 12)), rows * 3.], -1).astype(np.uint8), 50.)
        for _ in range(count)]


def constant(image: torch.Tensor) -> torch.Tensor:
    return torch.full_like(image[:, :1], 1.)


def brightness(image: torch.Tensor) -> torch.Tensor:
    return image.mean(1, keepdim=True)


def test_log_depth_of_a_focal_length() -> None:
    # Canonical 50 pixels: at 100 the same picture is twice as far.
    found = log_depths(Fake(constant), torch.zeros(2, 3, 48, 64, dtype=torch.uint8), 100.)
    np.testing.assert_allclose(found, np.full((2, 24, 32), 1 + np.log(2)))


def test_four_variants_of_a_picture() -> None:
    one = pictures(1)[0]
    plain, mirrored, dark, zoomed = variants(one, 0).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(plain, one.image)
    np.testing.assert_array_equal(mirrored, one.image[:, ::-1])
    assert dark.mean() == pytest.approx(.7 * plain.mean(), rel=.02)
    middle = one.image[7:41, 9:55]  # 34 and 46 of 48 and 64 pixels: divided by 1.4
    assert np.abs(zoomed.mean((0, 1)) - middle.mean((0, 1))).max() < 2
    np.testing.assert_array_equal(variants(one, 0), variants(one, 0))


def test_a_network_that_always_says_the_same() -> None:
    found = target_measures(Fake(constant), pictures())
    for name in ('flip', 'light', 'spread', 'variety'):
        np.testing.assert_allclose(found[name], 0, atol=1e-9)
    # It does not know that an enlarged picture has a longer focal length.
    np.testing.assert_allclose(found['zoom'], np.log(64 / 46), rtol=1e-6)
    np.testing.assert_allclose(found['level'], 1.)


def test_a_network_that_follows_brightness() -> None:
    found = target_measures(Fake(brightness), pictures())
    np.testing.assert_allclose(found['flip'], 0, atol=.06)  # every second column, mirrored
    assert (found['light'] > .1).all() and (found['spread'] > .1).all()
    assert (found['variety'] > .02).all()
    assert found['zoom'].shape == (3,)


def labelled(level: float) -> list[CheckPicture]:
    return [CheckPicture(one.image, one.focal, np.full((24, 32), level, np.float32))
            for one in pictures()]


def test_errors_on_the_source_by_path() -> None:
    network = Fake(constant, lambda image: 0 * image[:, :1])
    sources = labelled(.25)
    sources[1].log_depth[:] = np.nan  # type: ignore[index]
    found = source_measures(network, sources, pictures(2, 5))
    # The source's path says 0, the target's 1, the label is 0.25; the unlabelled one is left out.
    np.testing.assert_allclose(found['source'], [.25, .25])
    np.testing.assert_allclose(found['styled'], [.75, .75])


def test_styled_sources_are_seen_in_the_targets_colours() -> None:
    seen: list[NDArray[Any]] = []

    def note(image: torch.Tensor) -> torch.Tensor:
        seen.append(image.numpy())
        return image[:, :1]

    dark = [CheckPicture((pictures(1)[0].image // 4), 50.)]
    source_measures(Fake(note, constant), labelled(0.), dark)
    # From -1 for black: a quarter of the light.
    assert all(image.mean() < -.6 for image in seen)


def test_statistics_that_fit_and_that_do_not() -> None:
    network = tiny_network()
    rng = np.random.default_rng(0)
    noise = [CheckPicture(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), 50.)
             for _ in range(6)]
    fitting = statistics_fit(network, noise)
    assert fitting.shape == (len(batch_norms(network)),)
    assert fitting.mean() < .2
    layer = batch_norms(network)[-1]
    mean, variance = layer.statistics(TARGET)
    with torch.no_grad():
        mean += 2 * (variance + layer.eps).sqrt()
    # Two deviations beside: half of two squared more, in this layer alone.
    shifted = statistics_fit(network, noise)
    assert shifted[-1] - fitting[-1] == pytest.approx(2., abs=.6)
    np.testing.assert_allclose(shifted[:-1], fitting[:-1])


def test_the_zoom_is_what_the_documents_say() -> None:
    assert ZOOM == 1.4
