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

"""
RVL, the lossless codec of 16 bit depth (Wilson, 'Fast lossless depth image compression', 2017).

Pixels are runs of zeros and of others; others are coded by their difference to the previous
one, zigzag, in nibbles of three bits and one that says whether more follow, eight nibbles to a
little endian word, the first in its upper bits.
"""

import numpy as np
from numpy.typing import NDArray


class RvlError(ValueError):
    """A stream that does not decode to the number of pixels it should."""


def encode_rvl(pixels: NDArray[np.uint16]) -> bytes:
    """Return the stream of pixels of any shape, row by row."""
    flat = np.ascontiguousarray(pixels, np.uint16).reshape(-1)
    other = flat != 0
    # Runs come in pairs (zeros, others); a picture that starts with others has 0 zeros first.
    edges = np.flatnonzero(np.diff(other)) + 1
    edges = np.concatenate(([0], [0] if flat.size and other[0] else [], edges, [flat.size]))
    lengths = np.diff(edges.astype(np.int64))
    if lengths.size % 2:
        lengths = np.append(lengths, 0)
    pairs = lengths.reshape(-1, 2)
    if not flat.size:
        return b''
    values = flat[other].astype(np.int64)
    deltas = np.diff(values, prepend=0)
    zigzag = (deltas << 1) ^ (deltas >> 63)
    # Each pair stands before the values of its second run.
    before = np.concatenate(([0], np.cumsum(pairs[:, 1])[:-1]))
    numbers = np.insert(zigzag, np.repeat(before, 2), pairs.reshape(-1))
    return _pack(numbers)


def _pack(numbers: NDArray[np.int64]) -> bytes:
    """Return variable length numbers as words of nibbles, lowest three bits first."""
    # A number of b bits takes ceil(b / 3) nibbles, 0 takes one.
    counts = np.ones(numbers.size, np.int64)
    limit = 8
    while True:
        longer = numbers >= limit
        if not longer.any():
            break
        counts += longer
        limit <<= 3
    ends = np.cumsum(counts)
    place = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    nibbles = (np.repeat(numbers, counts) >> (3 * place)) & 7
    nibbles |= 8
    nibbles[ends - 1] &= 7
    words = np.zeros(-(-nibbles.size // 8) * 8, np.uint32)
    words[:nibbles.size] = nibbles
    shifted = words.reshape(-1, 8) << np.arange(28, -1, -4, dtype=np.uint32)
    packed: NDArray[np.uint32] = np.bitwise_or.reduce(shifted, axis=1)
    return packed.astype('<u4').tobytes()


def _unpack(stream: bytes) -> NDArray[np.int64]:
    """Return all numbers of a stream, those of the padding included."""
    words = np.frombuffer(stream, '<u4', len(stream) // 4).astype(np.uint32)
    nibbles = ((words[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)) & 15).reshape(-1)
    ends = np.flatnonzero(nibbles < 8)
    if not ends.size:
        return np.zeros(0, np.int64)
    nibbles = nibbles[:ends[-1] + 1].astype(np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(nibbles.size) - np.repeat(starts, ends - starts + 1)
    if place.max() > 10:
        raise RvlError('a number of more than 32 bits')
    return np.add.reduceat((nibbles & 7) << (3 * place), starts)


def decode_rvl(stream: bytes, size: int) -> NDArray[np.uint16]:
    """
    Return ``size`` pixels.

    :raises RvlError: when the stream is too short or its runs do not fit the size.
    """
    numbers = _unpack(stream)
    pixels = np.zeros(size, np.uint16)
    done = at = previous = 0
    while done < size:
        if at + 2 > numbers.size:
            raise RvlError(f'{done} of {size} pixels, then the stream ends')
        zeros, others = int(numbers[at]), int(numbers[at + 1])
        at += 2
        done += zeros
        if done + others > size or at + others > numbers.size or zeros + others == 0:
            raise RvlError(f'a run of {zeros} and {others} pixels does not fit after {done} of '
                           f'{size}')
        zigzag = numbers[at:at + others]
        values = previous + np.cumsum((zigzag >> 1) ^ -(zigzag & 1))
        pixels[done:done + others] = values.astype(np.uint16)
        if others:
            previous = int(values[-1])
        done += others
        at += others
    return pixels
