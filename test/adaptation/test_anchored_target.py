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

"""Anchors stand where labels would, and labels stay unread."""

from pathlib import Path

import numpy as np
import pytest

from mde_ros.adaptation.anchored_target import AnchoredTarget
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import collate, TrainingData
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter

CAMERA = Intrinsics(64, 48, 60., 60., 31.5, 23.5)
CONFIG = TrainConfig(batch=4, sizes=((1., 64, 48),), zoom=1., appearance=0.)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write nine frames with labels of 9 m."""
    rng = np.random.default_rng(0)
    with RgbdFolderWriter(tmp_path / 'target', CAMERA, camera='c', licence='l', source='s') as out:
        for number in range(9):
            out.write(Frame(f'{number}', 0, rng.integers(0, 255, (48, 64, 3), np.uint8), CAMERA,
                            np.full((48, 64), 9., np.float32)))
    return tmp_path / 'target'


def test_anchors_by_name_and_nothing_else(folder: Path) -> None:
    target = RgbdFolder(folder, read_depth=False)
    half = np.array([[1., 2.], [3., np.nan]])
    data = AnchoredTarget(target, {'2': half})
    assert len(data) == 9 and not data.read_depth and data.names == target.names
    assert data[1].depth is None
    depth = data[2].depth
    assert depth is not None and depth.shape == (48, 64)
    assert depth[0, 0] == 1 and depth[0, -1] == 2 and depth[-1, 0] == 3
    assert np.isnan(depth[-1, -1])
    with pytest.raises(ValueError, match='read_depth=False'):
        AnchoredTarget(RgbdFolder(folder), {})


def test_batches_carry_canonical_anchors(folder: Path) -> None:
    target = RgbdFolder(folder, read_depth=False)
    data = AnchoredTarget(target, {name: np.full((4, 4), 3.) for name in target.names})
    batch = collate([TrainingData([RgbdFolder(folder)], CONFIG, None, [data])[n]
                     for n in range(4)])
    assert batch.anchor is not None and batch.anchor.shape == (4, 1, 24, 32)
    # 3 m at a focal length of 60 where 260 is canonical.
    np.testing.assert_allclose(batch.anchor.numpy(), np.log(3 * 260 / 60), rtol=1e-6)
    plain = collate([TrainingData([RgbdFolder(folder)], CONFIG, None, [target])[n]
                     for n in range(4)])
    assert plain.anchor is None
    np.testing.assert_array_equal(plain.target.numpy(), batch.target.numpy())
