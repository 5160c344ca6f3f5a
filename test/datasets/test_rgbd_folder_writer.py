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

"""Writing RGB-D folders: what is read back, refused, resumed, and left by a kill."""

from dataclasses import replace
import fcntl
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import cv2
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter

CAMERA = Intrinsics(32, 24, 30., 31., 15.5, 11.5)
WRITER = """
import sys
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
import numpy as np
folder, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
camera = Intrinsics(32, 24, 30., 31., 15.5, 11.5)
with RgbdFolderWriter(folder, camera, camera='c', licence='l', source='s') as writer:
    for index in range(count):
        writer.write(Frame(f'{prefix}{index}', index + 1, np.full((24, 32, 3), 9, np.uint8),
                           camera, np.full((24, 32), 1.5, np.float32)))
"""


def frame(name: str, **changes: Any) -> Frame:
    rng = np.random.default_rng(len(name))
    image = cv2.resize(rng.integers(0, 256, (3, 4, 3), np.uint8), (32, 24))
    depth = rng.uniform(.3, 60, (24, 32)).astype(np.float32)
    depth[0, :3] = np.nan
    return replace(Frame(name, 0, image, CAMERA, depth), **changes)


def open_writer(path: Path, **changes: Any) -> RgbdFolderWriter:
    return RgbdFolderWriter(path, **{
        'intrinsics': CAMERA, 'camera': 'test', 'licence': 'CC0', 'source': 'here', **changes})


def listed(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob('*') if file.is_file()}


@pytest.mark.parametrize('image_format', ['jpg', 'png'])
def test_round_trip(tmp_path: Path, image_format: str) -> None:
    path = tmp_path / 'deep' / 'folder'
    with open_writer(path, image_format=image_format, sequence=True) as writer:
        assert len(writer) == 0
        for name, stamp in (('a', 5), ('b', 7), ('c.1', 0)):
            writer.write(frame(name, stamp_ns=stamp))
        assert len(writer) == 3
        assert 'c.1' in writer
        assert 'c' not in writer
    data = RgbdFolder(path)
    assert data.meta['stamps'] == {'a': 5, 'b': 7}
    assert data.meta['frames'] == 3
    assert (data.meta['camera'], data.meta['licence'], data.meta['source'],
            data.meta['sequence']) == ('test', 'CC0', 'here', True)
    assert listed(path) == {'meta.json', *(f'rgb/{name}.{image_format}' for name in data.names),
                            *(f'depth/{name}.png' for name in data.names)}
    for name in ('a', 'b', 'c.1'):
        read, wrote = data[data.names.index(name)], frame(name)
        difference = np.abs(read.image.astype(int) - wrote.image)
        assert difference.max() <= (0 if image_format == 'png' else 30)
        assert difference.mean() < 3  # red and blue in their places
        np.testing.assert_allclose(read.depth, wrote.depth, atol=.00051, rtol=0)
        assert read.intrinsics == CAMERA


def test_depth_that_the_format_cannot_hold(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    depth = np.full((24, 32), 1., np.float32)
    depth[0, :7] = (65.535, 65.536, 80., -1., np.inf, .0004, .0006)
    with open_writer(tmp_path) as writer:
        writer.write(frame('a', depth=depth))
        assert writer.clipped_pixels == 2
    assert '2 depth pixels' in caplog.text
    found = RgbdFolder(tmp_path)[0].depth
    assert found is not None
    np.testing.assert_allclose(found[0, :8], [65.535, *[np.nan] * 5, .001, 1.], rtol=1e-6)


def test_unlabelled_frames(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.write(frame('a', depth=None))
    assert listed(tmp_path) == {'meta.json', 'rgb/a.jpg'}
    assert RgbdFolder(tmp_path)[0].depth is None


def test_jpeg_kept_as_it_came(tmp_path: Path) -> None:
    jpeg = cv2.imencode('.jpg', frame('a').image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()
    with open_writer(tmp_path, image_format='png') as writer:
        writer.write(frame('a'), jpeg)
        with pytest.raises(DatasetError, match='JPEG'):
            writer.write(frame('b'), b'\x89PNG')
    assert RgbdFolder(tmp_path).image_path('a').read_bytes() == jpeg


def test_frames_with_other_intrinsics(tmp_path: Path) -> None:
    zoomed = replace(CAMERA, fx=40., fy=41.)
    with open_writer(tmp_path) as writer:
        writer.write(frame('a'))
        writer.write(frame('b', intrinsics=zoomed))
        # Readable at any moment: the journal already has what meta.json has not.
        assert RgbdFolder(tmp_path)[1].intrinsics == zoomed
    assert [one.intrinsics for one in RgbdFolder(tmp_path)] == [CAMERA, zoomed]


def test_lens_of_the_folder(tmp_path: Path) -> None:
    bent = replace(CAMERA, distortion_model='plumb_bob', distortion=(.1, 0., 0., 0.))
    with open_writer(tmp_path, intrinsics=bent) as writer:
        writer.write(frame('a', intrinsics=bent))
        with pytest.raises(DatasetError, match=r'frame b.*distortion'):
            writer.write(frame('b'))
    assert RgbdFolder(tmp_path)[0].intrinsics == bent


@pytest.mark.parametrize(('changes', 'named'), [
    ({'name': 'a/b'}, 'a/b'), ({'name': ''}, "''"), ({'name': '.a'}, r'\.a'),
    ({'image': np.zeros((24, 32), np.uint8)}, r'\(24, 32, 3\)'),
    ({'image': np.zeros((24, 32, 3), np.float32)}, 'float32'),
    ({'image': np.zeros((12, 32, 3), np.uint8)}, r'\(12, 32, 3\)'),
    ({'depth': np.zeros((12, 32), np.float32)}, r'\(12, 32\)'),
    ({'intrinsics': CAMERA.resized(16, 12)}, 'size'),
])
def test_frames_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    with open_writer(tmp_path) as writer, pytest.raises(DatasetError, match=named):
        writer.write(replace(frame('x'), **changes))
    assert listed(tmp_path) == {'meta.json'}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.write(frame('a'))
        before = (tmp_path / 'rgb' / 'a.jpg').read_bytes()
        with pytest.raises(DatasetError, match='frame a already'):
            writer.write(frame('a', image=np.zeros((24, 32, 3), np.uint8)))
    with open_writer(tmp_path, image_format='png') as writer, \
            pytest.raises(DatasetError, match='frame a already'):
        writer.write(frame('a'))
    assert (tmp_path / 'rgb' / 'a.jpg').read_bytes() == before


@pytest.mark.parametrize(('changes', 'named'), [
    ({'intrinsics': replace(CAMERA, fx=33.)}, 'intrinsics'), ({'camera': 'other'}, 'camera'),
    ({'intrinsics': CAMERA.resized(64, 48)}, 'width'), ({'licence': 'MIT'}, 'licence'),
])
def test_another_camera_needs_another_folder(
        tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    open_writer(tmp_path).close()
    before = (tmp_path / 'meta.json').read_bytes()
    with pytest.raises(DatasetError, match=rf"meta\.json: '{named}' is .* another folder"):
        open_writer(tmp_path, **changes)
    assert (tmp_path / 'meta.json').read_bytes() == before


def test_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(DatasetError, match=r'no meta\.json'):
        open_writer(tmp_path)
    (tmp_path / 'file').write_text('')
    with pytest.raises(DatasetError, match='cannot write'):
        open_writer(tmp_path / 'file')
    with pytest.raises(DatasetError, match="'jpg' or 'png'"):
        open_writer(tmp_path / 'new', image_format='webp')


def test_update_meta_and_resume(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.write(frame('a', stamp_ns=3))
        writer.update_meta(splits={'score': ['a']})
        writer.write(frame('b', stamp_ns=4))
    with open_writer(tmp_path, source='here, again') as writer:
        assert 'a' in writer
        writer.write(frame('c', stamp_ns=5))
    data = RgbdFolder(tmp_path, 'score')
    assert data.names == ['a']
    assert data.meta['stamps'] == {'a': 3, 'b': 4, 'c': 5}
    assert (data.meta['source'], data.meta['frames']) == ('here, again', 3)


def test_a_crash_between_the_files_of_a_frame(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)
    writer.write(frame('a', stamp_ns=1))
    replaced = Path.replace

    def crash(self: Path, target: Path) -> Path:
        if Path(target).name == 'b.jpg':
            raise KeyboardInterrupt
        return replaced(self, target)

    monkeypatch.setattr(Path, 'replace', crash)
    with pytest.raises(KeyboardInterrupt):
        writer.write(frame('b', stamp_ns=2))
    monkeypatch.undo()
    # The writer is gone without close(); its half frame is not listed.
    assert [one.name for one in RgbdFolder(tmp_path)] == ['a']
    # A power cut may leave a journal's last line unfinished as well.
    with (tmp_path / 'frames.jsonl').open('a') as journal:
        journal.write('{"name": "z", "st')
    with open_writer(tmp_path) as again:
        assert 'b' not in again
        again.write(frame('b', stamp_ns=7))
    data = RgbdFolder(tmp_path)
    assert [(one.name, one.stamp_ns) for one in data] == [('a', 1), ('b', 7)]
    assert listed(tmp_path) == {'meta.json', 'rgb/a.jpg', 'rgb/b.jpg', 'depth/a.png',
                                'depth/b.png'}


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(DatasetError, match=r'frame a.*No space left'):
        writer.write(frame('a'))
    assert 'a' not in writer


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / 'folder')
    shutil.rmtree(tmp_path / 'folder')
    for call in (writer.close, writer.update_meta, lambda: writer.write(frame('a', stamp_ns=1))):
        with pytest.raises(DatasetError, match=r'folder.*No such file'):
            call()


def test_journal_that_another_process_removes_before_the_lock_is_ours(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)
    lock, removals = fcntl.flock, []

    def remove_then_lock(file: Any, operation: int) -> None:
        if not removals:
            removals.append(1)
            (tmp_path / 'frames.jsonl').unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, 'flock', remove_then_lock)
    writer.write(frame('a', stamp_ns=5))
    assert removals
    assert RgbdFolder(tmp_path)[0].stamp_ns == 5


def test_kill_leaves_a_readable_folder_and_resumes(tmp_path: Path) -> None:
    folder = tmp_path / 'killed'
    child = subprocess.Popen([sys.executable, '-c', WRITER, str(folder), 'f', '1000000'])
    try:
        deadline = time.monotonic() + 30
        while not (folder / 'rgb' / 'f30.jpg').exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(.002)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    data = RgbdFolder(folder)
    frames = list(data)
    assert data.skipped == {}
    assert len(frames) == len(data) >= 31
    assert [one.stamp_ns for one in frames] == list(range(1, len(frames) + 1))
    with RgbdFolderWriter(folder, CAMERA, camera='c', licence='l', source='s') as writer:
        assert len(writer) == len(data)
        writer.write(frame('last', stamp_ns=10 ** 9))
    assert not (folder / 'frames.jsonl').exists()
    meta = json.loads((folder / 'meta.json').read_text())
    assert set(meta['stamps']) >= {*data.names, 'last'}


def test_two_processes_into_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / 'shared'
    children = [subprocess.Popen([sys.executable, '-c', WRITER, str(folder), prefix, '25'])
                for prefix in ('a', 'b')]
    assert [child.wait(60) for child in children] == [0, 0]
    data = RgbdFolder(folder)
    names = {f'{prefix}{index}' for prefix in 'ab' for index in range(25)}
    assert set(data.names) == names
    assert {one.name: one.stamp_ns for one in data} == {
        name: int(name[1:]) + 1 for name in names}
    assert not (folder / 'frames.jsonl').exists()


def test_durable_frames_are_on_the_disk_before_they_are_listed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(file: int) -> None:
        name = Path(os.readlink(f'/proc/self/fd/{file}')).name
        listed_now = (tmp_path / 'rgb' / 'a.jpg').exists()
        synced.append(f'{name} {"after" if listed_now else "before"}')
        fsync(file)

    with open_writer(tmp_path, durable=True) as writer:
        monkeypatch.setattr(os, 'fsync', note)
        writer.write(frame('a', stamp_ns=5))
        assert synced == [
            '.a.png.tmp before', 'depth before', 'frames.jsonl before', '.a.jpg.tmp before',
            'rgb after']
        synced.clear()
    # meta.json, and its name, before the journal goes.
    assert synced == ['.meta.json.tmp after', f'{tmp_path.name} after']
    assert RgbdFolder(tmp_path)[0].stamp_ns == 5
