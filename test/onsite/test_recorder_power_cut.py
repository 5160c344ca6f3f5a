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

"""What kill -9 and power cuts leave of a recording, at every moment."""

from dataclasses import replace
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
from recording_scene import CAMERA, frame

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000
EASY = RecordingSettings.keep_all(min_free_megabytes=0., block_frames=2, odometry_interval=0.)
# Records without end and prints the name of each frame when add() has returned.
ENDLESS = """
import sys
sys.path.insert(0, sys.argv[2])
from recording_scene import CAMERA, frame
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_settings import RecordingSettings
settings = RecordingSettings.keep_all(
    min_free_megabytes=0., block_frames=2, odometry_interval=0.)
recorder = Recorder(sys.argv[1], CAMERA, settings, camera='front')
index = recorder.status().frames
while True:
    stamp = 1_000_000_000 * (index + 1)
    recorder.add_pose(stamp, (index, 0, 0), (0, 0, 0, 1))
    assert recorder.add(frame(index % 1800, stamp)).keep
    index += 1
    print(index, flush=True)
"""


def record(path, count, start=0):
    with Recorder(path, CAMERA, EASY, camera='front') as recorder:
        for index in range(start, start + count):
            recorder.add_pose(S * (index + 1), (index, 0, 0), (0, 0, 0, 1))
            assert recorder.add(frame(10 * index, S * (index + 1))).keep
        return recorder.status()


def stamps_of(path):
    """Return the stamps of all readable frames, and what was skipped."""
    data = RgbdFolder(path)
    return [one.stamp_ns // S for one in data], data.skipped


def test_kill_while_recording_loses_at_most_the_last_frame(tmp_path, request):
    kept = 0
    for round_ in range(3):
        child = subprocess.Popen(
            [sys.executable, '-c', ENDLESS, str(tmp_path / 'r'), str(request.path.parent)],
            stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for line in child.stdout:
            done = int(line)
            if done >= kept + 5:
                break
        time.sleep(.011 * round_)  # into the middle of some frame
        child.send_signal(signal.SIGKILL)
        # Frames that were done between the last line read and the kill.
        done = max([done, *map(int, child.stdout.read().split())])
        assert child.wait() == -signal.SIGKILL
        stamps, skipped = stamps_of(tmp_path / 'r')
        assert skipped == {}
        assert stamps[:done] == list(range(1, done + 1))
        assert len(stamps) <= done + 1
        kept = len(stamps)
    assert record(tmp_path / 'r', 2, start=kept).frames == kept + 2
    data = RgbdFolder(tmp_path / 'r')
    assert sorted([*data.meta['splits']['adapt'], *data.meta['splits']['check']]) == data.names
    poses = (tmp_path / 'r' / 'odometry.jsonl').read_text().splitlines()
    assert len({json.loads(line)['stamp'] for line in poses}) == kept + 2


@pytest.fixture(scope='module')
def unfinished(tmp_path_factory):
    """Return a folder of three frames as a kill leaves it: with a journal."""
    path = tmp_path_factory.mktemp('unfinished') / 'r'
    recorder = Recorder(path, CAMERA, EASY, camera='front')
    for index in range(3):
        recorder.add_pose(S * (index + 1), (index, 0, 0), (0, 0, 0, 1))
        recorder.add(frame(10 * index, S * (index + 1)))
    left = path.with_name('left')
    shutil.copytree(path, left)
    recorder.close()
    assert (left / 'frames.jsonl').exists()
    return left


@pytest.mark.parametrize(('file', 'lost'), [
    ('rgb/000002.jpg', 1), ('frames.jsonl', 0), ('recording.jsonl', 0), ('odometry.jsonl', 0)])
def test_the_last_file_cut_short_anywhere(unfinished, tmp_path, file, lost):
    whole = (unfinished / file).read_bytes()
    # Only what was written for the last frame can be short: all before it is on the disk.
    first = whole[:-1].rfind(b'\n') + 1 if file.endswith('jsonl') else 0
    cuts = sorted({*range(first, len(whole), max(1, (len(whole) - first) // 9)), len(whole) - 1})
    for cut in cuts:
        path = tmp_path / str(cut)
        shutil.copytree(unfinished, path)
        (path / file).write_bytes(whole[:cut])
        stamps, skipped = stamps_of(path)
        assert {1, 2} <= set(stamps)
        assert len(stamps) == 3 - lost
        assert skipped == ({'corrupt image': 1} if lost else {})
        # It goes on, with the name of the lost frame free again.
        assert record(path, 1, start=7).frames == 4 - lost
        stamps, skipped = stamps_of(path)
        assert skipped == {}
        assert stamps[-1] == 8
        assert len(stamps) == 4 - lost
        assert RgbdFolder(path).meta['splits']['adapt'][-1] == f'{3 - lost:06d}'


def test_a_meta_file_cut_short_is_made_anew(tmp_path):
    record(tmp_path / 'r', 3)
    meta = (tmp_path / 'r' / 'meta.json').read_bytes()
    before = json.loads(meta)
    for cut in (0, 1, len(meta) // 2, len(meta) - 1):
        path = tmp_path / str(cut)
        shutil.copytree(tmp_path / 'r', path)
        (path / 'meta.json').write_bytes(meta[:cut])
        with pytest.raises(DatasetError, match=r'meta\.json.*JSON'):
            RgbdFolder(path)
        assert record(path, 0).frames == 3
        after = RgbdFolder(path).meta
        for key in ('intrinsics', 'camera', 'splits', 'stamps', 'recording'):
            assert after[key] == before[key]
        assert stamps_of(path) == ([1, 2, 3], {})


def test_files_that_were_never_finished_are_removed(tmp_path):
    record(tmp_path, 2)
    left = [tmp_path / '.meta.json.tmp', tmp_path / 'rgb' / '.000002.jpg.tmp']
    for path in left:
        path.write_bytes(b'half')
    assert record(tmp_path, 1, start=2).frames == 3
    assert not any(path.exists() for path in left)


def test_depth_of_a_frame_that_a_kill_took_is_not_paired_with_the_next(tmp_path):
    record(tmp_path, 1)
    (tmp_path / 'scoring' / 'depth').mkdir(parents=True)
    (tmp_path / 'scoring' / 'depth' / '000001.png').write_bytes(b'of the lost frame')
    record(tmp_path, 1, start=1)
    assert not (tmp_path / 'scoring' / 'depth' / '000001.png').exists()


def test_a_damaged_frame_in_the_middle_is_put_aside(tmp_path):
    record(tmp_path, 4)
    (tmp_path / 'rgb' / '000001.jpg').write_bytes(b'\xff\xd8 cut')
    assert record(tmp_path, 1, start=9).frames == 4
    assert stamps_of(tmp_path) == ([1, 3, 4, 10], {})
    assert (tmp_path / 'rgb' / '.000001.jpg.damaged').exists()


@pytest.mark.parametrize('make', [
    lambda path: (path / 'meta.json').write_text(json.dumps(CAMERA.to_dict())),
    lambda path: (path / 'meta.json').write_text('{"wid'),
    lambda path: (path / 'notes.txt').write_text('mine'),
    lambda path: (record(path, 1), (path / 'depth').mkdir()),
    lambda path: (record(path, 1), (path / 'rgb' / 'holiday.jpg').write_bytes(b'')),
])
def test_a_folder_of_something_else_is_refused_untouched(tmp_path, make):
    make(tmp_path)
    before = {path: path.stat().st_size for path in tmp_path.rglob('*') if path.is_file()}
    with pytest.raises(DatasetError, match='give a'):
        Recorder(tmp_path, CAMERA, EASY, camera='front')
    assert {path: path.stat().st_size for path in before} == before


def test_wrong_fields_of_a_recording_are_named(tmp_path):
    record(tmp_path, 1)
    meta = json.loads((tmp_path / 'meta.json').read_text())
    (tmp_path / 'meta.json').write_text(json.dumps({**meta, 'recording': {'block_frames': 0}}))
    with pytest.raises(DatasetError, match='block_frames'):
        Recorder(tmp_path, CAMERA, replace(EASY), camera='front')
