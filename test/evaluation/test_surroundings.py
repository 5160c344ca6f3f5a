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

"""The hash of the data and the machine's facts."""

from dataclasses import replace

import numpy as np

from mde_ros.datasets.frame import Frame
from mde_ros.evaluation.surroundings import ContentHash, machine, peak_memory_mb, versions


def digest(*frames: Frame) -> str:
    """Return the hash of frames."""
    content = ContentHash()
    for frame in frames:
        content.add(frame)
    return content.hexdigest


def test_same_content_same_hash(frames: list[Frame]) -> None:
    """Names and stamps do not count, nor the last bit of a millimetre depth."""
    depth = frames[0].depth
    assert depth is not None
    same = replace(frames[0], name='other', stamp_ns=5,
                   depth=np.nextafter(depth, np.float32(100)))
    assert digest(frames[0]) == digest(same)


def test_any_change_shows(frames: list[Frame]) -> None:
    """Pixels, readings, intrinsics, missing labels, order."""
    a, b = frames[0], frames[1]
    assert a.depth is not None
    image, depth = a.image.copy(), a.depth.copy()
    image[3, 3, 1] += 1
    depth[10, 10] += .001
    seen = {digest(a), digest(replace(a, image=image)), digest(replace(a, depth=depth)),
            digest(replace(a, intrinsics=replace(a.intrinsics, fx=31.))),
            digest(replace(a, depth=None)), digest(a, b), digest(b, a)}
    assert len(seen) == 7


def test_facts_are_there() -> None:
    """Versions of what shapes numbers, at least one core, some memory."""
    assert {'mde_ros', 'python', 'numpy'} <= set(versions())
    assert int(machine()['cores']) >= 1
    assert machine()['processor']
    assert 10 < peak_memory_mb() < 1e6
