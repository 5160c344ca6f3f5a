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

"""Tests of levels, sentences and values of the diagnostics."""

from dataclasses import replace

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_harness import CAMERA, wait
from sensor_msgs.msg import Image

from mde_ros.errors import MdeError
from mde_ros.nodes.diagnostics import camera_status, CameraReport, judge
from mde_ros.nodes.qos import QosState
from mde_ros.nodes.statistics import Snapshot

GOOD = CameraReport(
    camera='front', image_topic='/front/image', info_topic='/front/camera_info', active=True,
    now=Snapshot(received=100, processed=60, pending=1, dropped={'busy': 39}, input_rate=30.,
                 source_rate=30., output_rate=18., age=(.05, .08, .09), inference=(.03, .04, .05),
                 stages={'inference': .03, 'decode': .001}, silent_for=.03),
    before=Snapshot(received=70, processed=40, dropped={'busy': 30}),
    subscriptions=(QosState('/front/image', 'reliable', ('reliable',)),
                   QosState('/front/camera_info', 'best_effort', ('reliable',))),
    intrinsics=CAMERA, model_id='base-12345678', device='cpu', silence_limit=5.)


def with_now(**changes):
    """Return the good report with other statistics."""
    return replace(GOOD, now=replace(GOOD.now, **changes))


def test_a_camera_that_works():
    assert judge(GOOD) == (DiagnosticStatus.OK, '30.0 Hz in, 18.0 Hz out, age p95 80.0 ms')


@pytest.mark.parametrize(('report', 'level', 'words'), [
    (replace(GOOD, active=False), DiagnosticStatus.STALE, 'activate'),
    (replace(GOOD, subscriptions=(QosState('/front/image', 'reliable', ('best_effort',)),)),
     DiagnosticStatus.ERROR, 'image_reliability'),
    (with_now(silent_for=6.), DiagnosticStatus.ERROR,
     'no frames for 5 s on /front/image: check ros2 topic info -v /front/image'),
    (replace(with_now(silent_for=6.), subscriptions=(QosState('/front/image', 'reliable', ()),)),
     DiagnosticStatus.ERROR, 'nobody publishes /front/image'),
    (with_now(dropped={'busy': 39, 'no camera_info': 4}), DiagnosticStatus.ERROR,
     "4 frames dropped, 'no camera_info': remap camera_info (/front/camera_info)"),
    (with_now(dropped={'bad camera_info': 1}), DiagnosticStatus.ERROR, 'calibrate'),
    (with_now(dropped={'camera_info size mismatch': 1}), DiagnosticStatus.ERROR, 'image size'),
    (with_now(dropped={'bad image': 1}), DiagnosticStatus.ERROR, 'see the log'),
    (with_now(lost=40, source_rate=30., input_rate=7.), DiagnosticStatus.WARN,
     ('/front/image is published at 30 Hz and received at 7 Hz: images are lost in transport; '
      'let the publisher use config/fastdds_large_images.xml')),
    (with_now(noted={'clock mismatch': 1}), DiagnosticStatus.WARN, 'use_sim_time'),
    (with_now(noted={'stamp backwards': 1}), DiagnosticStatus.WARN, 'loop'),
    (with_now(dropped={'disabled': 2}), DiagnosticStatus.OK, 'call ~/enable'),
    (with_now(dropped={'idle': 2}), DiagnosticStatus.OK, 'nobody subscribes to an output'),
])
def test_what_is_wrong_is_said_with_what_to_do(report, level, words):
    found, sentence = judge(report)
    assert found == level
    assert words in sentence


def test_reliable_is_advised_only_where_it_helps():
    lossy = with_now(lost=40)
    assert 'machine is overloaded' in judge(lossy)[1]
    best_effort = QosState('/front/image', 'best_effort', ('reliable',))
    assert judge(replace(lossy, subscriptions=(best_effort,)))[1].endswith(
        'or set image_reliability to reliable')


def test_old_trouble_is_over():
    trouble = {'bad image': 5}
    report = replace(with_now(dropped=trouble), before=Snapshot(dropped=trouble))
    assert judge(report)[0] == DiagnosticStatus.OK


def test_a_few_lost_images_are_no_warning():
    assert judge(with_now(lost=3))[0] == DiagnosticStatus.OK
    assert judge(with_now(lost=4))[0] == DiagnosticStatus.WARN


def test_the_values():
    status = camera_status('/depth_node', GOOD)
    values = {pair.key: pair.value for pair in status.values}
    assert status.name == '/depth_node: front'
    assert status.hardware_id == '/front/image'
    assert values == {
        'input rate (Hz)': '30.00', 'output rate (Hz)': '18.00', 'publisher rate (Hz)': '30.00',
        'rate window (s)': '5.0', 'received': '100', 'processed': '60', 'pending': '1',
        'lost before the node': '0', 'dropped_busy': '39', 'age p50 (ms)': '50.0',
        'age p95 (ms)': '80.0', 'age p99 (ms)': '90.0', 'inference p50 (ms)': '30.0',
        'inference p95 (ms)': '40.0', 'decode p50 (ms)': '1.0', 'model': 'base-12345678',
        'device': 'cpu', 'camera': '16x12, fx 10.00',
        'QoS /front/image': 'requested reliable, offered reliable, compatible',
        'QoS /front/camera_info': 'requested best_effort, offered reliable, compatible'}


def test_nothing_measured_yet_is_a_dash():
    report = replace(GOOD, now=Snapshot(), intrinsics=None)
    values = {pair.key: pair.value for pair in camera_status('/n', report).values}
    assert values['age p95 (ms)'] == '-'
    assert 'camera' not in values


def latest(messages):
    """Return level, sentence and values of the newest status."""
    status = messages[-1].status[0]
    return status.level, status.message, {pair.key: pair.value for pair in status.values}


def test_the_running_node_reports(rig):
    r = rig({'diagnostics_period': .1, 'silence_limit': .5}).camera()
    arrays = r.listen('/diagnostics', DiagnosticArray)
    r.send_info()
    r.listen('depth/image_rect', Image)
    for stamp in range(5):
        r.send_and_wait(r.node.get_clock().now().nanoseconds + stamp)
    wait(lambda: arrays and latest(arrays)[2].get('processed') == '5')
    level, _, values = latest(arrays)
    assert level == DiagnosticStatus.OK
    assert values['received'] == '5'
    assert values['model'] == 'stub-0'
    assert values['camera'] == '16x12, fx 10.00'
    assert values['QoS /image'] == 'requested reliable, offered reliable, compatible'
    assert 0 < float(values['age p50 (ms)']) < 10_000
    assert arrays[-1].header.stamp.sec > 0
    # silence_limit: half a second without images.
    wait(lambda: latest(arrays)[0] == DiagnosticStatus.ERROR)
    assert 'ros2 topic info -v /image' in latest(arrays)[1]
    r.node.trigger_deactivate()
    wait(lambda: latest(arrays)[0] == DiagnosticStatus.STALE)


def test_an_unconfigured_node_says_why(rig):
    def fail(_):
        raise MdeError('w.safetensors: damaged')

    r = rig({'diagnostics_period': .1}, factory=fail, start=False)
    arrays = r.listen('/diagnostics', DiagnosticArray)
    wait(lambda: arrays and latest(arrays)[:2] == (
        DiagnosticStatus.STALE, 'not configured: run ros2 lifecycle set /depth_node configure'))
    r.node.trigger_configure()
    wait(lambda: latest(arrays)[:2] == (
        DiagnosticStatus.ERROR, 'cannot configure: w.safetensors: damaged'))


def test_one_status_for_each_camera(rig):
    r = rig({'diagnostics_period': .1, 'cameras': ['front', 'rear'], 'silence_limit': .5})
    arrays = r.listen('/diagnostics', DiagnosticArray)
    wait(lambda: arrays and len(arrays[-1].status) == 2)
    assert [status.name for status in arrays[-1].status] == [
        '/depth_node: front', '/depth_node: rear']
    wait(lambda: arrays[-1].status[1].message.startswith('nobody publishes /rear/image'))
