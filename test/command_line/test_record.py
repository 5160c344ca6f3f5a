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

"""Tests of ``mde record`` as a user runs it, from bags, folders and live topics."""

import argparse
import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from mde_ros.command_line import record
from mde_ros.command_line.main import main
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.recording_settings import RecordingSettings, TABLE

ALL = ('--min-interval', '0', '--min-motion', '0', '--min-novelty', '0', '--min-sharpness', '0',
       '--min-free-megabytes', '0', '--min-brightness', '0')


def mde_record(*arguments):
    return main(['record', *map(str, arguments)])


def process(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, '-m', 'mde_ros.command_line.main', *map(str, arguments)],
        env={**environment, 'MDE_ROS_KEEP_TRANSPORT': '1'}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


@pytest.fixture
def bag(tmp_path, rgbd_folder):
    """Return a bag of the six frames of the tiny folder."""
    path = tmp_path / 'tiny.mcap'
    assert main(['convert', str(rgbd_folder), str(path)]) == 0
    return path


@pytest.mark.parametrize('name', TABLE)
def test_every_setting_is_an_option(name):
    parser = argparse.ArgumentParser()
    record.add_arguments(parser)
    assert RecordingSettings().changed(TABLE, parser.parse_args(['--out', 'x'])) == (
        RecordingSettings())
    entry = TABLE[name]
    value = type(entry.default)(min(entry.metadata['high'], entry.default + 1))
    if value == entry.default:
        value = type(entry.default)(entry.default - 1)
    flags = [f'--{name.replace("_", "-")}'] + (['--seconds'] if name == 'max_seconds' else [])
    for flag in flags:
        parsed = parser.parse_args(['--out', 'x', flag, str(value)])
        assert getattr(RecordingSettings().changed(TABLE, parsed), name) == value


@pytest.mark.parametrize('kind', ['bag', 'folder'])
def test_a_source_becomes_an_unlabelled_recording(tmp_path, bag, rgbd_folder, kind, capsys):
    source = bag if kind == 'bag' else rgbd_folder
    counts = tmp_path / 'counts.json'
    assert mde_record(source, '--out', tmp_path / 'r', *ALL, '--json', counts) == 0
    data = RgbdFolder(tmp_path / 'r')
    assert (len(data), data.labelled, data.meta['camera']) == (6, False, 'test')
    assert data.meta['licence'] == 'Apache-2.0'
    assert [one.stamp_ns for one in data] == [1_000_000_000 + i * 33_333_333 for i in range(6)]
    report = json.loads(counts.read_text())
    assert (report['seen'], report['kept'], report['state']) == (6, 6, 'closed')
    assert (report['interrupted'], report['fit_to_adapt']) == (False, False)
    assert report['measures']['frames'] == 6
    printed = capsys.readouterr().out
    assert '6 of 6 frames kept' in printed
    assert 'not fit to adapt to yet: too few frames: 6 readable' in printed


def test_depth_goes_to_scoring_only_when_asked(tmp_path, rgbd_folder):
    mde_record(rgbd_folder, '--out', tmp_path / 'r', *ALL, '--scoring-depth')
    assert not RgbdFolder(tmp_path / 'r').labelled
    scoring = RgbdFolder(tmp_path / 'r' / 'scoring')
    np.testing.assert_array_equal(scoring[2].depth, RgbdFolder(rgbd_folder)[2].depth)


def test_names_splits_and_limits(tmp_path, rgbd_folder):
    counts = tmp_path / 'counts.json'
    assert mde_record(
        rgbd_folder, '--out', tmp_path / 'r', *ALL, '--split', 'adapt', '--max-frames', 3,
        '--camera-name', 'rear', '--licence', 'CC0', '--json', counts) == 0
    data = RgbdFolder(tmp_path / 'r')
    assert (len(data), data.meta['camera'], data.meta['licence']) == (3, 'rear', 'CC0')
    assert json.loads(counts.read_text())['why'] == 'max_frames: 3 frames are kept'


def test_filters_hold_and_a_recording_goes_on(tmp_path, rgbd_folder, capsys):
    strict = ('--out', tmp_path / 'r', '--min-free-megabytes', 0, '--min-interval', '0.1')
    assert mde_record(rgbd_folder, *strict) == 0
    assert '3 too soon' in capsys.readouterr().out
    assert mde_record(rgbd_folder, '--out', tmp_path / 'r', *ALL, '--max-frames', 100) == 0
    assert '6 of 6 frames kept' in capsys.readouterr().out


def test_nothing_worth_keeping(tmp_path, rgbd_folder, capsys):
    assert mde_record(rgbd_folder, '--out', tmp_path / 'r', '--min-free-megabytes', 0,
                      '--min-contrast', 100) == 0
    assert 'too few frames: none was kept' in capsys.readouterr().out


@pytest.mark.parametrize(('arguments', 'words'), [
    ([], 'either SOURCE'),
    (['SOURCE', '--topic', '/image'], 'either SOURCE'),
    (['/nowhere'], '/nowhere: no such file'),
    (['SOURCE', '--json', '/nowhere/a.json'], '--json /nowhere/a.json: no such folder'),
    (['SOURCE', '--min-motion', '200'], 'min_motion = 200: must be from 0 to 100'),
    (['SOURCE', '--odometry', '/odom'], 'SOURCE must be a bag'),
    (['SOURCE', '--camera-info', '/info'], '--info-topic'),
    (['--topic', '/image', '--split', 'adapt'], '--split are for SOURCE'),
])
def test_what_is_wrong_is_one_line(tmp_path, rgbd_folder, arguments, words, capsys):
    words_given = [rgbd_folder if word == 'SOURCE' else word for word in arguments]
    assert mde_record(*words_given, '--out', tmp_path / 'r') == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_topics_of_a_bag(tmp_path, bag, capsys):
    assert mde_record(bag, '--out', tmp_path / 'r', '--odometry', '/odom') == 2
    assert 'no topic /odom' in capsys.readouterr().err
    assert mde_record(bag, '--out', tmp_path / 's', '--ranges', '/sonar') == 2
    assert 'no topic /sonar' in capsys.readouterr().err


def test_another_camera_is_refused(tmp_path, rgbd_folder, capsys):
    mde_record(rgbd_folder, '--out', tmp_path / 'r', *ALL)
    assert mde_record(rgbd_folder, '--out', tmp_path / 'r', *ALL, '--camera-name', 'rear') == 2
    assert "'camera' is test, not rear" in capsys.readouterr().err


def test_a_source_without_a_readable_frame(tmp_path, rgbd_folder, capsys):
    for image in (rgbd_folder / 'rgb').iterdir():
        image.write_bytes(b'broken')
    assert mde_record(rgbd_folder, '--out', tmp_path / 'r') == 2
    assert "no frame could be read; skipped: {'corrupt image': 6}" in capsys.readouterr().err


def test_a_disk_that_fails_is_exit_code_2(tmp_path, rgbd_folder, monkeypatch, capsys):
    from mde_ros.onsite import recording_files, recording_folder as module

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module, 'write_scoring_depth', full)
    assert recording_files.write_scoring_depth is not full
    assert mde_record(rgbd_folder, '--out', tmp_path / 'r', *ALL) == 2
    assert 'disk full' in capsys.readouterr().err


def test_a_live_topic_is_recorded_until_time_is_over(tmp_path, ros_environment, rgbd_folder):
    pytest.importorskip('rclpy')
    counts = tmp_path / 'counts.json'
    recording = process(
        ros_environment, 'record', '--topic', '/front/image/compressed', '--out', tmp_path / 'r',
        *ALL, '--seconds', 4, '--json', counts)
    playing = process(
        ros_environment, 'play', rgbd_folder, '--namespace', 'front', '--transport',
        'compressed', '--rate', 4, '--wait-for-subscribers', 30, '--delay', .3)
    out, error = recording.communicate(timeout=60)
    playing.communicate(timeout=60)
    assert recording.returncode == 0, error
    assert 'Ctrl-C ends it' in out
    report = json.loads(counts.read_text())
    # The newest frame counts: while a busy machine opens the folder, some may pass.
    assert 3 <= report['kept'] <= 6
    data = RgbdFolder(tmp_path / 'r')
    assert len(list(data)) == report['kept']
    assert not data.skipped
    assert data.meta['camera'] == '/front/image/compressed'
    assert data.intrinsics == RgbdFolder(rgbd_folder).intrinsics


def test_ctrl_c_leaves_a_usable_folder_and_a_summary(tmp_path, ros_environment, rgbd_folder):
    pytest.importorskip('rclpy')
    counts = tmp_path / 'counts.json'
    playing = process(
        ros_environment, 'play', rgbd_folder, '--rate', 20, '--loop', '--image-topic',
        'image_raw', '--wait-for-subscribers', 60)
    recording = process(
        ros_environment, 'record', '--topic', '/image_raw', '--camera-info', '/camera_info',
        '--out', tmp_path / 'r', *ALL, '--json', counts)
    try:
        # The second line of the status comes after a second of recording.
        for line in recording.stdout:
            if ' frames  ' in line:
                break
        recording.send_signal(signal.SIGINT)
        out, error = recording.communicate(timeout=30)
    finally:
        playing.send_signal(signal.SIGINT)
        playing.communicate(timeout=30)
    assert recording.returncode == 0, error
    assert 'frames kept in' in out
    report = json.loads(counts.read_text())
    assert report['interrupted']
    data = RgbdFolder(tmp_path / 'r')
    assert len(list(data)) == report['kept'] > 3
    assert not data.skipped
    assert not (tmp_path / 'r' / 'frames.jsonl').exists()


def test_a_silent_topic(tmp_path, ros_environment):
    pytest.importorskip('rclpy')
    recording = process(ros_environment, 'record', '--topic', '/nothing/image_raw', '--out',
                        tmp_path / 'r', '--wait', .5)
    _, error = recording.communicate(timeout=30)
    assert recording.returncode == 2
    assert '/nothing/image_raw: no image came' in error
    assert '/nothing/camera_info' in error
    assert not (tmp_path / 'r').exists()
