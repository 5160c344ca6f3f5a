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

"""``mde train`` opens folders, splits of folders and data sets by their spec strings."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import collate, TrainingData
from mde_ros.command_line.train import open_source
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.sun import SunRgbd
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.network.depth_network import NetworkConfig

h5py = pytest.importorskip('h5py')
CONFIG = TrainConfig(sizes=((1., 64, 48),), network=NetworkConfig(.125, (8, 8, 8, 8)), steps=4,
                     batch=2)


@pytest.fixture
def sun(tmp_path: Path) -> Path:
    """Return SUN RGB-D with ten frames of kv2 and one of NYU."""
    names = [f'kv2/kinect2data/{number:06d}-resize' for number in range(10)]
    for name in (*names, 'kv1/NYUdata/NYU0001'):
        folder = tmp_path / 'SUNRGBD' / name
        for part in ('image', 'depth'):
            (folder / part).mkdir(parents=True)
        cv2.imwrite(str(folder / 'image' / 'a.png'), np.full((53, 73, 3), 90, np.uint8))
        cv2.imwrite(str(folder / 'depth' / 'a.png'), np.full((53, 73), 2000 * 8, np.uint16))
        (folder / 'intrinsics.txt').write_text('53 0 36 0 53 26 0 0 1')
    return tmp_path / 'SUNRGBD'


@pytest.fixture
def nyu(tmp_path: Path) -> Path:
    """Return NYU's labelled file with two frames at 2 m."""
    with h5py.File(tmp_path / 'nyu_depth_v2_labeled.mat', 'w') as file:
        file['images'] = np.full((2, 3, 640, 480), 120, np.uint8)
        file['depths'] = np.full((2, 640, 480), 2, np.float32)
    return tmp_path / 'nyu_depth_v2_labeled.mat'


def test_what_a_source_may_be(rgbd_folder: Path, sun: Path) -> None:
    assert len(open_source(str(rgbd_folder))) == 6
    adapt = open_source(f'{rgbd_folder}:adapt', read_depth=False)
    assert isinstance(adapt, RgbdFolder) and (adapt.split, len(adapt)) == ('adapt', 4)
    kinect = open_source(f'sun:{sun}?sensor=kv2&partial=yes', read_depth=False)
    assert isinstance(kinect, SunRgbd) and len(kinect) == 10 and not kinect.read_depth
    with pytest.raises(DatasetError, match="unknown kind of data set 'son'"):
        open_source(f'son:{sun}')


def test_a_folder_that_is_called_as_a_kind(rgbd_folder: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rgbd_folder.parent)
    rgbd_folder.rename('sun')
    # sun:adapt is the kind sun at the path adapt; ./sun:adapt is the folder's split.
    with pytest.raises(DatasetError, match='adapt: no such folder'):
        open_source('sun:adapt')
    assert len(open_source('./sun:adapt')) == 4
    assert len(open_source('sun')) == 6


@pytest.mark.parametrize('workers', [0, 1])
def test_samples_of_two_data_sets(nyu: Path, sun: Path, workers: int) -> None:
    data = TrainingData([open_source(f'nyu:{nyu}?partial=yes')], CONFIG, None,
                        [open_source(f'sun:{sun}?nyu=no&partial=yes',
                                     read_depth=False)])
    batch = next(iter(DataLoader(data, batch_size=2, num_workers=workers, collate_fn=collate)))
    assert batch.image.shape == batch.target.shape == (2, 3, 48, 64)
    # Canonical depth is scaled by each sample's own focal length: undone, every label is 2 m.
    for depths, focal in zip(batch.log_depth, batch.focal, strict=True):
        metres = depths[torch.isfinite(depths)].exp() * focal / CONFIG.network.canonical_focal
        assert metres.numel()
        assert torch.allclose(metres, torch.full_like(metres, 2.), atol=1e-3)
