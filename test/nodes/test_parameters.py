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

"""Every parameter: declared, documented, ranged, and seen to have its effect."""

from dataclasses import replace
import threading
import time

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy')

from node_harness import CAMERA, depth_of, stamps, StubEstimator, wait
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from mde_ros.datasets.compressed_depth import decode_compressed_depth
from mde_ros.evaluation.colour import colour_depth
from mde_ros.nodes import parameters
from mde_ros.nodes.parameter_table import ParameterError

# Parameters whose effect is tested elsewhere, and where.
ELSEWHERE = {
    'cameras': 'test_depth_node', 'image_transport': 'test_depth_node',
    'autostart': 'test_depth_node', 'image_reliability': 'test_camera_stream',
    'image_queue': 'test_camera_stream', 'silence_limit': 'test_diagnostics',
    'weights': 'test_model', 'device': 'test_model', 'threads': 'test_model',
    'input_area': 'test_model', 'profile': 'test_camera_profiles',
    'batch_cameras': 'test_batch_cameras',
    'backend': 'test_model', 'precision': 'test_model', 'engine': 'test_model'}


@pytest.fixture
def running(rig):
    """Return a running rig with a camera and its camera_info."""
    def make(**values):
        r = rig(values).camera()
        r.send_info()
        return r
    return make


def next_message(r, messages, stamp):
    """Send an image and return the output that it gives."""
    count = len(messages)
    r.send_and_wait(stamp)
    wait(lambda: len(messages) == count + 1)
    return messages[-1]


def test_every_parameter_has_a_test_of_its_effect():
    for name in parameters.TABLE:
        tested = any(name in test for test in globals() if test.startswith('test_'))
        assert name in ELSEWHERE or tested, name


def test_the_documents_list_exactly_these_parameters(repository):
    assert parameters.PARAMETERS.markdown() in (repository / 'docs/depth_node.md').read_text()
    text = (repository / 'config/depth_node.yaml').read_text()
    assert text == parameters.PARAMETERS.yaml()
    values = yaml.safe_load(text)['/**']['ros__parameters']
    assert values == {name: list(entry.default) if isinstance(entry.default, tuple)
                      else entry.default for name, entry in parameters.TABLE.items()}


def test_the_node_takes_the_shipped_file(ros_context, repository):
    node = Node('file', context=ros_context, cli_args=[
        '--ros-args', '--params-file', str(repository / 'config/depth_node.yaml')])
    assert parameters.declare(node) == parameters.Settings()
    node.destroy_node()


def test_descriptors_hold_ranges_choices_and_when_a_change_applies(ros_context):
    node = Node('described', context=ros_context)
    parameters.declare(node)
    depth = node.describe_parameter('max_depth')
    assert (depth.floating_point_range[0].from_value,
            depth.floating_point_range[0].to_value) == (.01, 1000.)
    assert 'metres' in depth.description
    assert 'at once' in depth.description
    stride = node.describe_parameter('points_stride')
    assert (stride.integer_range[0].from_value, stride.integer_range[0].to_value) == (1, 32)
    assert node.describe_parameter('cameras').read_only
    assert not node.describe_parameter('weights').read_only
    assert node.describe_parameter('points_layout').additional_constraints == (
        'one of pcl, compact')
    node.destroy_node()


@pytest.mark.parametrize(('name', 'value', 'words'), [
    ('max_depth', 2000., 'out of range'), ('max_depth', float('nan'), 'out of range'),
    ('max_depth', 50, 'DOUBLE'), ('points_stride', 0, 'out of range'),
    ('points_layout', 'xyz', 'use one of pcl, compact'), ('min_depth', 200., 'below max_depth'),
    ('colour_far', .2, 'below colour_far'), ('cameras', ['a'], 'read-only'),
    ('image_transport', 'raw', 'read-only')])
def test_wrong_values_are_refused_with_a_reason(ros_context, name, value, words):
    node = Node('refusing', context=ros_context)
    before = parameters.declare(node)
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert not result.successful
    assert words in result.reason
    assert parameters.read(node) == before
    node.destroy_node()


@pytest.mark.parametrize('values', [
    {'max_depth': .05}, {'cameras': ['a', 'a']}, {'max_depth': 2000.}, {'out_of_range': 'zero'},
    {'min_depth': 1}])
def test_wrong_values_at_start_are_refused(ros_context, values):
    node = Node('wrong', context=ros_context, parameter_overrides=[
        Parameter(name, value=value) for name, value in values.items()])
    with pytest.raises((ParameterException, ParameterError)):
        parameters.declare(node)
    node.destroy_node()


def test_values_that_go_together_can_be_set_together(ros_context):
    node = Node('together', context=ros_context)
    parameters.declare(node)
    result = node.set_parameters_atomically(
        [Parameter('min_depth', value=200.), Parameter('max_depth', value=300.)])
    assert result.successful
    assert parameters.read(node).min_depth == 200.
    node.destroy_node()


def test_image_rectified(running):
    r = running()
    lens = replace(CAMERA, distortion_model='plumb_bob', distortion=(.1, 0., 0., 0., 0.))
    r.send_info(1, lens)
    r.listen('depth/image_rect', Image)
    for stamp, value, seen in ((2, 'auto', lens), (3, 'true', CAMERA), (4, 'false', lens)):
        r.set(image_rectified=value)
        r.send_and_wait(stamp)
        assert r.estimator.seen[-1] == seen


def test_image_rectified_by_the_name_of_the_topic(rig):
    r = rig(arguments=['--ros-args', '-r', 'image:=/left/image_rect'])
    assert r.node.cameras.streams[''].calibration.rectified


def test_camera_info_file(rig, tmp_path):
    path = tmp_path / 'front.yaml'
    path.write_text(yaml.safe_dump(CAMERA.to_dict()))
    r = rig({'cameras': ['front'], 'camera_info_file': str(tmp_path / '{camera}.yaml')})
    assert r.estimator.warm_ups == [CAMERA]
    r.camera('front/')
    depths = r.listen('front/depth/image_rect', Image)
    r.send_and_wait(1, prefix='front/')
    wait(lambda: stamps(depths) == [1])
    r.send_and_wait(2, prefix='front/', size=(8, 6))
    assert 'camera_info_file says 16x12' in r.logs[0]


def test_camera_info_file_that_is_missing(rig):
    r = rig({'camera_info_file': '/nowhere.yaml'}, start=False)
    r.node.trigger_configure()
    assert '/nowhere.yaml' in r.logs[0]


def test_enabled(running):
    r = running()
    depths = r.listen('depth/image_rect', Image)
    r.set(enabled=False)
    r.send_and_wait(1)
    assert r.count().dropped == {'disabled': 1}
    r.set(enabled=True)
    assert stamps([next_message(r, depths, 2)]) == [2]


def test_always_estimate(running):
    r = running(always_estimate=True)
    r.send_and_wait(1)
    assert (r.estimator.calls, r.count().processed) == (1, 1)


def test_max_rate(running):
    r = running()
    r.listen('depth/image_rect', Image)
    r.set(max_rate=2.)
    for stamp in range(1, 6):
        r.send_and_wait(stamp)
    # All five within half a second (or the machine is too slow for any claim).
    assert r.count().dropped.get('max_rate', 0) >= 3
    assert r.count().processed >= 1


def test_min_depth_and_max_depth_and_out_of_range(running):
    r = running()
    depths = r.listen('depth/image_rect', Image)
    clouds = r.listen('points', PointCloud2)
    r.set(min_depth=1.4, max_depth=2.1)
    # The ramp is 1, 1.25, 1.5, 1.75, 2, 2.25 ... and row 0 has no reading.
    row = depth_of(next_message(r, depths, 1))[3]
    assert np.isnan(row[:2]).all()
    assert row[2:5].tolist() == [1.5, 1.75, 2.]
    assert np.isnan(row[5:]).all()
    r.set(out_of_range='inf')
    depth = depth_of(next_message(r, depths, 2))
    assert (depth[3, :2] == -np.inf).all()
    assert (depth[3, 5:] == np.inf).all()
    assert np.isnan(depth[0]).all()
    wait(lambda: len(clouds) == 2)
    cloud = np.frombuffer(clouds[1].data, np.float32).reshape(12, 16, 8)
    assert np.isfinite(cloud[3, :, :3]).all(-1).tolist() == [False] * 2 + [True] * 3 + [False] * 11


def test_depth_size(running):
    r = running(depth_size='network')
    depths, infos, clouds = (r.listen(topic, kind) for topic, kind in (
        ('depth/image_rect', Image), ('depth/camera_info', CameraInfo), ('points', PointCloud2)))
    depth = next_message(r, depths, 1)
    wait(lambda: infos and clouds)
    small = CAMERA.resized(8, 6)
    assert (depth.width, depth.height) == (infos[0].width, infos[0].height) == (8, 6)
    assert (clouds[0].width, clouds[0].height) == (8, 6)
    assert [infos[0].k[i] for i in (0, 4, 2, 5)] == [small.fx, small.fy, small.cx, small.cy]
    # Nearest neighbours: only depths that the ramp has.
    assert set(depth_of(depth)[3]) <= set(1 + .25 * np.arange(16))


def test_points_stride(running):
    r = running(points_stride=3)
    clouds = r.listen('points', PointCloud2)
    cloud = next_message(r, clouds, 1)
    assert (cloud.width, cloud.height, cloud.row_step) == (6, 4, 6 * 32)
    assert np.frombuffer(cloud.data, np.float32).reshape(4, 6, 8)[1, :, 2].tolist() == [
        1., 1.75, 2.5, 3.25, 4., 4.75]


def test_points_layout(running):
    r = running()
    clouds = r.listen('points', PointCloud2)
    assert next_message(r, clouds, 1).point_step == 32
    r.set(points_layout='compact')
    cloud = next_message(r, clouds, 2)
    assert (cloud.point_step, cloud.fields[3].offset, len(cloud.data)) == (16, 12, 16 * 192)


def test_colour_map_and_colour_near_and_colour_far_and_colour_encoding(running):
    r = running()
    pictures, depths = r.listen('depth/color', Image), r.listen('depth/image_rect', Image)
    for stamp, change, expected in (
            (1, {}, (.3, 10., 'turbo')), (2, {'colour_map': 'gray'}, (.3, 10., 'gray')),
            (3, {'colour_near': 2., 'colour_far': 3.}, (2., 3., 'gray'))):
        r.set(**change)
        message = next_message(r, pictures, stamp)
        wait(lambda: len(depths) == stamp)  # noqa: B023
        found = np.frombuffer(message.data, np.uint8).reshape(12, 16, 3)
        np.testing.assert_array_equal(found, colour_depth(depth_of(depths[-1]), *expected))
        assert message.encoding == 'rgb8'
    r.set(colour_map='turbo', colour_encoding='bgr8')
    message = next_message(r, pictures, 4)
    assert message.encoding == 'bgr8'
    np.testing.assert_array_equal(
        np.frombuffer(message.data, np.uint8).reshape(12, 16, 3)[..., ::-1],
        colour_depth(depth_of(depths[-1]), 2., 3., 'turbo'))


def test_compressed_depth_format_and_compressed_depth_max(running):
    r = running()
    messages = r.listen('depth/image_rect/compressedDepth', CompressedImage)
    for stamp, form in ((1, 'png'), (2, 'rvl')):
        r.set(compressed_depth_format=form)
        message = next_message(r, messages, stamp)
        assert message.format == f'32FC1; compressedDepth {form}'
        depth = decode_compressed_depth(message.format, bytes(message.data))
        np.testing.assert_allclose(depth[1], 1 + .25 * np.arange(16), atol=.005)
        assert np.isnan(depth[0]).all()
    r.set(compressed_depth_max=2.1)
    message = next_message(r, messages, 3)
    depth = decode_compressed_depth(message.format, bytes(message.data))
    assert np.isfinite(depth[1]).tolist() == [True] * 5 + [False] * 11


def test_compressed_depth_png_level(running):
    r = running()
    messages = r.listen('depth/image_rect/compressedDepth', CompressedImage)
    pictures = []
    for stamp, level in ((1, 1), (2, 9)):
        r.set(compressed_depth_png_level=level)
        pictures.append(bytes(next_message(r, messages, stamp).data)[12:])
    first, second = (cv2.imdecode(np.frombuffer(p, np.uint8), -1) for p in pictures)
    np.testing.assert_array_equal(first, second)
    assert pictures[0] != pictures[1]


def test_diagnostics_period(running):
    from diagnostic_msgs.msg import DiagnosticArray
    r = running(diagnostics_period=60.)
    arrays = r.listen('/diagnostics', DiagnosticArray)
    time.sleep(.3)
    assert not arrays
    r.set(diagnostics_period=.1)
    wait(lambda: len(arrays) >= 3)


def test_log_period(running):
    r = running(log_period=3600.)
    for stamp in (1, 2, 3):
        r.send_and_wait(stamp, size=(8, 6))
        r.listen('points', PointCloud2)
    assert sum('8x6' in line for line in r.logs) == 1
    r.set(log_period=0.)
    r.send_and_wait(4, size=(8, 6))
    assert sum('8x6' in line for line in r.logs) == 2


def test_a_change_is_whole_for_each_frame(rig):
    stub = StubEstimator()
    stub.gate = threading.Event()
    r = rig(estimator=stub).camera()
    r.send_info()
    clouds = r.listen('points', PointCloud2)
    r.send(1)
    wait(lambda: stub.calls == 1)
    r.set(points_layout='compact', points_stride=2)
    stub.gate.set()
    wait(lambda: len(clouds) == 1)
    # The frame in work keeps the settings that it began with.
    assert (clouds[0].point_step, clouds[0].width) == (32, 16)
