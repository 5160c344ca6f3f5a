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

"""Recording: what is written where, limits, bad frames, going on, threads."""

from dataclasses import replace
import json
import threading

import cv2
import numpy as np
import pytest
from recording_scene import CAMERA, frame, view

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000
EASY = RecordingSettings.keep_all(min_free_megabytes=0.)


def open_recorder(path, settings=EASY, camera='front', intrinsics=CAMERA, **options):
    return Recorder(path, intrinsics, settings, camera=camera, **options)


def record(path, count, start=0, **options):
    """Record frames with one second between them; return the status after closing."""
    with open_recorder(path, **options) as recorder:
        for index in range(start, start + count):
            recorder.add(frame(10 * index, S * (index + 1)))
    return recorder.status()


def test_a_recording_is_an_unlabelled_folder_with_camera_stamps_and_splits(tmp_path):
    bent = replace(CAMERA, distortion_model='plumb_bob', distortion=(.1, 0., 0., 0., 0.))
    with open_recorder(tmp_path / 'r', intrinsics=bent, licence='CC0', source='here') as recorder:
        for index in range(3):
            depth = np.full((72, 96), 2., np.float32)
            assert recorder.add(frame(10 * index, S * (index + 1), bent, depth)).keep
    data = RgbdFolder(tmp_path / 'r')
    assert not data.labelled
    assert not (tmp_path / 'r' / 'scoring').exists()
    assert [one.stamp_ns for one in data] == [S, 2 * S, 3 * S]
    assert all(one.intrinsics == bent and one.depth is None for one in data)
    assert (data.meta['camera'], data.meta['licence'], data.meta['source']) == (
        'front', 'CC0', 'here')
    assert data.meta['frames'] == 3
    assert np.abs(data[1].image.astype(int) - view(10)).mean() < 4


def test_jpeg_and_depth_reach_the_folder(tmp_path):
    jpeg = cv2.imencode('.jpg', view(0), [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()
    with open_recorder(tmp_path, keep_depth=True) as recorder:
        assert recorder.add(frame(0, depth=np.full((72, 96), 2., np.float32)), jpeg).keep
    data = RgbdFolder(tmp_path)
    assert data.image_path('000000').read_bytes() == jpeg
    assert data[0].depth is None
    assert np.all(RgbdFolder(tmp_path / 'scoring')[0].depth == 2)


def test_status_counts_and_advises(tmp_path):
    with open_recorder(tmp_path, RecordingSettings(min_free_megabytes=0.)) as recorder:
        assert 'no picture yet' in recorder.status().advice
        for index, at in enumerate((0, 10, 10, 10, 10, 20)):
            recorder.add(frame(at, S * (index + 1)))
        recorder.add(frame(30, 6 * S + 1))
        recorder.add(replace(frame(0, 7 * S), image=np.zeros((72, 96, 3), np.uint8)))
        status = recorder.status()
    assert (status.state, status.seen, status.kept, status.frames) == ('recording', 8, 3, 3)
    assert status.refused == {'no motion': 3, 'too soon': 1, 'too dark': 1}
    assert status.seconds == 6.
    assert status.advice.startswith('move the robot: 43 %')
    assert recorder.status().state == 'closed'
    files = sum(path.lstat().st_size for path in tmp_path.rglob('*') if path.is_file())
    assert .3 * files < status.bytes <= files
    assert recorder.status().bytes == pytest.approx(files, rel=.1)


@pytest.mark.parametrize(('limits', 'kept', 'why'), [
    ({'max_frames': 3}, 3, 'max_frames: 3'),
    ({'max_seconds': 3.5}, 4, 'max_seconds: 3.5'),
    ({'max_megabytes': .02}, range(2, 9), 'max_megabytes'),
    ({'min_free_megabytes': 1e6}, 0, 'min_free_megabytes'),
])
def test_a_limit_ends_the_recording(tmp_path, limits, kept, why):
    status = record(tmp_path, 9, settings=replace(EASY, **limits))
    assert status.kept in kept if isinstance(kept, range) else status.kept == kept
    assert status.state == 'full'
    assert status.why.startswith(why)
    assert status.bytes <= 1.05e6 * replace(EASY, **limits).max_megabytes
    if kept:
        assert len(RgbdFolder(tmp_path)) == status.kept
        assert RgbdFolder(tmp_path, 'adapt').names
    # More room, and it goes on.
    assert record(tmp_path, 2, start=20).kept == 2


def test_a_frame_that_cannot_be_written_is_one_bad_frame(tmp_path, monkeypatch):
    def refused(self, *arguments):
        raise DatasetError('OpenCV could not encode it')

    with open_recorder(tmp_path) as recorder:
        assert recorder.add(frame(0, S)).keep
        with monkeypatch.context() as patch:
            patch.setattr('mde_ros.onsite.recording_folder.RecordingFolder.write', refused)
            assert recorder.add(frame(10, 2 * S)).reason == 'could not be written'
        assert recorder.add(frame(20, 3 * S)).keep
        # The advice goes by the latest reasons: each frame stands there once.
        assert list(recorder._counts._latest) == ['', 'could not be written', '']
    status = recorder.status()
    assert (status.seen, status.kept, status.bad) == (3, 2, {'could not be written': 1})
    assert len(RgbdFolder(tmp_path)) == 2


def test_after_a_limit_frames_are_not_even_counted(tmp_path):
    with open_recorder(tmp_path, replace(EASY, max_frames=1)) as recorder:
        recorder.add(frame(0))
        assert not recorder.recording
        assert recorder.add(frame(10)).reason == 'stopped'
        recorder.count_bad('broken')
        recorder.add_pose(1, (0, 0, 0), (0, 0, 0, 1))
    status = recorder.status()
    assert (status.seen, status.kept, status.bad) == (1, 1, {})
    assert not (tmp_path / 'odometry.jsonl').exists()


def test_a_bad_frame_is_counted_and_skipped(tmp_path, caplog):
    with open_recorder(tmp_path) as recorder:
        recorder.add(frame(0))
        for _ in range(2):
            small = replace(frame(10), image=np.zeros((40, 96, 3), np.uint8))
            assert not recorder.add(small).keep
        recorder.count_bad('unreadable image')
        assert recorder.add(frame(20)).keep
    status = recorder.status()
    assert status.bad == {'another image size': 2, 'unreadable image': 1}
    assert (status.seen, status.kept, status.state) == (5, 2, 'closed')
    assert caplog.text.count('another image size') == 1
    assert len(RgbdFolder(tmp_path)) == 2


def test_an_earlier_recording_goes_on(tmp_path):
    settings = RecordingSettings(min_free_megabytes=0., max_frames=9)
    assert record(tmp_path, 4, settings=settings).kept == 4
    # The views of the first time are known.
    again = record(tmp_path, 4, settings=settings)
    assert (again.kept, again.frames) == (0, 4)
    assert set(again.refused) <= {'no motion', 'seen before', 'too soon'}
    # And they count against the limit.
    more = record(tmp_path, 9, start=30, settings=settings)
    assert (more.kept, more.frames, more.state) == (5, 9, 'full')
    data = RgbdFolder(tmp_path)
    assert data.names == [f'{index:06d}' for index in range(9)]
    assert data[8].stamp_ns == 35 * S


def test_a_refused_recorder_leaves_no_lock_behind(tmp_path):
    record(tmp_path, 2)
    for _ in range(2):
        with pytest.raises(DatasetError, match="'camera' is front, not rear"):
            open_recorder(tmp_path, camera='rear')
    assert record(tmp_path, 1, start=5).frames == 3
    with open_recorder(tmp_path), pytest.raises(DatasetError, match='another recorder'):
        open_recorder(tmp_path)
    open_recorder(tmp_path).close()


def test_splits_are_there_while_it_records(tmp_path):
    with open_recorder(tmp_path, replace(EASY, block_frames=2)) as recorder:
        for index in range(5):
            recorder.add(frame(10 * index, S + index))
        assert RgbdFolder(tmp_path).meta['splits'] == {
            'adapt': ['000000', '000001', '000002', '000003']}


def test_odometry_and_ranges_go_into_files_of_their_own(tmp_path):
    with open_recorder(tmp_path, replace(EASY, odometry_interval=.1)) as recorder:
        recorder.add(frame(0, S))
        for step in (0, 50, 100, 150, 200):
            recorder.add_pose(S + step * 1_000_000, (1, 2, step), (0, 0, 0, 1), 'odom', 'base')
            recorder.add_range(S + step * 1_000_000, step / 100, .2, 'sonar')
        recorder.add_pose(5, (0, 0, 0), (0, 0, 0, 1))  # an earlier time: another recording
        recorder.add_range(9 * S, float('nan'))
        recorder.add_range(9 * S, float('inf'))
    poses = [json.loads(line) for line in (tmp_path / 'odometry.jsonl').read_text().splitlines()]
    assert [pose['stamp'] for pose in poses] == [S, S + 100_000_000, S + 200_000_000, 5]
    assert poses[1] == {'stamp': S + 100_000_000, 'position': [1., 2., 100.],
                        'orientation': [0., 0., 0., 1.], 'frame': 'odom', 'child': 'base'}
    ranges = (tmp_path / 'scoring' / 'ranges.jsonl').read_text().splitlines()
    # 0 m is no reading.
    assert [json.loads(line)['range'] for line in ranges] == [.5, 1.5]
    assert json.loads(ranges[0])['field_of_view'] == .2
    assert not RgbdFolder(tmp_path).labelled


def test_frames_from_several_threads(tmp_path):
    with open_recorder(tmp_path) as recorder:
        threads = [threading.Thread(target=lambda k=k: [
            recorder.add(frame(10 * i, S + 4 * i + k)) for i in range(5)]) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert recorder.status().kept == 20
    assert len(list(RgbdFolder(tmp_path))) == 20


def test_closing_twice_and_closing_a_folder_that_is_gone(tmp_path):
    recorder = open_recorder(tmp_path / 'r')
    recorder.add(frame(0))
    recorder.close()
    recorder.close()
    gone = open_recorder(tmp_path / 'r')
    (tmp_path / 'r').rename(tmp_path / 'moved')
    gone.add(frame(50))
    gone.close()
    assert gone.status().state == 'error'
    assert 'No such file' in gone.status().why
