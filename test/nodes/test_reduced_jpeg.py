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

"""JPEG decoded at a fraction of its size where nothing of full size is published."""

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('torch')

from node_harness import CAMERA, depth_of, wait
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
import torch

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.nodes.messages import fill_compressed, header_at
from mde_ros.nodes.player import encode_jpeg

LARGE = Intrinsics(256, 192, 220., 225., 130., 90.)
FISHEYE = Intrinsics(256, 192, 120., 120., 127.5, 95.5, 'equidistant', (.6, .3, 0., 0.))


def smooth(camera):
    """Return a picture that every way of shrinking shows alike."""
    coarse = np.random.default_rng(3).integers(0, 256, (4, 5, 3), np.uint8)
    return cv2.resize(coarse, (camera.width, camera.height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def node(rig):
    """Return what starts a node with a small network (64 x 48) and sends a camera_info."""
    torch.manual_seed(7)
    config = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise', canonical_focal=50.)
    network = DepthNetwork(config).eval()
    with torch.no_grad():
        network.decoder.head.weight.mul_(10)  # depth that varies over the image

    def make(camera, **parameters):
        r = rig({'image_transport': 'compressed', 'depth_size': 'network', **parameters},
                factory=lambda _: DepthEstimator((network, WeightCard('t', config, 64 * 48))))
        r.camera(kind=CompressedImage, image='image/compressed')
        r.send_info(intrinsics=camera)
        return r
    return make


@pytest.fixture
def decoded(monkeypatch):
    """Return the widths of the pictures that are decoded from now on."""
    from mde_ros.nodes import frame_processor
    widths, plain = [], frame_processor.image_to_rgb

    def noted(*arguments):
        image = plain(*arguments)
        widths.append(image.shape[1])
        return image
    monkeypatch.setattr(frame_processor, 'image_to_rgb', noted)
    return widths


def send(r, stamp, picture, suffix='.jpg'):
    """Publish a picture and wait until it was processed or dropped."""
    form, data = encode_jpeg(picture)
    if suffix == '.png':
        form, data = 'rgb8; png compressed bgr8', cv2.imencode('.png', picture)[1].tobytes()
    r.publishers['image'].publish(
        fill_compressed(CompressedImage(), form, data, header_at(stamp, 'x')))
    wait(lambda: r.count().received == stamp and r.count().pending == 0)


@pytest.mark.parametrize('camera', [LARGE, FISHEYE], ids=['pinhole', 'fisheye'])
def test_the_outputs_are_those_of_the_full_picture(node, decoded, monkeypatch, camera):
    r = node(camera)
    outputs = [r.listen(topic, kind) for topic, kind in (
        ('depth/image_rect', Image), ('depth/camera_info', CameraInfo), ('points', PointCloud2))]
    send(r, 1, smooth(camera))
    monkeypatch.setattr('mde_ros.nodes.frame_processor.whole_reduction', lambda *_: 1)
    send(r, 2, smooth(camera))
    assert decoded == [64, 256]
    wait(lambda: all(len(messages) == 2 for messages in outputs))
    depths, infos, clouds = outputs
    for first, second in outputs:
        assert (first.width, first.height) == (second.width, second.height) == (64, 48)
    for name in 'kpd':
        np.testing.assert_allclose(
            getattr(infos[0], name), getattr(infos[1], name), rtol=1e-12)
    small, full = (depth_of(message) for message in depths)
    assert np.nanstd(full) > .3 * np.nanmean(full)
    # At the edge of what the lens saw, a pixel of the smaller picture is either in or out.
    assert (np.isnan(small) != np.isnan(full)).mean() < .02
    # Two ways of shrinking, half a grey level apart in the mean. A shift by one pixel would be
    # more than 3 %.
    assert np.nanmean(np.abs(full[:, 1:] / full[:, :-1] - 1)) > .03
    assert np.nanmean(np.abs(small / full - 1)) < .015
    assert np.nanmax(np.abs(small / full - 1)) < .1
    points = [np.frombuffer(message.data, np.float32).reshape(48, 64, 8)[..., :3]
              for message in clouds]
    assert np.nanmean(np.abs(points[0] - points[1])) < .015 * np.nanmean(full)


def test_what_is_published_in_full_size_is_decoded_in_full_size(node, decoded):
    r = node(LARGE, depth_size='camera')
    depths = r.listen('depth/image_rect', Image)
    send(r, 1, smooth(LARGE))
    r.set(depth_size='network')
    send(r, 2, smooth(LARGE), '.png')
    send(r, 3, smooth(LARGE))
    assert decoded == [256, 256, 64]
    wait(lambda: [message.width for message in depths] == [256, 64, 64])


def test_sides_that_do_not_divide_and_pictures_as_small_as_the_network(node, decoded):
    r = node(LARGE)
    depths = r.listen('depth/image_rect', Image)
    for stamp, size in ((1, (254, 190)), (2, (255, 192)), (3, (64, 48)), (4, (124, 96))):
        camera = LARGE.resized(*size)
        r.send_info(stamp, camera)
        send(r, stamp, smooth(camera))
    assert decoded == [127, 255, 64, 124]
    assert r.count().dropped == {}
    wait(lambda: len(depths) == 4)


def test_the_calibration_is_compared_with_the_full_size(node, decoded):
    r = node(LARGE.resized(64, 48))
    r.listen('depth/image_rect', Image)
    send(r, 1, smooth(LARGE))
    assert r.count().dropped == {'camera_info size mismatch': 1}
    assert 'is 256x192 but' in r.logs[0]
    assert 'says 64x48' in r.logs[0]
    # A picture that is corrupt as well is told as such first.
    form, data = encode_jpeg(smooth(LARGE))
    r.publishers['image'].publish(
        fill_compressed(CompressedImage(), form, data[:-40], header_at(2, 'x')))
    wait(lambda: r.count().dropped.get('bad image') == 1)
    assert 'cut short' in r.logs[1]
    assert decoded == [256]


def test_a_stub_sees_the_smaller_camera(rig):
    r = rig({'image_transport': 'compressed', 'depth_size': 'network'}).camera(
        kind=CompressedImage, image='image/compressed')
    r.send_info()
    depths = r.listen('depth/image_rect', Image)
    send(r, 1, smooth(CAMERA))
    assert r.estimator.seen == [CAMERA.resized(8, 6)]
    wait(lambda: [message.width for message in depths] == [8])
