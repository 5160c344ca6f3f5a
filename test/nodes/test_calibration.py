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

"""Tests of pairing camera_info with images."""

from dataclasses import replace

import pytest

pytest.importorskip('rclpy')

from node_harness import CAMERA

from mde_ros.nodes.calibration import Calibration, FrameError, REMEMBERED
from mde_ros.nodes.messages import camera_info, header_at
from mde_ros.nodes.parameters import Settings

BIG = CAMERA.resized(32, 24)
LENS = replace(CAMERA, distortion_model='plumb_bob', distortion=(.1, 0., 0., 0., 0.))


def make(fallback=None, image='/image', **settings):
    return Calibration('/camera_info', image, lambda: Settings(**settings), fallback)


def test_nothing_is_known_at_first():
    calibration = make()
    assert calibration.missing
    assert calibration.known() == []
    with pytest.raises(FrameError, match='no camera_info on /camera_info') as caught:
        calibration.of_image(header_at(0, ''), 16, 12)
    assert caught.value.reason == 'no camera_info'


def test_the_latest_of_the_size_unless_one_has_the_stamp():
    calibration = make()
    for stamp, intrinsics in ((1, CAMERA), (2, replace(CAMERA, fx=20.)), (3, BIG)):
        calibration.remember(camera_info(intrinsics, header_at(stamp, '')))
    assert calibration.of_image(header_at(1, ''), 16, 12).fx == 10.
    assert calibration.of_image(header_at(9, ''), 16, 12).fx == 20.
    # The stamp's own camera_info is of another size than the image.
    assert calibration.of_image(header_at(3, ''), 16, 12).fx == 20.
    assert calibration.of_image(header_at(9, ''), 32, 24) == BIG
    assert calibration.known() == [BIG]


def test_another_size_is_not_guessed():
    calibration = make()
    calibration.remember(camera_info(BIG, header_at(1, '')))
    with pytest.raises(FrameError, match='/image is 16x12 but /camera_info says 32x24') as caught:
        calibration.of_image(header_at(1, ''), 16, 12)
    assert caught.value.reason == 'camera_info size mismatch'


def test_the_file_counts_until_a_message_comes():
    calibration = make(fallback=CAMERA)
    assert not calibration.missing
    assert calibration.known() == [CAMERA]
    assert calibration.of_image(header_at(1, ''), 16, 12) is CAMERA
    other = replace(CAMERA, fx=33.)
    calibration.remember(camera_info(other, header_at(1, '')))
    assert calibration.of_image(header_at(1, ''), 16, 12) == other
    with pytest.raises(FrameError, match='/camera_info says 16x12'):
        calibration.of_image(header_at(1, ''), 32, 24)


@pytest.mark.parametrize(('chosen', 'image', 'rectified'), [
    ('auto', '/left/image_rect', True), ('auto', '/left/image_rect_color', True),
    ('auto', '/left/image_raw', False), ('auto', '/rectangle/image', False),
    ('true', '/image', True), ('false', '/image_rect', False)])
def test_rectified_images_need_no_distortion(chosen, image, rectified):
    calibration = make(image=image, image_rectified=chosen)
    assert calibration.rectified == rectified
    calibration.remember(camera_info(LENS, header_at(1, '')))
    found = calibration.of_image(header_at(1, ''), 16, 12)
    assert found == (CAMERA if rectified else LENS)


def test_the_same_calibration_is_the_same_object():
    calibration = make()
    for stamp in (1, 2):
        calibration.remember(camera_info(LENS, header_at(stamp, '')))
    first = calibration.of_image(header_at(1, ''), 16, 12)
    assert calibration.of_image(header_at(2, ''), 16, 12) is first


def test_a_wrong_calibration_names_the_topic():
    calibration = make()
    message = camera_info(CAMERA, header_at(1, ''))
    message.k[0] = 0.
    calibration.remember(message)
    with pytest.raises(FrameError, match=r'/camera_info: .*calibrate') as caught:
        calibration.of_image(header_at(1, ''), 16, 12)
    assert caught.value.reason == 'bad camera_info'
    assert calibration.known() == []


def test_memory_is_bounded():
    calibration = make()
    for stamp in range(REMEMBERED + 10):
        calibration.remember(camera_info(CAMERA, header_at(stamp, '')))
    assert len(calibration._by_stamp) == REMEMBERED
