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

"""RVL against streams worked out by hand from the paper, and round trips."""

from contextlib import suppress

from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from mde_ros.datasets.rvl import decode_rvl, encode_rvl, RvlError

# pixels, nibbles from the first on: zeros, others, zigzag differences with 8 = more follows.
GOLDEN = [
    # 2 zeros, 2 others: +5 -> 10 = 001 010 -> A 1, +1 -> 2; 1 zero, 1 other: -3 -> 5
    ([0, 0, 5, 6, 0, 3], '22a12115'),
    # no zero, 1 other: +7 -> 14 = 001 110 -> E 1; padded with zeros
    ([7], '01e10000'),
    # 1 other: +1 -> 2; then 1 zero and no other
    ([1, 0], '01210000'),
    ([0, 0, 0], '30000000'),
    # 9 zeros = 001 001 -> 9 1
    ([0] * 9, '91000000'),
    # +65535 -> 131070 = 0o377776 -> E F F F F 3; then -65534 -> 131067 = 0o377773
    ([65535, 1], '02effff3bffff300'),
]


@pytest.mark.parametrize(('pixels', 'words'), GOLDEN)
def test_golden_streams(pixels: list[int], words: str) -> None:
    big_endian = bytes.fromhex(words)
    stream = b''.join(big_endian[at:at + 4][::-1] for at in range(0, len(big_endian), 4))
    assert encode_rvl(np.array(pixels, np.uint16)) == stream
    assert decode_rvl(stream, len(pixels)).tolist() == pixels


# Mostly zeros or mostly equal values, as depth is, and anything.
PIXELS = st.one_of(
    hnp.arrays(np.uint16, st.integers(1, 200), elements=st.integers(0, 65535)),
    hnp.arrays(np.uint16, st.integers(1, 200), elements=st.sampled_from([0, 0, 1, 1000, 65535])))


@given(PIXELS)
@settings(deadline=None)
def test_round_trip(pixels: np.ndarray) -> None:
    assert np.array_equal(decode_rvl(encode_rvl(pixels), pixels.size), pixels)


def test_rows_are_taken_one_after_the_other() -> None:
    pixels = np.array([[0, 9], [8, 0]], np.uint16)
    assert encode_rvl(pixels.T) == encode_rvl(np.array([0, 8, 9, 0], np.uint16))


@given(PIXELS, st.data())
@settings(deadline=None)
def test_damaged_streams_never_crash(pixels: np.ndarray, data: st.DataObject) -> None:
    stream = bytearray(encode_rvl(pixels))
    at = data.draw(st.integers(0, len(stream) - 1))
    stream[at] ^= data.draw(st.integers(1, 255))
    with suppress(RvlError):
        assert decode_rvl(bytes(stream), pixels.size).shape == (pixels.size,)


@pytest.mark.parametrize(('stream', 'size', 'text'), [
    (b'', 1, 'stream ends'),
    (encode_rvl(np.array([5, 6], np.uint16)), 3, 'stream ends|does not fit'),
    (encode_rvl(np.array([5, 6, 7], np.uint16)), 2, 'does not fit'),
    (b'\xff' * 8, 1, 'stream ends'),
    (b'\xff\xff\xff\xff\xff\xff\xff\x0f', 1, 'more than 32 bits|stream ends'),
])
def test_wrong_sizes_are_named(stream: bytes, size: int, text: str) -> None:
    with pytest.raises(RvlError, match=text):
        decode_rvl(stream, size)
