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

"""NYU Depth v2's labelled file, written as MATLAB lays it out."""

from pathlib import Path
import struct

import numpy as np
import pytest
from synthetic_scene import render

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor import nyu
from mde_ros.datasets.indoor.nyu import CAMERA, Nyu
from mde_ros.datasets.indoor.split_lists import list_checksum
from mde_ros.datasets.registry import open_spec, parse_spec

h5py = pytest.importorskip('h5py')
SCENE = render(CAMERA)


def write_mat5(path: Path, **variables: list[int]) -> None:
    """Write columns of doubles as save -v6 does."""
    out = b'MATLAB 5.0 MAT-file'.ljust(124) + b'\x00\x01IM'
    for name, values in variables.items():
        data = np.array(values, '<f8').tobytes()
        padded = name.encode().ljust(-(-len(name) // 8) * 8, b'\0')
        body = (struct.pack('<IIII', 6, 8, 6, 0) + struct.pack('<IIii', 5, 8, len(values), 1)
                + struct.pack('<II', 1, len(name)) + padded
                + struct.pack('<II', 9, len(data)) + data)
        out += struct.pack('<II', 14, len(body)) + body
    path.write_bytes(out)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three frames; frame n is n metres farther and has n in a corner."""
    with h5py.File(tmp_path / 'nyu_depth_v2_labeled.mat', 'w', userblock_size=512) as file:
        images, depths, raw = [], [], []
        for number in range(3):
            image = SCENE.image.copy()
            image[0, 0] = number
            depth = (SCENE.depth + number).astype(np.float32)
            holes = depth.copy()
            holes[100:110, 50:60] = 0
            # MATLAB's H x W x 3 x N, column-major, is N x 3 x W x H to HDF5.
            images.append(image.transpose(2, 1, 0))
            depths.append(depth.T)
            raw.append(holes.T)
        file['images'], file['depths'], file['rawDepths'] = images, depths, raw
    return tmp_path


def test_frames_are_turned_round(folder: Path) -> None:
    data = Nyu(folder, partial='yes')
    assert data.names == ['0001', '0002', '0003']
    for number, frame in enumerate(data):
        assert frame.depth is not None and frame.depth.dtype == np.float32
        assert frame.image.shape == (480, 640, 3) and frame.image.flags['C_CONTIGUOUS']
        assert np.array_equal(frame.image[1:], SCENE.image[1:])
        assert frame.image[0, 0].tolist() == [number] * 3
        assert np.array_equal(frame.depth, (SCENE.depth + number).astype(np.float32))
        assert frame.intrinsics.fx == pytest.approx(518.857901)
        assert frame.intrinsics.cy == pytest.approx(253.736166)
    assert [frame.depth for frame in Nyu(folder, read_depth=False, partial='yes')] == [None] * 3


def test_raw_depth_has_holes(folder: Path) -> None:
    frame = Nyu(folder / 'nyu_depth_v2_labeled.mat', depth='raw', partial='yes')[0]
    assert frame.depth is not None
    assert np.isnan(frame.depth[100:110, 50:60]).all()
    assert np.isnan(frame.depth).sum() == 100


def test_crops_move_the_principal_point(folder: Path) -> None:
    border = Nyu(folder, crop='border', partial='yes')[0]
    assert border.image.shape == (464, 624, 3)
    assert np.array_equal(border.image, SCENE.image[8:-8, 8:-8])
    assert (border.intrinsics.cx, border.intrinsics.cy) == (CAMERA.cx - 8, CAMERA.cy - 8)
    # crop_image.m: rows 45 to 471, columns 41 to 601, counted from 1; 427 x 561 as in SUN.
    toolbox = Nyu(folder, crop='toolbox', partial='yes')[0]
    assert toolbox.depth is not None and toolbox.depth.shape == (427, 561)
    assert toolbox.depth[0, 0] == np.float32(SCENE.depth[44, 40])
    assert (toolbox.intrinsics.cx, toolbox.intrinsics.cy) == (CAMERA.cx - 40, CAMERA.cy - 44)


def test_splits_count_from_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nyu, 'OFFICIAL', {None: 3, 'train': 2, 'test': 1})
    write_mat5(folder / 'splits.mat', trainNdxs=[3, 2], testNdxs=[1])
    assert Nyu(folder, 'train', partial='yes').names == ['0003', '0002']
    test = Nyu(folder, 'test', partial='yes')
    assert test.names == ['0001'] and test[0].image[0, 0, 0] == 0
    assert test.meta['split'] == 'test, not as published'
    monkeypatch.setattr(nyu, 'CHECKSUMS', {'test': list_checksum([1])})
    assert Nyu(folder, 'test', partial='yes').meta['split'] == 'test, as published'


def test_half_a_download(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"labeled\.mat: 3 frames where the whole download has "
                                           r"1449 \('images' of .*add the key partial=yes"):
        Nyu(folder)
    data = open_spec(parse_spec(f'nyu:{folder}?partial=yes'))
    assert len(data) == 3 and '3 frames where' in data.meta['partial']


def test_a_file_that_was_cut_at_its_depths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nyu, 'OFFICIAL', {None: 3})
    assert len(Nyu(folder)) == 3
    with h5py.File(folder / 'nyu_depth_v2_labeled.mat', 'r+') as file:
        depths = file['depths'][:2]
        del file['depths']
        file['depths'] = depths
    with pytest.raises(DatasetError, match=r"2 frames where the whole download has 3 \('depths'"):
        Nyu(folder)
    assert Nyu(folder, partial='yes').names == ['0001', '0002']


def test_the_official_counts_are_asked_for(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r'splits\.mat is missing'):
        Nyu(folder, 'train', partial='yes')
    write_mat5(folder / 'splits.mat', trainNdxs=list(range(1, 795)), testNdxs=[1])
    with pytest.raises(DatasetError, match=r'splits\.mat: 794 frames.*expected 795'):
        Nyu(folder, 'train', partial='yes')
    with pytest.raises(DatasetError, match=r"no split 'val'; there are: train, test"):
        Nyu(folder, 'val', partial='yes')
    # A whole list, of which only the three frames here can be read.
    write_mat5(folder / 'splits.mat', trainNdxs=list(range(1, 796)), testNdxs=[1])
    assert len(Nyu(folder, 'train', partial='yes')) == 3
    with pytest.raises(DatasetError, match='3 frames where the whole download has 1449'):
        Nyu(folder, 'train')
    write_mat5(folder / 'splits.mat', trainNdxs=list(range(795)), testNdxs=[1])
    with pytest.raises(DatasetError, match='must count frames from 1'):
        Nyu(folder, 'train', partial='yes')


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'nyu_depth_v2_labeled\.mat is missing'):
        Nyu(tmp_path, partial='yes')
    with h5py.File(tmp_path / 'nyu_depth_v2_labeled.mat', 'w') as file:
        file['images'] = np.zeros((1, 480, 640, 3), np.uint8)  # rows first: converted
        file['depths'] = np.zeros((1, 640, 480), np.float32)
    with pytest.raises(DatasetError, match=r"'images' is \(1, 480, 640, 3\), expected"):
        Nyu(tmp_path, partial='yes')


def test_wrong_unit(tmp_path: Path) -> None:
    with h5py.File(tmp_path / 'nyu_depth_v2_labeled.mat', 'w') as file:
        file['images'] = np.zeros((1, 3, 640, 480), np.uint8)
        file['depths'] = np.full((1, 640, 480), 2000, np.float32)
    data = Nyu(tmp_path, partial='yes')
    for _ in range(2):
        with pytest.raises(DatasetError, match=r'labeled\.mat: the median depth would be 2000 m'):
            data[0]
