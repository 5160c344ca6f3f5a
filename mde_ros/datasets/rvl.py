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

from typing import Any

import numpy as np
from numpy.typing import NDArray


class RvlError(ValueError):
    """A stream that does not decode to the number of pixels it should."""


def encode_rvl(pixels: NDArray[np.uint16]) -> bytes:
    """Return the stream of pixels of any shape, row by row."""
    flat = np.ascontiguousarray(pixels, np.uint16).reshape(-1)
    if not flat.size:
        return b''
    other = flat != 0
    # Runs come in pairs (zeros, others); a picture that starts with others has 0 zeros first.
    edges = np.flatnonzero(np.diff(other)) + 1
    edges = np.concatenate(([0], [0] if other[0] else [], edges, [flat.size]))
    lengths = np.diff(edges.astype(np.int64))
    if lengths.size % 2:
        lengths = np.append(lengths, 0)
    pairs = lengths.reshape(-1, 2)
    values = flat[other].astype(np.int32)
    deltas = np.diff(values, prepend=np.int32(0))
    zigzag = (deltas << 1) ^ (deltas >> 31)
    # Each pair of lengths stands before the values of its second run.
    at = np.cumsum(pairs[:, 1]) - pairs[:, 1] + 2 * np.arange(len(pairs))
    numbers = np.empty(values.size + lengths.size, np.uint32)
    is_value = np.ones(numbers.size, bool)
    is_value[at] = is_value[at + 1] = False
    numbers[at], numbers[at + 1] = pairs[:, 0], pairs[:, 1]
    numbers[is_value] = zigzag
    return _pack(numbers)


def _pack(numbers: NDArray[np.uint32]) -> bytes:
    """Return variable length numbers as words of nibbles, lowest three bits first."""
    # A number of b bits takes ceil(b / 3) nibbles, 0 takes one.
    counts = np.ones(numbers.size, np.int64)
    limit = 8
    while (longer := numbers >= limit).any():
        counts += longer
        limit <<= 3
    ends = np.cumsum(counts)
    nibbles = np.zeros(-(-int(ends[-1]) // 8) * 8, np.uint8)
    # The first nibble of all numbers, then the second of those that have one, ...
    rest: NDArray[Any] = numbers
    left, place = counts, ends - counts
    while rest.size:
        more = left > 1
        nibbles[place] = (rest & 7).astype(np.uint8) | (more.view(np.uint8) << 3)
        rest, left, place = rest[more] >> 3, left[more] - 1, place[more] + 1
    pairs = (nibbles[0::2] << 4) | nibbles[1::2]
    return pairs.reshape(-1, 4)[:, ::-1].tobytes()


def _unpack(stream: bytes) -> NDArray[np.int64]:
    """Return all numbers of a stream, those of the padding included."""
    pairs = np.frombuffer(stream, np.uint8, len(stream) // 4 * 4).reshape(-1, 4)[:, ::-1]
    nibbles = np.empty(pairs.size * 2, np.uint8)
    nibbles[0::2] = pairs.reshape(-1) >> 4
    nibbles[1::2] = pairs.reshape(-1) & 15
    ends = np.flatnonzero(nibbles < 8)
    if not ends.size:
        return np.zeros(0, np.int64)
    place = np.concatenate(([0], ends[:-1] + 1))
    left = ends - place
    numbers = (nibbles[place] & 7).astype(np.int64)
    longer = np.flatnonzero(left)
    shift = 3
    while longer.size:
        if shift > 30:
            raise RvlError('a number of more than 32 bits')
        place, left = place[left > 0] + 1, left[left > 0] - 1
        numbers[longer] |= (nibbles[place] & 7).astype(np.int64) << shift
        longer = longer[left > 0]
        shift += 3
    return numbers


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
