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

"""Pictures and density for the report."""

import numpy as np
import pytest

from mde_ros.evaluation import material as module
from mde_ros.evaluation.material import PICTURE, ReportMaterial


@pytest.mark.parametrize('in_memory', [1 << 20, 16])
def test_pictures_come_back(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones unchanged to half precision, from memory and from disk, in any order."""
    monkeypatch.setattr(module, '_IN_MEMORY', in_memory)
    material = ReportMaterial(.3, 10)
    rng = np.random.default_rng(0)
    kept = {}
    for name in ('a', 'b', 'c'):
        image = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        prediction = rng.uniform(.5, 9, (12, 16)).astype(np.float32)
        truth = rng.uniform(.5, 9, (12, 16)).astype(np.float32)
        truth[0, 0] = np.nan
        material(name, image, prediction, truth)
        kept[name] = image, prediction, truth
    for name in ('c', 'a', 'b'):
        picture = material.picture(name)
        assert np.array_equal(picture.image, kept[name][0])
        assert picture.prediction == pytest.approx(kept[name][1], rel=1e-3)
        assert picture.truth == pytest.approx(kept[name][2], rel=1e-3, nan_ok=True)
    assert 'a' in material
    assert 'd' not in material
    material.close()


def test_large_pictures_are_made_small() -> None:
    """The aspect stays; a reading is never mixed with another."""
    material = ReportMaterial(.3, 10)
    truth = np.ones((480, 640), np.float32)
    truth[:, ::2] = 3
    material('a', np.zeros((480, 640, 3), np.uint8), truth, truth)
    picture = material.picture('a')
    assert picture.image.shape == (240, PICTURE, 3)
    assert set(np.unique(picture.truth)) <= {1., 3.}


def test_density_counts_each_frame_as_one() -> None:
    """By reference and prediction; far predictions are in the last bin, as the clamp does."""
    material = ReportMaterial(1, 16)
    image = np.zeros((30, 30, 3), np.uint8)
    truth = np.full((30, 30), 2, np.float32)
    truth[:, :15] = np.nan
    material('a', image, np.full((30, 30), 4, np.float32), truth)
    material('b', image, np.full((30, 30), 99, np.float32), truth)
    material('c', image, np.full((30, 30), np.nan, np.float32), truth)
    edges = material.edges

    def bin_of(depth: float) -> int:
        return int(np.searchsorted(edges, depth * (1 + 1e-6), side='right')) - 1
    assert material.density[bin_of(2), bin_of(4)] == pytest.approx(1)
    assert material.density[bin_of(2), -1] == pytest.approx(1)
    assert material.density.sum() == pytest.approx(2)
