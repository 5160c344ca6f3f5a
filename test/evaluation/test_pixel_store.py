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

"""The temporary store of scored pixels."""

import numpy as np
import pytest

from mde_ros.evaluation import pixel_store
from mde_ros.evaluation.pixel_store import PixelStore, PixelStoreError, ScoredPixels


def pixels(seed: int, counts: list[int]) -> ScoredPixels:
    """Return random pixels."""
    values = np.random.default_rng(seed).random((3, sum(counts))).astype(np.float32)
    return ScoredPixels(values[0], values[1], values[2], counts)


@pytest.mark.parametrize('in_memory', [1 << 20, 16])
def test_frames_come_back_twice(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, in order, from memory and from disk, also between two writes."""
    monkeypatch.setattr(pixel_store, '_IN_MEMORY', in_memory)
    frames = [pixels(1, [3, 0, 4]), pixels(2, [1, 1, 1])]
    with PixelStore() as store:
        store.add(frames[0])
        assert len(list(store)) == 1
        store.add(frames[1])
        assert len(store) == 2
        for _ in range(2):
            for got, wanted in zip(store, frames, strict=True):
                assert np.array_equal(got.prediction, wanted.prediction)
                assert np.array_equal(got.truth, wanted.truth)
                assert np.array_equal(got.rows, wanted.rows)
                assert got.counts == wanted.counts


def test_full_disk_is_the_users_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names TMPDIR."""
    with PixelStore() as store:
        def full(_: bytes) -> int:
            raise OSError(28, 'No space left on device')
        monkeypatch.setattr(store._file, 'write', full)
        with pytest.raises(PixelStoreError, match='TMPDIR'):
            store.add(pixels(0, [2]))
