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

"""The folder of a recorder: JPEG and depth as they come, splits, what does not fit, locks."""

from dataclasses import replace
import json

import cv2
import numpy as np
import pytest
from recording_scene import CAMERA, frame, view

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.frame_choice import Choice
from mde_ros.onsite.recording_files import ODOMETRY
from mde_ros.onsite.recording_folder import RecordingFolder
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000
SETTINGS = RecordingSettings.keep_all(min_free_megabytes=0.)
META = {'camera': 'front', 'licence': 'CC0', 'source': 'here'}
KEPT = Choice('', motion=.5, novelty=.25)


def open_folder(path, settings=SETTINGS, intrinsics=CAMERA, keep_depth=False, remember=None,
                **meta):
    return RecordingFolder(path, intrinsics, settings, {**META, **meta}, keep_depth=keep_depth,
                           remember=remember or (lambda grey, stamp: None))


def close(folder):
    folder.save_splits()
    folder.close()
    folder.release()


def write(path, *frames, jpegs=(), **options):
    """Write frames into a folder and close it."""
    folder = open_folder(path, **options)
    for index, one in enumerate(frames):
        folder.write(one, jpegs[index] if jpegs else None, KEPT)
    close(folder)
    return RgbdFolder(path)


def views(count, start=0):
    return [frame(10 * index, S * (index + 1)) for index in range(start, start + count)]


def test_depth_is_kept_only_for_scoring(tmp_path):
    frames = views(3)
    for index in range(2):
        depth = np.full((72, 96), 1. + index, np.float32)
        depth[0] = (np.nan, np.inf, -1., 66., *[1.5] * 92)
        frames[index] = replace(frames[index], depth=depth)
    data = write(tmp_path / 'with', *frames, keep_depth=True)
    assert not data.labelled
    assert [one.depth for one in data] == [None] * 3
    scoring = RgbdFolder(tmp_path / 'with' / 'scoring')
    assert scoring.labelled
    assert scoring[1].depth[1, 0] == 2
    np.testing.assert_allclose(scoring[1].depth[0, :5], [np.nan] * 4 + [1.5], rtol=1e-6)
    assert scoring[1].stamp_ns == 2 * S
    assert len(list(scoring)) == 2
    assert scoring.skipped == {'no depth file': 1}
    write(tmp_path / 'without', *frames)
    assert not (tmp_path / 'without' / 'scoring').exists()


def test_jpeg_is_kept_as_it_came_unless_it_is_none(tmp_path):
    jpeg = cv2.imencode('.jpg', view(0), [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()
    data = write(tmp_path, *[frame(0)] * 3, jpegs=(jpeg, jpeg[:-40], b'\x89PNG'))
    files = [data.image_path(name).read_bytes() for name in data.names]
    assert files[0] == jpeg
    assert files[1] == files[2] != jpeg
    assert len(list(data)) == 3
    assert not data.skipped


def test_quality_of_encoded_frames(tmp_path):
    sizes = []
    for quality in (20, 95):
        folder = open_folder(tmp_path / str(quality), replace(SETTINGS, jpeg_quality=quality))
        before = folder.bytes
        folder.write(frame(0), None, KEPT)
        sizes.append(folder.bytes - before)
        close(folder)
    assert sizes[1] > 1.5 * sizes[0]


def test_a_zoom_is_noted_with_its_frame(tmp_path):
    zoomed = replace(CAMERA, fx=90., fy=91.)
    data = write(tmp_path, frame(0), frame(10, intrinsics=zoomed))
    assert [one.intrinsics for one in data] == [CAMERA, zoomed]


@pytest.mark.parametrize(('changes', 'reason', 'detail'), [
    ({'image': np.zeros((40, 96, 3), np.uint8)}, 'another image size', '(40, 96, 3)'),
    ({'image': np.zeros((72, 96, 3), np.float32)}, 'another image size', 'float32'),
    ({'intrinsics': replace(CAMERA, distortion_model='plumb_bob', distortion=(.1, 0, 0, 0))},
     'another lens', 'plumb_bob'),
    ({'depth': np.zeros((7, 9), np.float32)}, 'depth of another size', '(7, 9)'),
])
def test_a_frame_that_does_not_fit(tmp_path, changes, reason, detail):
    folder = open_folder(tmp_path)
    assert folder.fault(frame(0)) is None
    assert folder.fault(frame(0, intrinsics=replace(CAMERA, fx=90.))) is None
    found = folder.fault(replace(frame(0), **changes))
    assert found is not None
    assert found[0] == reason
    assert detail in found[1]
    close(folder)


def test_what_one_more_frame_needs(tmp_path):
    folder = open_folder(tmp_path)
    assert folder.need == 96 * 72
    sizes = []
    for one in views(3):
        before = folder.bytes
        folder.write(one, None, KEPT)
        sizes.append(folder.bytes - before)
        assert folder.need == max(sizes)
    close(folder)


def test_earlier_frames_are_remembered_and_gone_on_with(tmp_path):
    write(tmp_path, *views(3))
    heard = []
    folder = open_folder(tmp_path, remember=lambda grey, stamp: heard.append((grey.shape, stamp)))
    assert heard == [((72, 96), S), ((72, 96), 2 * S), ((72, 96), 3 * S)]
    assert folder.names == ['000000', '000001', '000002']
    folder.write(frame(90, 9 * S), None, KEPT)
    close(folder)
    assert [one.stamp_ns for one in RgbdFolder(tmp_path)] == [S, 2 * S, 3 * S, 9 * S]


@pytest.mark.parametrize(('changes', 'words'), [
    ({'intrinsics': replace(CAMERA, fx=81.)}, "'intrinsics'"),
    ({'intrinsics': replace(CAMERA, width=48)}, "'width' is 96, not 48"),
    ({'camera': 'rear'}, "'camera' is front, not rear"),
])
def test_another_camera_is_refused_and_nothing_is_lost(tmp_path, changes, words):
    write(tmp_path, *views(2))
    for _ in range(2):  # a refusal leaves no lock behind
        with pytest.raises(DatasetError, match=words):
            open_folder(tmp_path, **changes)
    assert len(write(tmp_path, frame(50))) == 3


def test_two_recorders_do_not_write_one_folder(tmp_path):
    folder = open_folder(tmp_path)
    with pytest.raises(DatasetError, match='another recorder'):
        open_folder(tmp_path)
    close(folder)
    close(open_folder(tmp_path))


def test_frames_stay_in_their_split(tmp_path):
    splits = write(tmp_path, *views(7), settings=replace(SETTINGS, block_frames=2)).meta['splits']
    assert splits == {'adapt': [f'{i:06d}' for i in (0, 1, 2, 3, 6)],
                      'check': [f'{i:06d}' for i in (4, 5)]}
    # Another setting later does not move frames from one into the other.
    later = write(tmp_path, *views(9, 20), settings=replace(SETTINGS, block_frames=5))
    assert later.meta['splits']['check'] == [f'{i:06d}' for i in (4, 5, 14, 15)]
    assert len(later.meta['splits']['adapt']) == 12


def test_a_block_is_full_after_its_last_frame(tmp_path):
    folder = open_folder(tmp_path, replace(SETTINGS, block_frames=3))
    full = []
    for one in views(6):
        folder.write(one, None, KEPT)
        full.append(folder.block_is_full)
    close(folder)
    assert full == [False, False, True] * 2


def test_the_log_has_the_choice_and_lines_have_files_of_their_own(tmp_path):
    folder = open_folder(tmp_path)
    folder.write(frame(0, S), None, KEPT)
    before = folder.bytes
    folder.write_line(ODOMETRY, {'stamp': 5})
    assert folder.bytes - before == len('{"stamp": 5}\n')
    close(folder)
    log = [json.loads(line) for line in (tmp_path / 'recording.jsonl').read_text().splitlines()]
    assert log[0]['meta']['recording'] == {'version': 1, 'block_frames': SETTINGS.block_frames}
    assert log[1] == {'name': '000000', 'stamp': S, 'motion': .5, 'novelty': .25}
    assert json.loads((tmp_path / 'odometry.jsonl').read_text()) == {'stamp': 5}


def test_unfinished_files_are_removed_everywhere(tmp_path):
    folder = open_folder(tmp_path)
    for part in (tmp_path, tmp_path / 'rgb'):
        (part / '.a.jpg.tmp').write_bytes(b'half')
    folder.remove_unfinished()
    close(folder)
    assert not list(tmp_path.rglob('*.tmp'))
