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

"""Labelled pictures in rendered weather, and what is measured on them."""

from adapt_harness import tiny_network
import numpy as np
import pytest
from test_check_measures import pictures
import torch

from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_measures import target_measures
from mde_ros.onsite.check_pictures import CheckPicture
from mde_ros.onsite.check_weather import in_weather, weather_measures


def labelled(depth: float, count: int = 3) -> list[CheckPicture]:
    """Return pictures whose right half is at ``depth`` and whose left half at 1 m."""
    log_depth = np.zeros((24, 32), np.float32)
    log_depth[:, 16:] = np.log(depth)
    return [CheckPicture(one.image, one.focal, log_depth) for one in pictures(count)]


def constant() -> DepthNetwork:
    """Return a network that says sqrt(10) canonical metres of everything."""
    network = tiny_network()
    with torch.no_grad():
        network.decoder.head.weight.zero_()
        network.decoder.head.bias.zero_()
    return network


def test_what_is_farther_loses_more_contrast() -> None:
    clear = labelled(60.)
    foggy = in_weather(clear)
    for before, after in zip(clear, foggy, strict=True):
        assert after.log_depth is before.log_depth and after.focal == before.focal
        assert after.image.shape == before.image.shape
        near, far = (after.image[:, part].std() / before.image[:, part].std()
                     for part in (np.s_[:28], np.s_[36:]))
        assert far < .8 * near


def test_each_picture_has_its_own_weather_by_the_seed() -> None:
    one = labelled(5., 1)[0]
    first, second = in_weather([one, one])
    assert (first.image != second.image).any()
    np.testing.assert_array_equal(in_weather([one])[0].image, first.image)
    assert (in_weather([one], seed=1)[0].image != first.image).any()


def test_pixels_without_a_label_are_far() -> None:
    one = labelled(5., 1)[0]
    assert one.log_depth is not None
    holes = CheckPicture(one.image, one.focal, np.where(
        np.arange(32) < 8, np.nan, one.log_depth).astype(np.float32))
    assert np.isfinite(in_weather([holes])[0].image).all()


def test_the_error_by_hand() -> None:
    shown = labelled(np.e ** 2)
    network = constant()
    assert network.config.canonical_focal is not None
    says = float(np.log(np.sqrt(10) * shown[0].focal / network.config.canonical_focal))
    found = weather_measures(network, shown)  # of a half at 0 and a half at 2
    np.testing.assert_allclose(found['weather'], (abs(says) + abs(says - 2)) / 2, rtol=1e-5)
    empty = CheckPicture(shown[0].image, shown[0].focal, np.full((24, 32), np.nan, np.float32))
    assert len(weather_measures(network, [*shown, empty])['weather']) == 3


def test_consistency_is_that_of_the_target() -> None:
    network, shown = tiny_network(), labelled(3.)
    found, plain = weather_measures(network, shown), target_measures(network, shown)
    for name in ('flip', 'light', 'zoom'):
        np.testing.assert_array_equal(found[f'weather_{name}'], plain[name])
        assert found[f'weather_{name}'].mean() == pytest.approx(plain[name].mean())
