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

"""Frames of bags: pairing, intrinsics that change, bad messages that are counted."""

from pathlib import Path
from typing import Any

from bag_messages import (
    camera_info, compressed, file_of, image, picture, recording, SECOND, write_bag)
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_reader import BagFrames, Pairing
from mde_ros.datasets.compressed_depth import encode_compressed_depth
from mde_ros.datasets.frame import DatasetError

MS = 1_000_000


def frames_of(tmp_path: Path, messages: list[tuple[str, Any]], **options: Any) -> BagFrames:
    return BagFrames(write_bag(tmp_path / 'bag', messages), **options)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('single_file', [False, True])
def test_frames_of_a_recording(tmp_path: Path, storage: str, single_file: bool) -> None:
    path = write_bag(tmp_path / 'bag', recording(3), storage)
    source = BagFrames(next(path.glob('bag.*')) if single_file else path)
    assert len(source) == 3
    for _ in range(2):  # any number of passes, with counts of the last one
        frames = list(source)
        assert [frame.name for frame in frames] == ['000000', '000001', '000002']
        assert [frame.stamp_ns for frame in frames] == [
            SECOND, SECOND + 100 * MS, SECOND + 200 * MS]
        for number, frame in enumerate(frames):
            np.testing.assert_array_equal(frame.image, picture(seed=number))
            assert frame.depth is not None
            np.testing.assert_array_equal(frame.depth, np.full((6, 8), number + 1., np.float32))
            assert frame.intrinsics == Intrinsics(8, 6, 10., 10., 3.5, 2.5)
        assert source.pairing == Pairing(exact=3)
        assert (source.skipped, source.stamps_backwards, source.damage) == ({}, 0, [])
    assert source.labelled


def test_depth_that_is_late_pairs_within_the_slop(tmp_path: Path) -> None:
    source = frames_of(tmp_path, recording(3, depth_after_ms=15))
    assert [frame.depth is not None for frame in source] == [True] * 3
    assert source.pairing == Pairing(near=3)
    strict = BagFrames(tmp_path / 'bag', slop_ns=14 * MS)
    assert [frame.depth for frame in strict] == [None] * 3
    assert strict.pairing == Pairing(unpaired=3, unused_depths=3)


def test_a_bag_without_depth_is_unlabelled(tmp_path: Path) -> None:
    source = frames_of(tmp_path, recording(2, depth=False))
    assert not source.labelled
    assert [frame.depth for frame in source] == [None, None]


def test_depth_can_be_left_out(tmp_path: Path) -> None:
    source = frames_of(tmp_path, recording(2), read_depth=False)
    assert [frame.depth for frame in source] == [None, None]
    assert source.topics.depth is None


def test_compressed_topics_and_the_files_in_them(tmp_path: Path) -> None:
    jpeg = file_of(picture(32, 24))
    depth = np.full((24, 32), 1.5, np.float32)
    layout, data = encode_compressed_depth(depth, '16UC1')
    source = frames_of(tmp_path, [
        ('/c/camera_info', camera_info(size=(32, 24))),
        ('/c/image/compressed', compressed(jpeg, 'bgr8; jpeg compressed bgr8')),
        ('/c/depth/image/compressedDepth', compressed(data, layout))])
    (frame, file), = source.encoded()
    assert file == jpeg
    np.testing.assert_allclose(frame.depth, depth, rtol=1e-6)


def test_files_of_swapped_colours_are_not_handed_on(tmp_path: Path) -> None:
    source = frames_of(tmp_path, [
        ('/c/camera_info', camera_info()),
        ('/c/image/compressed', compressed(file_of(picture()), 'rgb8; jpeg compressed rgb8'))])
    (_, file), = source.encoded()
    assert file is None


def test_raw_images_take_k_and_d_and_rectified_ones_p(tmp_path: Path) -> None:
    lens = (.1, -.2, 0, 0, .05)
    info = camera_info(focal=10., projected=9., lens=lens)
    raw = frames_of(tmp_path, [('/c/camera_info', info),
                               ('/c/image_raw', image(picture(), 'rgb8'))])
    (frame,) = raw
    assert not raw.rectified
    assert (frame.intrinsics.fx, frame.intrinsics.distortion) == (10., lens)
    (frame,) = BagFrames(tmp_path / 'bag', rectified=True)
    assert (frame.intrinsics.fx, frame.intrinsics.rectified) == (9., True)
    (tmp_path / 'two').mkdir()
    rect = frames_of(tmp_path / 'two', [('/c/camera_info', info),
                                        ('/c/image_rect', image(picture(), 'rgb8'))])
    (frame,) = rect
    assert rect.rectified
    assert (frame.intrinsics.fx, frame.intrinsics.rectified) == (9., True)


def test_intrinsics_that_change_hold_from_their_stamp_on(tmp_path: Path) -> None:
    messages: list[tuple[str, Any]] = []
    for number, focal in enumerate((10., 10., 20., 20.)):
        stamp = SECOND + number * 100 * MS
        # The info of a stamp may be recorded after its image and depth.
        messages += [('/c/image', image(picture(), 'rgb8', stamp)),
                     ('/c/depth', image(np.ones((6, 8), np.float32), '32FC1', stamp)),
                     ('/c/camera_info', camera_info(stamp, focal=focal))]
    source = frames_of(tmp_path, messages)
    assert [frame.intrinsics.fx for frame in source] == [10., 10., 20., 20.]


def test_one_latched_info_holds_for_all(tmp_path: Path) -> None:
    messages = [('/c/image', image(picture(), 'rgb8', SECOND + number * 100 * MS))
                for number in range(5)]
    # Recorded after the first three, stamped after all of them.
    messages.insert(3, ('/c/camera_info', camera_info(9 * SECOND)))
    assert [frame.intrinsics.fx for frame in frames_of(tmp_path, messages)] == [10.] * 5


def test_given_intrinsics_replace_camera_info(tmp_path: Path) -> None:
    given = Intrinsics(8, 6, 77., 77., 4., 3.)
    source = frames_of(tmp_path, recording(2, info=False), intrinsics=given)
    assert [frame.intrinsics for frame in source] == [given, given]
    other = BagFrames(tmp_path / 'bag', intrinsics=Intrinsics(9, 6, 77., 77., 4., 3.))
    assert list(other) == []
    assert other.skipped == {'image size differs from camera_info': 2}


def test_a_bad_image_is_skipped_and_counted(tmp_path: Path,
                                            caplog: pytest.LogCaptureFixture) -> None:
    messages = recording(5)
    images = [at for at, (topic, _) in enumerate(messages) if topic == '/cam/image_raw']
    messages[images[1]][1].encoding = 'strange'
    messages[images[3]][1].step = 5
    source = frames_of(tmp_path, messages)
    assert [frame.name for frame in source] == ['000000', '000002', '000004']
    assert source.skipped == {'unreadable image': 2}
    assert source.pairing == Pairing(exact=3)
    assert "image 1 at 1100000000 ns on /cam/image_raw: 'strange'" in caplog.text
    assert len(source) == 5


def test_a_size_that_changes_is_skipped(tmp_path: Path) -> None:
    messages = recording(3)
    messages[4] = ('/cam/image_raw', image(picture(10, 6), 'rgb8', SECOND + 100 * MS))
    source = frames_of(tmp_path, messages)
    assert len(list(source)) == 2
    assert source.skipped == {'image size differs from camera_info': 1}


def test_an_uncalibrated_camera_is_skipped_with_one_reason(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    messages = [(topic, camera_info(SECOND, focal=0.) if topic == '/cam/camera_info' else message)
                for topic, message in recording(9)]
    source = frames_of(tmp_path, messages)
    assert list(source) == []
    assert source.skipped == {'unusable camera_info': 9}
    assert 'calibrate the camera' in caplog.text
    assert caplog.text.count('K[0] = 0') == 3  # then only counted


def test_nan_in_k_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = frames_of(tmp_path, [('/c/camera_info', camera_info(focal=float('nan'))),
                                  ('/c/image', image(picture(), 'rgb8'))])
    assert list(source) == []
    assert 'focal length must be positive' in caplog.text


def test_bad_depth_leaves_the_frame_unlabelled(tmp_path: Path) -> None:
    messages = recording(3)
    messages[2][1].step = 1
    messages[5] = ('/cam/depth/image_rect', image(np.ones((7, 8), np.float32), '32FC1',
                                                  SECOND + 100 * MS))
    source = frames_of(tmp_path, messages)
    assert [frame.depth is not None for frame in source] == [False, False, True]
    assert source.pairing == Pairing(exact=1, unreadable=2)


def test_stamps_that_go_back_are_read_and_counted(tmp_path: Path) -> None:
    once = recording(3)
    source = frames_of(tmp_path, once + once)
    frames = list(source)
    assert [frame.stamp_ns for frame in frames] == [
        SECOND, SECOND + 100 * MS, SECOND + 200 * MS] * 2
    assert [frame.name for frame in frames] == [f'{number:06d}' for number in range(6)]
    assert source.stamps_backwards == 1
    assert source.pairing == Pairing(exact=6)


def test_images_without_stamps_take_the_time_of_recording(tmp_path: Path) -> None:
    source = frames_of(tmp_path, [
        ('/c/camera_info', camera_info(0)), ('/c/image', image(picture(), 'rgb8', 0)),
        ('/c/depth', image(np.ones((6, 8), np.float32), '32FC1', 0))])
    (frame,) = source
    # Messages are recorded 1 ms apart from 1 s on: the image second, its depth third.
    assert frame.stamp_ns == SECOND + MS
    assert source.pairing == Pairing(near=1)


def test_an_empty_bag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='no image topic'):
        frames_of(tmp_path, [])


def test_notes_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames_of(tmp_path, [('/c/camera_info', camera_info()), ('/c/image', image(picture(), 'rgb8')),
                         ('/c/depth', image(np.ones((9, 9), np.float32), '32FC1'))])
    assert 'not registered' in caplog.text
