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

"""Virtual KITTI 1.3.1 and 2, written by the test as their archives lay them out."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
from synthetic_scene import metres, render

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.registry import open_spec, parse_spec
from mde_ros.datasets.roads.virtual_kitti import (
    CAMERA, read_intrinsics, SCENE_FRAMES, VirtualKitti1, VirtualKitti2)

SCENE = render(CAMERA, 10)
STORED = SCENE.stored(100)
STORED[:20] = 65535  # sky
INTRINSIC = 'frame cameraID K[0,0] K[1,1] K[0,2] K[1,2]\n' + ''.join(
    f'{frame} {camera} 725.0087 725.0087 620.5 187\n' for frame in (0, 1) for camera in (0, 1))


def write(path: Path, image: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """Return version 1.3.1: two frames of clone, one of fog."""
    for number, variant, image in ((0, 'clone', SCENE.image), (1, 'clone', SCENE.image),
                                   (0, 'fog', 255 - SCENE.image)):
        tail = Path('0001', variant, f'{number:05d}.png')
        write(tmp_path / 'vkitti_1.3.1_rgb' / tail, image[:, :, ::-1])
        write(tmp_path / 'vkitti_1.3.1_depthgt' / tail, STORED)
    return tmp_path


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Return version 2: frame 1 of scene 18, both cameras, clone and fog."""
    for variant in ('clone', 'fog'):
        scene = tmp_path / 'Scene18' / variant
        for camera in (0, 1):
            shift = np.uint8(10 * camera)
            write(scene / 'frames' / 'rgb' / f'Camera_{camera}' / 'rgb_00001.jpg',
                  SCENE.image[:, :, ::-1] + shift)
            write(scene / 'frames' / 'depth' / f'Camera_{camera}' / 'depth_00001.png', STORED)
        (scene / 'intrinsic.txt').write_text(INTRINSIC)
    return tmp_path


def test_version_1_comes_back(first: Path) -> None:
    source = VirtualKitti1(first, partial='yes')
    assert source.names == ['0001_clone_00000', '0001_clone_00001', '0001_fog_00000']
    frame = source[1]
    assert frame.intrinsics == Intrinsics(1242, 375, 725., 725., 620.5, 187.)
    np.testing.assert_array_equal(frame.image, SCENE.image)
    wanted = metres(STORED, 100)
    wanted[:20] = np.nan
    np.testing.assert_array_equal(frame.depth, wanted)


def test_the_sky_can_be_kept(first: Path) -> None:
    depth = open_spec(parse_spec(f'vkitti1:{first}?sky=keep&variant=fog&partial=yes'))[0].depth
    assert depth is not None
    assert (depth[:20] == np.float32(655.35)).all()
    np.testing.assert_array_equal(depth, metres(STORED, 100))


def test_version_2_comes_back(second: Path) -> None:
    source = open_spec(parse_spec(f'vkitti2:{second}?variant=clone&partial=yes'))
    assert source.names == ['Scene18_clone_Camera_0_00001']
    frame = source[0]
    assert frame.intrinsics == Intrinsics(1242, 375, 725.0087, 725.0087, 620.5, 187.)
    assert np.abs(frame.image.astype(int) - SCENE.image).mean() < 3
    assert frame.depth is not None
    np.testing.assert_array_equal(frame.depth[20:], metres(STORED, 100)[20:])
    right = VirtualKitti2(second, camera='1', variant='clone', partial='yes')[0]
    assert np.mean(right.image.astype(int) - frame.image) == pytest.approx(10, abs=1)


def test_version_2_in_three_folders_and_without_text(second: Path) -> None:
    """Unpacked apart, and without the archive of intrinsics: the published camera."""
    for part in ('rgb', 'depth'):
        target = second / f'vkitti_2.0.3_{part}' / 'Scene18' / 'fog' / 'frames' / part
        target.parent.mkdir(parents=True)
        (second / 'Scene18' / 'fog' / 'frames' / part).rename(target)
    source = VirtualKitti2(second, variant='fog', partial='yes')
    (second / 'Scene18' / 'fog' / 'intrinsic.txt').unlink()
    assert source[0].intrinsics == CAMERA


def test_weathers_are_paired(first: Path) -> None:
    source = VirtualKitti1(first, variant='clone', partial='yes')
    fog = source.paired('0001_clone_00000', 'fog')
    assert fog.name == '0001_fog_00000'
    np.testing.assert_array_equal(fog.image, 255 - SCENE.image)
    np.testing.assert_array_equal(fog.depth, source[0].depth)
    with pytest.raises(FrameError, match=r'0001/fog/00001.png: no image file'):
        source.paired('0001_clone_00001', 'fog')
    with pytest.raises(DatasetError, match=r"variant 'snow': there are: 15-deg-left"):
        source.paired('0001_clone_00000', 'snow')
    with pytest.raises(DatasetError, match=r'no frame 0002_clone_00000'):
        source.paired('0002_clone_00000', 'fog')


def test_choosing(first: Path) -> None:
    assert len(VirtualKitti1(first, variant='fog,clone', partial='yes')) == 3
    assert len(VirtualKitti1(first, scene='01', partial='yes')) == 3
    with pytest.raises(DatasetError, match=r"no frames of the variant 'rain'"):
        VirtualKitti1(first, variant='fog,rain', partial='yes')
    with pytest.raises(DatasetError, match=r'no frames found; expected vkitti_1.3.1_rgb/0001'):
        VirtualKitti1(first, scene='20', partial='yes')
    with pytest.raises(DatasetError, match=r"scene '3': there are: 01, 02, 06, 18, 20"):
        VirtualKitti1(first, scene='3', partial='yes')
    with pytest.raises(DatasetError, match=r"no split 'train': virtual KITTI has none"):
        VirtualKitti1(first, 'train', partial='yes')


def test_half_a_download(first: Path, second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(SCENE_FRAMES.values()) == 2126
    with pytest.raises(DatasetError, match=r'0001/clone: 2 frames where the whole download has '
                                           r'447 .*add the key partial=yes'):
        VirtualKitti1(first, variant='clone', scene='01')
    data = open_spec(parse_spec(f'vkitti1:{first}?variant=fog,clone&scene=01&partial=yes'))
    assert len(data) == 3 and data.meta['partial'].endswith('; and 1 more')
    monkeypatch.setitem(SCENE_FRAMES, 1, 1)
    assert len(VirtualKitti1(first, variant='clone,fog', scene='01')) == 3
    # A scene or variant that is not there at all, unless it is not asked for.
    with pytest.raises(DatasetError, match=r'vkitti_1.3.1_rgb/0001/15-deg-left: 0 frames where'):
        VirtualKitti1(first)
    with pytest.raises(DatasetError, match=r'Scene01/clone/frames/rgb/Camera_1: 0 frames where'):
        open_spec(parse_spec(f'vkitti2:{second}?camera=1&variant=clone'))
    assert len(open_spec(parse_spec(f'vkitti2:{second}?variant=clone&partial=yes'))) == 1


def test_missing_depth(first: Path) -> None:
    (first / 'vkitti_1.3.1_depthgt' / '0001' / 'clone' / '00000.png').unlink()
    with pytest.raises(DatasetError, match=r'depthgt/0001/clone/00000\.png is missing \(1 of 2'):
        VirtualKitti1(first, variant='clone')
    source = VirtualKitti1(first, variant='clone', partial='yes')
    assert len(list(source)) == 1 and source.skipped == {'no depth file': 1}
    assert VirtualKitti1(first, None, False, partial='yes')[0].depth is None
    (first / 'vkitti_1.3.1_depthgt').rename(first / 'elsewhere')
    with pytest.raises(DatasetError, match=r'vkitti_1.3.1_depthgt is missing'):
        VirtualKitti1(first, partial='yes')


def test_wrong_folder_and_wrong_unit(first: Path, second: Path) -> None:
    with pytest.raises(DatasetError, match=r'no frames found; expected Scene01'):
        VirtualKitti2(first / 'vkitti_1.3.1_rgb', partial='yes')
    write(first / 'vkitti_1.3.1_depthgt' / '0001' / 'fog' / '00000.png',
          np.full((375, 1242), 60000, np.uint16))
    with pytest.raises(DatasetError, match=r'fog/00000.png: the median depth would be 600 m'):
        VirtualKitti1(first, variant='fog', partial='yes')[0]


def test_intrinsics_file(tmp_path: Path) -> None:
    path = tmp_path / 'intrinsic.txt'
    path.write_text(INTRINSIC)
    assert sorted(read_intrinsics(path, '1')) == [0, 1]
    path.write_text('frame cameraID\n0 0 725\n')
    with pytest.raises(DatasetError, match=r"intrinsic.txt: '0 0 725': expected"):
        read_intrinsics(path, '0')
