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

"""The compressedDepth wire format: golden bytes, error bounds, damage."""

import struct

import cv2
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from mde_ros.datasets.compressed_depth import (
    CompressedDepthError, decode_compressed_depth, encode_compressed_depth)

NAN = float('nan')
# depth_quantization 100 and depth_max 10: A = 100 * 101 = 10100, B = 1 - 10100 / 10 = -1009.
HEADER = bytes.fromhex('00000000' '00d01d46' '00407cc4')
# 1 m -> 10100 - 1009 = 9091; one other pixel, difference 9091 -> 18182 = 0o43406, then one zero.
RVL_BODY = bytes.fromhex('02000000' '01000000' '41cbe801' '00000000')
ROW = np.array([[1., NAN]], np.float32)


def test_golden_rvl_message() -> None:
    layout, data = encode_compressed_depth(ROW, codec='rvl', depth_max=10.)
    assert layout == '32FC1; compressedDepth rvl'
    assert data == HEADER + RVL_BODY
    np.testing.assert_array_equal(decode_compressed_depth(layout, data), ROW)


def test_golden_png_message() -> None:
    layout, data = encode_compressed_depth(ROW, depth_max=10.)
    assert layout == '32FC1; compressedDepth png'
    assert data[:12] == HEADER
    assert data[12:16] == b'\x89PNG'
    codes = cv2.imdecode(np.frombuffer(data[12:], np.uint8), cv2.IMREAD_UNCHANGED)
    assert codes.tolist() == [[9091, 0]]
    np.testing.assert_array_equal(decode_compressed_depth(layout, data), ROW)


def test_codes_are_cut_off_as_the_reference_does() -> None:
    # 3 m: 10100 / 3 - 1009 = 2357.67 -> 2357 -> 10100 / 3366 = 3.000594
    layout, data = encode_compressed_depth(np.array([[3.]], np.float32), depth_max=10.)
    assert decode_compressed_depth(layout, data)[0, 0] == pytest.approx(3.000594, abs=1e-6)


def test_the_old_format_string_means_png() -> None:
    # depth[mm] 1500 as a PNG with an unused header, as bags before the codec was named have it.
    png = cv2.imencode('.png', np.array([[1500, 0]], np.uint16))[1].tobytes()
    for layout in ('16UC1; compressedDepth', '16UC1', '16UC1; compressedDepth png'):
        depth = decode_compressed_depth(layout, struct.pack('<iff', 0, 0, 0) + png)
        np.testing.assert_allclose(depth, [[1.5, NAN]], rtol=1e-6)


def test_millimetres_beyond_depth_max_are_dropped() -> None:
    depth = np.array([[2., 2.001, 65.535, 70., -1., np.inf]], np.float32)
    layout, data = encode_compressed_depth(depth, '16UC1', depth_max=2.)
    np.testing.assert_array_equal(
        decode_compressed_depth(layout, data), np.array([[2.] + [NAN] * 5], np.float32))
    layout, data = encode_compressed_depth(depth, '16UC1')
    assert decode_compressed_depth(layout, data)[0, 2] == pytest.approx(65.535)
    assert np.isnan(decode_compressed_depth(layout, data)[0, 3:]).all()


def test_near_depth_is_clipped_instead_of_wrapping_around() -> None:
    # B = -100 with depth_max 101: the nearest codable depth is 10100 / (65535 + 99) = 0.15388 m.
    near = np.array([[.01, .1, .15, .16]], np.float32)
    got = decode_compressed_depth(*encode_compressed_depth(near, depth_max=101.))
    np.testing.assert_allclose(got, [[.153884, .153884, .153884, .16]], atol=1e-4)


DEPTHS = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
                    elements=st.one_of(st.just(NAN), st.floats(np.float32(.2), np.float32(79),
                                                               width=32)))


@given(DEPTHS, st.sampled_from(['png', 'rvl']))
@settings(deadline=None)
def test_the_error_of_inverse_depth_is_bounded(depth: np.ndarray, codec: str) -> None:
    got = decode_compressed_depth(*encode_compressed_depth(depth, codec=codec, depth_max=80.))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(got), np.isnan(depth))
    # One step of the code is d^2 / A; cutting off only makes the depth larger. 1e-4 d: float32.
    error = (got - depth)[np.isfinite(depth)].astype(np.float64)
    there = depth[np.isfinite(depth)].astype(np.float64)
    assert (error >= -1e-4 * there).all()
    assert (error <= there ** 2 / (10100 - there) + 1e-4 * there).all()


@given(hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)),
       st.sampled_from(['png', 'rvl']))
@settings(deadline=None)
def test_millimetres_are_kept_exactly(millimetres: np.ndarray, codec: str) -> None:
    depth = np.where(millimetres, millimetres * np.float32(.001), np.float32(NAN))
    got = decode_compressed_depth(*encode_compressed_depth(depth, '16UC1', codec=codec))
    np.testing.assert_array_equal(got, depth)


GOOD = {codec: encode_compressed_depth(np.full((4, 5), 2., np.float32), codec=codec)
        for codec in ('png', 'rvl')}


@given(st.sampled_from(['png', 'rvl']), st.integers(0, 400), st.integers(0, 7), st.booleans())
@settings(deadline=None)
def test_damaged_messages_raise_only_this_error(codec: str, at: int, bit: int,
                                                cut: bool) -> None:
    layout, data = GOOD[codec]
    at %= len(data)
    damaged = data[:at] if cut else data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]
    try:
        depth = decode_compressed_depth(layout, damaged)
        assert depth.dtype == np.float32 and depth.ndim == 2
        assert (np.isnan(depth) | (depth > 0)).all()
    except CompressedDepthError as error:
        assert '\n' not in str(error)


@pytest.mark.parametrize(('layout', 'data', 'text'), [
    ('rgb8; compressedDepth png', bytes(99), "encoding 'rgb8'"),
    ('32FC1; compressedDepth zstd', bytes(99), 'expected png or rvl'),
    ('32FC1; compressedDepth png', bytes(12), 'of 12 bytes'),
    ('32FC1; compressedDepth png', bytes(99), 'corrupt PNG of 87 bytes'),
    ('32FC1; compressedDepth rvl', HEADER + b'\1\0\0', 'no size'),
    ('32FC1; compressedDepth rvl', HEADER + struct.pack('<II', 0, 5), 'claims 0x5'),
    ('32FC1; compressedDepth rvl', HEADER + struct.pack('<II', 2**31, 2**31), 'claims 2147483648'),
    ('32FC1; compressedDepth png',
     HEADER + cv2.imencode('.png', np.zeros((2, 2, 3), np.uint8))[1].tobytes(), 'uint8'),
])
def test_what_is_wrong_is_named(layout: str, data: bytes, text: str) -> None:
    with pytest.raises(CompressedDepthError, match=text):
        decode_compressed_depth(layout, data)


@pytest.mark.parametrize(('options', 'text'), [
    ({'encoding': '8UC1'}, '32FC1 or 16UC1'),
    ({'codec': 'jpeg'}, 'png or rvl'),
    ({'depth_max': 0.}, 'depth_max'),
    ({'depth_quantization': -1.}, 'depth_quantization'),
])
def test_wrong_parameters_are_named(options: dict, text: str) -> None:
    with pytest.raises(CompressedDepthError, match=text):
        encode_compressed_depth(ROW, **options)


def test_empty_depth_is_refused() -> None:
    with pytest.raises(CompressedDepthError, match='shape'):
        encode_compressed_depth(np.zeros((0, 4), np.float32))
