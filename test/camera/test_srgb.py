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

"""The sRGB curve: its standard's numbers and the way there and back."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.camera.srgb import decode_curve, encode_curve, from_linear, to_linear


@pytest.mark.parametrize(('encoded', 'linear'), [
    (0, 0), (1, 1), (.04045, .04045 / 12.92), (.5, .2140411), (.7353570, .5),
])
def test_curve_by_the_standard(encoded: float, linear: float) -> None:
    assert decode_curve(np.array([encoded])) == pytest.approx(linear, abs=1e-6)
    assert encode_curve(np.array([linear])) == pytest.approx(encoded, abs=1e-6)


@given(st.floats(0, 1))
def test_curves_are_inverse(linear: float) -> None:
    # The standard's two pieces meet to 3e-8.
    assert decode_curve(encode_curve(np.array([linear]))) == pytest.approx(linear, abs=1e-6)


def test_every_byte_survives() -> None:
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    linear = to_linear(image)
    assert linear.dtype == np.float32
    assert (linear[0, 0, 0], linear[-1, -1, 0]) == (0, 1)
    np.testing.assert_array_equal(from_linear(linear), image)


def test_gains_are_per_channel_in_linear_light() -> None:
    linear = to_linear(np.full((1, 2, 3), 188, np.uint8), (1, .5, 2))
    # 188 / 255 decodes to 0.5029.
    np.testing.assert_allclose(linear[0, 1], [.5029, .25145, 1.0058], atol=1e-4)


def test_from_linear_clips() -> None:
    light = np.array([[[-1., .5, 7.]]], np.float32)
    np.testing.assert_array_equal(from_linear(light), [[[0, 188, 255]]])


def test_from_linear_with_a_table_of_ones_own() -> None:
    table = np.linspace(0, 255, 4096).round().astype(np.uint8)
    # The table is over the square root: 0.25 is its middle.
    assert from_linear(np.full((1, 1, 3), .25, np.float32), table)[0, 0, 0] in (127, 128)
