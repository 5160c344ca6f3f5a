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

"""Split files in their published forms."""

from pathlib import Path

import pytest

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.roads import kitti_splits
from mde_ros.datasets.roads.kitti_splits import (
    checksum, find_split, identify, KittiFrame, KittiFrames, read_split)

DRIVE = '2011_09_26_drive_0002_sync'
FORMS = {
    't2net': f'2011_09_26/{DRIVE}/image_02/data/0000000069.png '
             f'2011_09_26/{DRIVE}/image_03/data/0000000069.png\n'
             f'2011_09_26/{DRIVE}/image_02/data/0000000054.jpg\n',
    'bts': f'2011_09_26/{DRIVE}/image_02/data/0000000069.png '
           f'{DRIVE}/proj_depth/groundtruth/image_02/0000000069.png 721.5377\n'
           f'2011_09_26/{DRIVE}/image_02/data/0000000054.png {DRIVE}/x.png 721.5377\n'
           f'2011_09_26/{DRIVE}/image_02/data/0000000042.png None 721.5377\n',
    'monodepth2': f'2011_09_26/{DRIVE} 0000000069 l\n2011_09_26/{DRIVE} 54 l\n',
}


@pytest.mark.parametrize('form', FORMS)
def test_the_three_forms_say_the_same(tmp_path: Path, form: str) -> None:
    path = tmp_path / 'files.txt'
    path.write_text(FORMS[form])
    assert read_split(path) == [KittiFrame(DRIVE, 69), KittiFrame(DRIVE, 54)]


def test_right_camera_and_names(tmp_path: Path) -> None:
    path = tmp_path / 'files.txt'
    path.write_text(f'2011_09_26/{DRIVE} 473 r\n')
    frame, = read_split(path)
    assert (frame.camera, frame.date) == (3, '2011_09_26')
    assert frame.name == f'{DRIVE}_image_03_0000000473'


@pytest.mark.parametrize('line', [
    'Scene01/clone/rgb_00001.jpg', '2011_09_26/2011_09_26_drive_0002_sync',
    f'2011_09_26/{DRIVE} first l', 'a b c'])
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / 'files.txt'
    path.write_text(line + '\n')
    with pytest.raises(DatasetError, match=r'files.txt: .*expected a line a frame'):
        read_split(path)


def test_names_say_which_frame() -> None:
    for frame in (KittiFrame(DRIVE, 473, 3), KittiFrame(DRIVE, 12345678901)):
        assert KittiFrame.of_name(frame.name) == frame
    frames = [KittiFrame(DRIVE, number, 2 + number % 2) for number in (5, 3, 4)]
    kept = KittiFrames(iter(frames))
    assert kept == frames and kept != frames[:2] and kept != 'abc'
    assert list(kept) == frames and kept[-1] == frames[2] and kept[1:] == frames[1:]
    assert kept.names == [frame.name for frame in frames]


def test_the_checksum_knows_frames_not_order() -> None:
    one, other = KittiFrame(DRIVE, 1), KittiFrame(DRIVE, 2, 3)
    assert checksum([one, other]) == checksum([other, one]) != checksum([one])
    # sha256 of '2011_09_26_drive_0002_sync 1 l\n2011_09_26_drive_0002_sync 2 r'
    assert checksum([one, other]) == '3dadab206defe0ec'
    assert identify([one, other]) is None


def test_a_named_split_must_be_the_published_one(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match=r'none of eigen_test_files.txt, .* is there'):
        find_split(tmp_path, 'eigen')
    (tmp_path / 'eigen_test_files.txt').write_text(FORMS['monodepth2'])
    with pytest.raises(DatasetError, match=r'2 frames, checksum .*: not the split .eigen., which '
                                           'has 697 and b27b27b80326656d'):
        find_split(tmp_path, 'eigen')
    frames = find_split(tmp_path, str(tmp_path / 'eigen_test_files.txt'))
    monkeypatch.setitem(kitti_splits.KNOWN_SPLITS, 'eigen', (2, checksum(frames)))
    assert find_split(tmp_path, 'eigen') == frames
    assert identify(frames[::-1]) == 'eigen'


def test_a_split_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'no such file; expected the path'):
        find_split(tmp_path, 'test')
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(DatasetError, match=r'empty.txt: lists no frames'):
        find_split(tmp_path, str(tmp_path / 'empty.txt'))
