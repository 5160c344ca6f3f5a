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

"""Bad input: each is counted, named in one line, and the node goes on."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('rclpy')

from node_harness import CAMERA, stamps, StubEstimator, wait
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from mde_ros.errors import MdeError
from mde_ros.nodes.messages import camera_info, fill_compressed, header_at
from mde_ros.nodes.player import encode_jpeg


def fields(**values):
    """Return a function that changes an image message."""
    def change(message):
        for name, value in values.items():
            setattr(message, name, value)
    return change


BAD_IMAGES = {
    'unknown encoding': (fields(encoding='rgb9'), 'rgb9'),
    'depth instead of colour': (fields(encoding='32FC1', width=12), 'depth'),
    'wrong step': (fields(step=10), 'step 10'),
    'too little data': (fields(height=100), 'bytes of data'),
    'empty image': (fields(width=0, height=0, step=0, data=[]), 'empty image'),
}


@pytest.mark.parametrize('name', BAD_IMAGES)
def test_a_bad_image_is_counted_and_the_next_one_processed(rig, name):
    change, words = BAD_IMAGES[name]
    r = rig().camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    r.send_and_wait(1, change=change)
    assert r.count().dropped == {'bad image': 1}
    assert len(r.logs) == 1
    assert words in r.logs[0]
    assert '/image' in r.logs[0]
    assert '\n' not in r.logs[0]
    r.send_and_wait(2)
    wait(lambda: stamps(depths) == [2])


@pytest.mark.parametrize('size', ['camera', 'network'])
@pytest.mark.parametrize('cut', [0, 100, -10, None])
def test_a_corrupt_jpeg_is_counted(rig, cut, size):
    r = rig({'image_transport': 'compressed', 'depth_size': size}).camera(
        kind=CompressedImage, image='image/compressed')
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    form, data = encode_jpeg(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8))
    bad = b'not a picture' if cut is None else data[:cut]
    for stamp, content in ((1, bad), (2, data)):
        r.publishers['image'].publish(
            fill_compressed(CompressedImage(), form, content, header_at(stamp, 'x')))
        wait(lambda: r.count().received == stamp and r.count().pending == 0)  # noqa: B023
    assert r.count().dropped == {'bad image': 1}
    wait(lambda: stamps(depths) == [2])


def test_a_size_change_needs_the_camera_info_of_the_new_size(rig):
    r = rig().camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    infos = r.listen('depth/camera_info', CameraInfo)
    r.send_and_wait(1)
    r.send_and_wait(2, size=(32, 24))
    assert r.count().dropped == {'camera_info size mismatch': 1}
    assert '32x24' in r.logs[0]
    assert '16x12' in r.logs[0]
    r.send_info(3, CAMERA.resized(32, 24))
    r.send_and_wait(3, size=(32, 24))
    # The old size is still known: no camera_info is lost by switching back.
    r.send_and_wait(4)
    wait(lambda: stamps(depths) == [1, 3, 4] and len(infos) == 3)
    assert [message.width for message in depths] == [16, 32, 16]
    assert [message.k[0] for message in infos] == [10., 20., 10.]


@pytest.mark.parametrize(('value', 'words'), [(0., 'calibrate'), (float('nan'), 'focal length')])
def test_a_bad_k_is_counted_and_named(rig, value, words):
    r = rig().camera()
    depths = r.listen('depth/image_rect', Image)
    message = camera_info(CAMERA, header_at(0, 'x'))
    message.k[0] = value
    r.publishers['info'].publish(message)
    wait(lambda: not r.node.cameras.streams[''].calibration.missing)
    r.send_and_wait(1)
    assert r.count().dropped == {'bad camera_info': 1}
    assert words in r.logs[0]
    assert '/camera_info' in r.logs[0]
    r.send_info()
    r.send_and_wait(2)
    wait(lambda: stamps(depths) == [2])


def test_an_estimator_that_refuses_or_breaks_does_not_stop_the_node(rig):
    class Moody(StubEstimator):
        def estimate(self, image, intrinsics):
            if self.calls == 0:
                self.calls = 1
                raise MdeError('too dark')
            if self.calls == 1:
                self.calls = 2
                raise ZeroDivisionError('a defect')
            return super().estimate(image, intrinsics)

    r = rig(estimator=Moody()).camera()
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    for stamp in (1, 2, 3):
        r.send_and_wait(stamp)
    assert r.count().dropped == {'estimation failed': 1, 'internal error': 1}
    assert 'too dark' in r.logs[0]
    assert 'please report' in r.logs[1]
    wait(lambda: stamps(depths) == [3])


def test_camera_info_of_exactly_this_stamp_is_preferred(rig):
    r = rig().camera()
    r.listen('depth/camera_info', CameraInfo)
    zoomed = replace(CAMERA, fx=20., fy=22.)
    r.send_info(1, CAMERA)
    r.send_info(2, zoomed)
    for stamp in (1, 2, 3):
        r.send_and_wait(stamp)
    assert [seen.fx for seen in r.estimator.seen] == [10., 20., 20.]


def test_the_time_of_each_stage_is_measured(rig):
    r = rig(estimator=StubEstimator(delay=.02)).camera()
    r.send_info()
    r.listen('points', PointCloud2)
    r.send_and_wait(1)
    shot = r.count()
    assert set(shot.stages) == {'decode', 'inference', 'network', 'publish'}
    assert shot.inference[0] >= .02
