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

"""A disk that fills up while recording: the error state, and a folder that stays usable."""

import errno
import os
from pathlib import Path
import subprocess

import numpy as np
import pytest
from recording_scene import CAMERA, frame, noisy

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000
EASY = RecordingSettings.keep_all(min_free_megabytes=0., block_frames=2, jpeg_quality=100)


@pytest.fixture
def small_disk(tmp_path):
    """Return a disk of 256 kB, where root may mount one."""
    path = tmp_path / 'disk'
    path.mkdir()
    made = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', str(path)],
                          capture_output=True, check=False) if os.getuid() == 0 else None
    if made is None or made.returncode:
        pytest.skip('cannot mount a small disk here')
    yield path
    subprocess.run(['umount', str(path)], check=True)


def fill(recorder, most=100):
    """Add frames until none is taken any more; return how many were kept."""
    for index in range(most):
        image = noisy(np.zeros((72, 96, 3)), 90, index)
        one = frame(0, S * (index + 1))
        if not recorder.add(one.__class__('x', one.stamp_ns, image, CAMERA)).keep:
            return index
    return most


def test_a_real_full_disk(small_disk):
    path = small_disk / 'r'
    recorder = Recorder(path, CAMERA, EASY, camera='front')
    kept = fill(recorder)
    assert 5 < kept < 30
    # Used up to the last block: the estimate of the next frame is what stops it first.
    status = recorder.status()
    assert status.state == 'full'
    assert status.why.startswith('min_free_megabytes')
    recorder.close()
    assert len(list(RgbdFolder(path))) == kept
    assert RgbdFolder(path, 'adapt').names


def test_a_disk_that_others_fill_while_recording(small_disk, monkeypatch):
    # The limit looks at the free space before each frame; here it is gone after the look.
    monkeypatch.setattr('mde_ros.onsite.recorder.limit_reached', lambda *_, **__: '')
    path = small_disk / 'r'
    recorder = Recorder(path, CAMERA, EASY, camera='front')
    kept = fill(recorder)
    assert 5 < kept < 30
    status = recorder.status()
    assert status.state == 'error'
    assert 'disk full' in status.why
    assert 'No space left' in status.advice
    assert not list(path.rglob('.*.tmp'))
    recorder.close()
    data = RgbdFolder(path)
    assert [one.stamp_ns for one in data] == [S * (index + 1) for index in range(kept)]
    assert not data.skipped
    # With room again it goes on where it stopped.
    subprocess.run(['mount', '-o', 'remount,size=4m', str(small_disk)], check=True)
    with Recorder(path, CAMERA, EASY, camera='front') as again:
        assert again.add(frame(0, 900 * S)).keep
    assert len(RgbdFolder(path)) == kept + 1
    splits = RgbdFolder(path).meta['splits']
    assert sorted([*splits['adapt'], *splits['check']]) == RgbdFolder(path).names


def test_an_error_while_a_frame_is_written(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path, CAMERA, EASY, camera='front')
    assert recorder.add(frame(0, S)).keep
    write = Path.write_bytes

    def half(self, data):
        write(self, data[:len(data) // 2])
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', half)
    choice = recorder.add(frame(10, 2 * S))
    assert (choice.keep, choice.reason) == (False, 'stopped')
    assert recorder.status().state == 'error'
    assert recorder.add(frame(20, 3 * S)).reason == 'stopped'
    monkeypatch.undo()
    recorder.close()
    status = recorder.status()
    assert (status.state, status.kept, status.frames) == ('error', 1, 1)
    assert 'disk full' in status.why
    assert [one.stamp_ns for one in RgbdFolder(tmp_path)] == [S]
    assert not list(tmp_path.rglob('.*.tmp'))


def test_an_error_that_is_no_full_disk_is_named_as_it_is(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path, CAMERA, EASY, camera='front')

    def broken(self, data):
        raise OSError(errno.EIO, 'Input/output error')

    monkeypatch.setattr(Path, 'write_bytes', broken)
    recorder.add(frame(0, S))
    assert 'disk full' not in recorder.status().why
    assert 'Input/output error' in recorder.status().why


def test_an_error_while_closing_is_a_state_and_no_exception(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path, CAMERA, EASY, camera='front')
    recorder.add(frame(0, S))

    def full(*_, **__):
        raise DatasetError('meta.json: cannot write') from OSError(errno.ENOSPC, 'No space')

    monkeypatch.setattr('mde_ros.datasets.rgbd_folder_writer.save_json', full)
    recorder.close()
    assert recorder.status().state == 'error'
    monkeypatch.undo()
    assert [one.stamp_ns for one in RgbdFolder(tmp_path)] == [S]
