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

"""The size of a JPEG, read from its header without decoding it."""

# Start of frame of the kinds that libjpeg decodes at a fraction of their size: baseline,
# extended, progressive. The others (lossless, arithmetic, hierarchical) end the search.
_REDUCIBLE = (0xc0, 0xc1, 0xc2)
# Not all markers of that range begin a frame: Huffman tables, an extension, arithmetic tables.
_OTHER_FRAMES = set(range(0xc3, 0xd0)) - {0xc4, 0xc8, 0xcc}
# Those without a length: a temporary one, and the restarts.
_BARE = (0x01, *range(0xd0, 0xd8))
_IMAGE, _FILL, _SCAN, _END = b'\xff\xd8', 0xff, 0xda, 0xd9


def jpeg_size(data: bytes | memoryview) -> tuple[int, int] | None:
    """
    Return (width, height) of a JPEG that can be decoded at a fraction of its size.

    :param data: the file, or as much of its beginning as holds the header.
    :return: None for everything else, damaged headers included: only decoding says what it is.
    """
    if bytes(data[:2]) != _IMAGE:
        return None
    at = 2
    # From a frame's marker to the end of its sides: marker 2, length 2, bits 1, sides 4.
    while at + 9 <= len(data) and data[at] == _FILL:
        marker = data[at + 1]
        if marker in _REDUCIBLE:
            height, width = (int.from_bytes(data[at + 5 + i:at + 7 + i], 'big') for i in (0, 2))
            return (width, height) if width and height else None
        if marker in _OTHER_FRAMES or marker in (_SCAN, _END):
            return None
        if marker == _FILL:  # any number of them may stand before a marker
            at += 1
        elif marker in _BARE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2:at + 4], 'big')
    return None
