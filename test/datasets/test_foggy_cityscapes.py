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

"""Foggy Cityscapes, written by the test as its archives lay it out."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.registry import open_spec, parse_spec
from mde_ros.datasets.roads.foggy_cityscapes import (
    disparity_to_depth, FoggyCityscapes, FRAMES)

CAMERA = Intrinsics(64, 32, 70.5, 70.8, 33.2, 15.4)
BASELINE = .209313
SCENE = render(CAMERA, 3)
STEM = 'frankfurt_000000_000294'
# 30 pixels of disparity at most: small images, so the focal length is small and B f is.
STORED = (np.rint(BASELINE * CAMERA.fx / SCENE.depth * 256) + 1).astype(np.uint16)
STORED[0, 0], STORED[0, 1] = 0, 1


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a data set of one street, in fog and clear."""
    for folder, suffix, image in (
            ('leftImg8bit_foggy', '_leftImg8bit_foggy_beta_0.01.png', SCENE.image),
            ('leftImg8bit', '_leftImg8bit.png', 255 - SCENE.image),
            ('disparity', '_disparity.png', STORED)):
        path = tmp_path / folder / 'val' / 'frankfurt' / (STEM + suffix)
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), image[:, :, ::-1] if image.ndim == 3 else image)
    path = tmp_path / 'camera' / 'val' / 'frankfurt' / f'{STEM}_camera.json'
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({
        'extrinsic': {'baseline': BASELINE, 'pitch': .03, 'x': 1.7},
        'intrinsic': {'fx': CAMERA.fx, 'fy': CAMERA.fy, 'u0': CAMERA.cx, 'v0': CAMERA.cy}}))
    return tmp_path


def test_the_scene_comes_back(root: Path) -> None:
    source = open_spec(parse_spec(f'foggy_cityscapes:{root}?split=val&partial=yes'))
    assert source.names == [STEM]
    frame = source[0]
    assert frame.intrinsics == CAMERA
    np.testing.assert_array_equal(frame.image, SCENE.image)
    depth = frame.depth
    assert depth is not None and np.isnan(depth[0, :2]).all()
    with np.errstate(divide='ignore'):
        wanted = BASELINE * CAMERA.fx / ((STORED.astype(np.float64) - 1) / 256)
    wanted[0, :2] = np.nan
    np.testing.assert_array_equal(depth, wanted.astype(np.float32))
    # As good as 1 / 256 pixel of disparity: half a step of one part in STORED - 1.
    error = np.abs(depth / SCENE.depth - 1)
    assert np.nanmax(error * (STORED - 1.)) <= .51


def test_disparity_by_hand() -> None:
    """B f = 100: 257 is 1 pixel, 2561 is 10, 33 an eighth; 0 and 1 are none."""
    got = disparity_to_depth(np.array([[257, 2561, 33], [0, 1, 2]], np.uint16), 100.)
    np.testing.assert_array_equal(
        got, np.array([[100, 10, 800], [np.nan, np.nan, 25600]], np.float32))


def test_clear_and_fog_are_paired(root: Path) -> None:
    source = FoggyCityscapes(root, partial='yes')
    clear = source.paired(STEM, 'clear')
    np.testing.assert_array_equal(clear.image, 255 - SCENE.image)
    np.testing.assert_array_equal(clear.depth, source[0].depth)
    only = FoggyCityscapes(root, 'val', beta='clear', partial='yes')[0]
    np.testing.assert_array_equal(only.image, clear.image)
    with pytest.raises(FrameError, match=r'beta_0.02.png: no image file'):
        source.paired(STEM, '0.02')
    with pytest.raises(DatasetError, match=r"beta '0.03': there are: 0.005, 0.01, 0.02, clear"):
        source.paired(STEM, '0.03')
    with pytest.raises(DatasetError, match=r'no frame x'):
        source.paired('x', 'clear')


def test_many_cities(root: Path) -> None:
    for part, city, stems in (('val', 'aachen', ('aachen_000001_000019', 'aachen_000000_000019')),
                              ('train', 'ulm', ('ulm_000000_000019',)), ('val', 'empty', ())):
        folder = root / 'leftImg8bit_foggy' / part / city
        folder.mkdir(parents=True)
        for number, stem in enumerate(stems):
            cv2.imwrite(str(folder / f'{stem}_leftImg8bit_foggy_beta_0.01.png'),
                        np.full((32, 64, 3), 10 * len(city) + number, np.uint8))
            camera = root / 'camera' / part / city / f'{stem}_camera.json'
            camera.parent.mkdir(parents=True, exist_ok=True)
            camera.write_bytes((root / 'camera' / 'val' / 'frankfurt' / f'{STEM}_camera.json'
                                ).read_bytes())
    source = FoggyCityscapes(root, read_depth=False, partial='yes')
    assert source.names == ['ulm_000000_000019', 'aachen_000000_000019', 'aachen_000001_000019',
                            STEM]
    assert [frame.image[0, 0, 0] for frame in source][:3] == [30, 61, 60]
    for frame in source:
        assert np.array_equal(source.paired(frame.name, '0.01').image, frame.image)
    assert source.depth_file(0) == (root / 'disparity' / 'train' / 'ulm'
                                    / 'ulm_000000_000019_disparity.png')


def test_half_a_download(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match=r'leftImg8bit_foggy/val: 1 frames where the whole '
                                           r'download has 500 .*add the key partial=yes'):
        FoggyCityscapes(root)
    data = open_spec(parse_spec(f'foggy_cityscapes:{root}?partial=yes'))
    assert len(data) == 1 and 'foggy/val: 1 frames where' in data.meta['partial']
    monkeypatch.setitem(FRAMES, 'val', 1)
    assert 'partial' not in FoggyCityscapes(root).meta
    for part, end in (('disparity', 'disparity.png'), ('camera', 'camera.json')):
        (root / part / 'val' / 'frankfurt' / f'{STEM}_{end}').unlink()
        with pytest.raises(DatasetError, match=f'{part}/val/frankfurt/{STEM}_{end} is missing'):
            FoggyCityscapes(root, read_depth=part == 'disparity')


def test_what_is_missing_is_named(root: Path) -> None:
    source = FoggyCityscapes(root, partial='yes')
    with pytest.raises(DatasetError, match=r"no split 'dev'; there are: train, val, test"):
        FoggyCityscapes(root, 'dev', partial='yes')
    with pytest.raises(DatasetError, match=r'no frames found; expected .*beta_0.02.png'):
        FoggyCityscapes(root, beta='0.02', partial='yes')
    camera = root / 'camera' / 'val' / 'frankfurt' / f'{STEM}_camera.json'
    camera.write_text('{"intrinsic": {"fx": 1}}')
    with pytest.raises(FrameError, match=r'camera.json .*: camera file without intrinsic fx'):
        source[0]
    camera.unlink()
    assert source.get(0) is None and source.skipped == {'no camera file': 1}
    (root / 'disparity').rename(root / 'gone')
    with pytest.raises(DatasetError, match=r'disparity is missing: expected leftImg8bit_foggy, '
                                           r'disparity, camera in'):
        FoggyCityscapes(root, partial='yes')
    assert len(FoggyCityscapes(root, read_depth=False, partial='yes')) == 1


def test_wrong_unit(root: Path) -> None:
    """Depth in centimetres taken for disparity."""
    path = root / 'disparity' / 'val' / 'frankfurt' / f'{STEM}_disparity.png'
    cv2.imwrite(str(path), np.full((32, 64), 60001, np.uint16))
    with pytest.raises(DatasetError, match=r'disparity.png: the median depth would be 0.06296 m'):
        FoggyCityscapes(root, partial='yes')[0]
