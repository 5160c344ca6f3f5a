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

"""Recording from camera topics: what is kept, and what each parameter of it does."""

import json
import time

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy')

from adaptation_harness import CAMERA, change
from diagnostic_msgs.msg import DiagnosticStatus
from node_harness import wait
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CompressedImage, Image, Range

from mde_ros.datasets.frame import DatasetError
from mde_ros.nodes.adaptation_recording import check, jpeg_of
from mde_ros.nodes.adaptation_request import describe
from mde_ros.nodes.adaptation_state import Site
from mde_ros.nodes.messages import fill_compressed, fill_image, header_at


@pytest.fixture
def made(adaptation):
    """Return a function that makes an adaptation node, without a depth node unless asked for."""
    return lambda parameters=None, **options: adaptation(
        parameters, **{'depth': False, **options})


def test_only_a_jpeg_is_kept_as_it_came():
    assert jpeg_of(Image(data=b'\xff\xd8')) is None
    assert jpeg_of(CompressedImage(data=b'\xff\xd8\xff')) == b'\xff\xd8\xff'
    assert jpeg_of(CompressedImage(data=b'\x89PNG')) is None
    assert jpeg_of(CompressedImage()) is None


def test_nothing_recorded_is_a_reason(tmp_path, rgbd_folder):
    assert check(tmp_path / 'none') == [
        'nothing is recorded yet: call ~/start_recording and drive around']
    assert any('too few frames' in reason for reason in check(rgbd_folder))
    (rgbd_folder / 'meta.json').write_text('{')
    with pytest.raises(DatasetError):
        check(rgbd_folder)


def test_max_frames_completes_a_recording_by_itself(made):
    r = made({'max_frames': 3}).camera()
    assert r.call('start_recording')[0]
    r.matched(1)
    end = time.monotonic() + 15
    while r.phase() == 'recording':
        r.send()
        assert time.monotonic() < end
    assert 'max_frames: 3 frames are kept' in r.node.control.state.message
    assert 'call ~/adapt' in r.node.control.state.message
    assert r.kept() == 3


def test_camera_is_noted_and_append_goes_on_or_begins_anew(made):
    r = made({'camera': 'front'})
    r.record(3)
    meta = json.loads((r.site / 'recording' / 'meta.json').read_text())
    assert meta['camera'] == 'front'
    before = r.kept()
    r.record(1)
    there = r.kept()
    assert there > before >= 3
    assert not change(r, append=False)
    r.record(2)
    assert sorted(path.stem for path in (r.site / 'recording' / 'rgb').glob('*.jpg'))[0] == (
        '000000')
    aside = [path for path in r.site.iterdir() if path.name.startswith('recording-')]
    assert len(list((aside[0] / 'rgb').glob('*.jpg'))) == there
    # Another camera does not go into the recording of this one.
    assert not change(r, append=True, camera='rear')
    r.call('start_recording')
    r.matched(1)
    wait(lambda: r.send() or r.phase() == 'idle')
    assert "'camera' is front, not rear" in r.node.control.state.message
    assert 'set append to false' in r.node.control.state.message


def test_image_transport_keeps_the_jpeg_as_it_came_and_jpeg_quality_does_not_matter(made):
    r = made({'image_transport': 'compressed', 'jpeg_quality': 10})
    sent = []

    def message(header, seed):
        pixels = np.random.default_rng(seed).integers(60, 200, (48, 64, 3), np.uint8)
        data = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        sent.append(data)
        return fill_compressed(CompressedImage(), 'rgb8; jpeg compressed bgr8', data, header)
    r.message = message
    r.camera('image/compressed', CompressedImage)
    r.record(2)
    kept = [path.read_bytes() for path in sorted((r.site / 'recording' / 'rgb').glob('*.jpg'))]
    assert kept
    assert set(kept) <= set(sent)


def test_image_reliability(made):
    r = made({'image_reliability': 'best_effort'}).camera()
    r.call('start_recording')
    assert r.node.recording._stream.qos_state().requested == 'best_effort'
    assert not change(r, image_reliability='reliable')
    assert r.node.recording._stream.qos_state().requested == 'reliable'
    r.call('stop_recording')


def test_image_rectified_and_camera_info_file(made, tmp_path):
    path = tmp_path / 'lens.yaml'
    lens = {**CAMERA.to_dict(), 'distortion': {'model': 'plumb_bob',
                                               'coefficients': [.1, 0., 0., 0., 0.]}}
    path.write_text(yaml.safe_dump(lens))
    r = made({'camera_info_file': str(path), 'image_rectified': 'true'}).camera()
    assert r.node.recording._stream.calibration.known()[0].fx == CAMERA.fx
    assert r.node.recording._stream.calibration.rectified
    assert not change(r, image_rectified='false')
    assert not r.node.recording._stream.calibration.rectified
    r.info = r.peer.create_publisher(Image, 'unused', 1)
    r.call('start_recording')
    wait(lambda: r.image.get_subscription_count() == 1)

    def send():
        r.sent += 1
        r.image.publish(r.message(header_at(r.sent * 300_000_000, 'x'), r.sent))
        time.sleep(.03)
    wait(lambda: send() or r.kept() >= 1)
    r.call('stop_recording')
    meta = json.loads((r.site / 'recording' / 'meta.json').read_text())
    assert meta['intrinsics']['fx'] == CAMERA.fx


def test_reference_topic_is_kept_for_scoring_only_and_range_topic_for_the_scale(made):
    r = made({'reference_topic': 'reference', 'range_topic': 'sonar'}).camera()
    depths = r.peer.create_publisher(Image, 'reference', 5)
    ranges = r.peer.create_publisher(Range, 'sonar', 5)
    message = r.message

    def with_depth(header, seed):
        depths.publish(fill_image(Image(), np.full((48, 64), 1500, np.uint16), '16UC1', header))
        ranges.publish(Range(header=header, range=1.25, min_range=.1, max_range=4.,
                             field_of_view=.1))
        ranges.publish(Range(header=header, range=9., min_range=.1, max_range=4.))
        return message(header, seed)
    r.message = with_depth
    r.call('start_recording')
    r.matched(1)
    wait(lambda: depths.get_subscription_count() == 1 and ranges.get_subscription_count() == 1)
    lines = r.site / 'recording' / 'scoring' / 'ranges.jsonl'
    wait(lambda: r.send() or (r.kept() >= 3 and lines.exists()))
    r.call('stop_recording')
    recording = r.site / 'recording'
    assert not (recording / 'depth').exists()
    depth = cv2.imread(str(sorted((recording / 'scoring' / 'depth').glob('*.png'))[0]), -1)
    assert (depth == 1500).all()
    readings = [json.loads(line)['range'] for line in lines.read_text().splitlines()]
    assert set(readings) == {1.25}
    words = describe(r.node.settings, Site(r.site), '').arguments
    assert words[words.index('--ranges') + 1] == str(lines)


def test_odometry_topic(made):
    try:
        from nav_msgs.msg import Odometry
    except ImportError:
        r = made({'odometry_topic': 'odom'}, start=False)
        assert r.node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert 'odometry_topic: nav_msgs is not installed' in r.logs[-1]
        return
    r = made({'odometry_topic': 'odom'}).camera()
    poses = r.peer.create_publisher(Odometry, 'odom', 5)
    message = r.message

    def with_pose(header, seed):
        pose = Odometry(header=header, child_frame_id='base')
        pose.pose.pose.position.x = float(seed)
        poses.publish(pose)
        return message(header, seed)
    r.message = with_pose
    r.call('start_recording')
    r.matched(1)
    wait(lambda: poses.get_subscription_count() == 1)
    path = r.site / 'recording' / 'odometry.jsonl'
    wait(lambda: r.send() or path.exists())
    r.call('stop_recording')
    first = json.loads(path.read_text().splitlines()[0])
    assert first['child'] == 'base'
    assert first['position'][0] >= 1.


def test_silence_limit(made):
    r = made({'silence_limit': .5})
    assert r.call('start_recording')[0]
    wait(lambda: r.node._status().level == DiagnosticStatus.ERROR)
    assert 'nobody publishes /image' in r.node._status().message
    r.call('stop_recording')


def test_log_period(made):
    r = made({'log_period': 3600.}).camera()
    r.call('start_recording')
    r.matched(1)

    def send(count):
        r.message = lambda header, seed: fill_image(
            Image(), np.zeros((6, 8, 3), np.uint8), 'rgb8', header)
        r.send(count)
        wait(lambda: r.node.recording._stream.statistics.snapshot(0.).pending == 0)
    send(3)
    wait(lambda: sum('8x6' in line for line in r.logs) == 1)
    assert not change(r, log_period=0.)
    send(1)
    wait(lambda: sum('8x6' in line for line in r.logs) == 2)
    r.call('stop_recording')
