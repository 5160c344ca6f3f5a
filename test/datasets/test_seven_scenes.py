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

"""7-Scenes: marks for no reading, splits by sequence, depth projected into colour."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_scene import metres, render

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indoor.seven_scenes import (
    COLOUR_CAMERA, DEPTH_CAMERA, LIRIS_ROTATION, POSES, SevenScenes)
from mde_ros.datasets.registry import open_spec, parse_spec

SEEN = render(DEPTH_CAMERA)
IMAGE = render(COLOUR_CAMERA).image


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the scene chess, three sequences of one frame."""
    root = tmp_path_factory.mktemp('scenes')
    stored = SEEN.stored(1000, hole=5)
    stored[200:210, 300:310] = 65535
    for sequence in ('seq-01', 'seq-02', 'seq-10'):
        folder = root / 'chess' / sequence
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / 'frame-000000.color.png'), IMAGE[..., ::-1])
        cv2.imwrite(str(folder / 'frame-000000.depth.png'), stored)
        np.savetxt(folder / 'frame-000000.pose.txt', np.eye(4))
    (root / 'chess' / 'TrainSplit.txt').write_text('sequence1\nsequence10\n')
    (root / 'chess' / 'TestSplit.txt').write_text('sequence2\n')
    return root


def test_as_it_is(root: Path) -> None:
    data = SevenScenes(root, register='no', partial='yes')
    frame = data[0]
    expected = metres(SEEN.stored(1000, hole=5), 1000)
    expected[200:210, 300:310] = np.nan
    assert frame.name == 'chess/seq-01/frame-000000' and len(data) == 3
    assert frame.depth is not None and np.array_equal(frame.depth, expected, equal_nan=True)
    assert np.array_equal(frame.image, IMAGE)
    assert frame.intrinsics.fx == 585 and data.meta['registered'] is False


@pytest.mark.parametrize('pose', ['kinect', 'liris'])
def test_registered(root: Path, pose: str) -> None:
    data = SevenScenes(root / 'chess', register=pose, partial='yes')
    rotation, translation = POSES[pose]
    frame = data[0]
    assert frame.name == 'seq-01/frame-000000' and frame.intrinsics.fx == 525
    assert pose in data.meta['registered']
    assert frame.depth is not None
    # A point on the front of the box, in the colour camera.
    for point in ((0.1, 0.1, 1.5), (-.3, .2, 1.5)):
        x, y, z = rotation @ np.array(point) + translation
        column, row = round(x / z * 525 + 320), round(y / z * 525 + 240)
        assert np.allclose(frame.depth[row - 1:row + 2, column - 1:column + 2], z, atol=.002)
    # 585 to 525 shrinks: no gaps between the readings, but where something is hidden.
    assert np.isfinite(frame.depth[60:420, 60:580]).mean() > .97


def test_a_kinect_sees_the_known_scene(root: Path) -> None:
    # Colour is 25 mm beside the depth camera: what is rendered from there must come out.
    frame = SevenScenes(root, partial='yes')[0]
    expected = render(COLOUR_CAMERA, position=(.025, 0., 0.))
    assert frame.depth is not None
    flat = np.isfinite(frame.depth) & (cv2.morphologyEx(
        expected.box.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) == 0)
    # Half a pixel on the plane is less than 0.5 / 525 * 0.36 / 0.6 of the depth.
    assert np.allclose(frame.depth[flat], expected.depth[flat], rtol=2e-3)


def test_the_published_pose_is_a_small_rotation() -> None:
    assert np.allclose(LIRIS_ROTATION @ LIRIS_ROTATION.T, np.eye(3), atol=1e-6)
    assert np.linalg.det(LIRIS_ROTATION) == pytest.approx(1, abs=1e-6)


def test_splits(root: Path, tmp_path: Path) -> None:
    train = SevenScenes(root / 'chess', 'train', partial='yes')
    assert train.names == ['seq-01/frame-000000', 'seq-10/frame-000000']
    assert SevenScenes(root, 'test', partial='yes').names == ['chess/seq-02/frame-000000']
    (tmp_path / 'chess' / 'seq-01').mkdir(parents=True)
    with pytest.raises(DatasetError, match=r'TrainSplit\.txt is missing'):
        SevenScenes(tmp_path, 'train', partial='yes')
    (tmp_path / 'chess' / 'TrainSplit.txt').write_text('sequence1\nsequence7\n')
    with pytest.raises(DatasetError, match='seq-07 is missing'):
        SevenScenes(tmp_path, 'train', partial='yes')
    (tmp_path / 'chess' / 'TrainSplit.txt').write_text('one\n')
    with pytest.raises(DatasetError, match=r"TrainSplit\.txt: 'one': expected 'sequence1'"):
        SevenScenes(tmp_path, 'train', partial='yes')


def test_half_a_download(root: Path, tmp_path: Path) -> None:
    for split, count, official in ((None, 3, 6000), ('train', 2, 4000), ('test', 1, 2000)):
        with pytest.raises(DatasetError, match=f'/chess: {count} frames where the whole download '
                                               f'has {official} .*add the key partial=yes'):
            SevenScenes(root, split)
    data = open_spec(parse_spec(f'7scenes:{root}?split=test&partial=yes'))
    assert len(data) == 1 and '/chess: 1 frames' in data.meta['partial']
    # A scene of one's own has no count, but both halves.
    sequence = tmp_path / 'kitchen' / 'seq-01'
    sequence.mkdir(parents=True)
    for number in range(2):
        cv2.imwrite(str(sequence / f'frame-{number:06d}.color.png'), IMAGE)
    cv2.imwrite(str(sequence / 'frame-000000.depth.png'), SEEN.stored(1000))
    with pytest.raises(DatasetError, match=r'seq-01/frame-000001\.depth\.png is missing \(1 of 2'):
        SevenScenes(tmp_path)
    assert len(SevenScenes(tmp_path, read_depth=False)) == 2
    cv2.imwrite(str(sequence / 'frame-000001.depth.png'), SEEN.stored(1000))
    assert 'partial' not in SevenScenes(tmp_path).meta


def test_wrong_folders(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='no scene; expected SCENE/seq-01'):
        SevenScenes(tmp_path, partial='yes')
    (tmp_path / 'fire' / 'seq-01').mkdir(parents=True)
    with pytest.raises(DatasetError, match='no frames found'):
        SevenScenes(tmp_path, partial='yes')
