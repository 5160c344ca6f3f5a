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

"""Pictures of surfaces: size, colour, repetition, reproducibility."""

import numpy as np
import pytest

from mde_ros.simulation.textures import noise, PATTERNS, SIZE

COLOUR = np.array([.6, .45, .3])


@pytest.mark.parametrize('name', sorted(PATTERNS))
def test_patterns_show_their_colour(name: str) -> None:
    picture = PATTERNS[name](np.random.default_rng(3), COLOUR)
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture.dtype == np.uint8
    # Fabric may carry stripes of another colour, the others stay near their own.
    near = .35 if name == 'fabric' else .2
    np.testing.assert_allclose(picture.mean((0, 1)) / 255, COLOUR, atol=near)
    assert picture.std() > 1, 'a picture of one value is no texture'
    again = PATTERNS[name](np.random.default_rng(3), COLOUR)
    np.testing.assert_array_equal(picture, again)


def test_patterns_differ_by_seed() -> None:
    first, second = (PATTERNS['wood'](np.random.default_rng(seed), COLOUR) for seed in (1, 2))
    assert (first != second).mean() > .5


def test_noise_repeats_without_a_seam() -> None:
    field = noise(np.random.default_rng(0), 4, octaves=2)
    inside = np.abs(np.diff(field, axis=1)).max()
    across = np.abs(field[:, 0] - field[:, -1]).max()
    assert across <= 1.5 * inside
    assert .2 < np.abs(field).max() < 1.6


def test_noise_may_be_stretched() -> None:
    field = noise(np.random.default_rng(0), 2, 64)
    assert np.abs(np.diff(field, axis=0)).mean() > 5 * np.abs(np.diff(field, axis=1)).mean()
