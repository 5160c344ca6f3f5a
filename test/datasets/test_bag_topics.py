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

"""Topics are found where there is no choice; else the error lists them and names the option."""

from pathlib import Path
from typing import Any

from bag_messages import camera_info, compressed, file_of, image, picture, recording, write_bag
import numpy as np
import pytest

from mde_ros.datasets.bag_file import BagFile
from mde_ros.datasets.bag_topics import (
    BagTopics, base_topic, find_topics, is_rectified_topic)
from mde_ros.datasets.compressed_depth import encode_compressed_depth
from mde_ros.datasets.frame import DatasetError

RGB = image(picture(), 'rgb8')
MONO = image(picture()[..., 0], 'mono8')
DEPTH = image(np.ones((6, 8), np.float32), '32FC1')
WIDE_DEPTH = image(np.ones((6, 9), np.uint16), '16UC1')
JPEG = compressed(file_of(picture()), 'rgb8; jpeg compressed bgr8')
PACKED = compressed(encode_compressed_depth(np.ones((6, 8), np.float32))[1],
                    '32FC1; compressedDepth png')
INFO = camera_info()


def found(tmp_path: Path, *messages: tuple[str, Any], **options: Any) -> BagTopics:
    with BagFile(write_bag(tmp_path / 'bag', messages)) as bag:
        return find_topics(bag, **options)


def test_one_of_each(tmp_path: Path) -> None:
    topics = found(tmp_path, *recording(2), ('/cam/depth/camera_info', INFO))
    assert (topics.image, topics.depth, topics.info) == (
        '/cam/image_raw', '/cam/depth/image_rect', '/cam/camera_info')
    assert topics.counts == {'/cam/image_raw': 2, '/cam/depth/image_rect': 2,
                             '/cam/camera_info': 2, '/cam/depth/camera_info': 1}
    assert topics.notes == ()


def test_compressed_topics(tmp_path: Path) -> None:
    topics = found(tmp_path, ('/cam/image/compressed', JPEG), ('/cam/camera_info', INFO),
                   ('/cam/depth/image/compressedDepth', PACKED))
    assert (topics.image, topics.depth, topics.info) == (
        '/cam/image/compressed', '/cam/depth/image/compressedDepth', '/cam/camera_info')


def test_of_two_copies_the_fuller_one_is_taken(tmp_path: Path) -> None:
    both = [('/c/image', RGB), ('/c/image/compressed', JPEG), ('/c/camera_info', INFO)]
    assert found(tmp_path, *both).image == '/c/image'
    (tmp_path / 'second').mkdir()
    assert found(tmp_path / 'second', *both, ('/c/image/compressed', JPEG)).image == (
        '/c/image/compressed')


def test_colour_comes_before_infrared(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/infra/image', MONO), ('/c/color/image', RGB),
                 ('/c/color/camera_info', INFO)).image == '/c/color/image'


def test_pictures_of_depth_come_last(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/depth/color', RGB), ('/c/image', RGB),
                 ('/c/camera_info', INFO)).image == '/c/image'


def test_a_mono_camera_is_a_camera(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/image', MONO), ('/c/camera_info', INFO)).image == '/c/image'


def test_several_images_are_listed(tmp_path: Path) -> None:
    two = [('/left/image', RGB), ('/right/image', RGB), ('/left/camera_info', INFO),
           ('/right/camera_info', INFO)]
    with pytest.raises(DatasetError) as caught:
        found(tmp_path, *two)
    for word in ('--image-topic', '/left/image (rgb8, 8x6, 1 messages)', '/right/image'):
        assert word in str(caught.value)
    (tmp_path / 'named').mkdir()
    topics = found(tmp_path / 'named', *two, image_topic='right/image')
    assert (topics.image, topics.info) == ('/right/image', '/right/camera_info')


def test_a_base_name_finds_the_compressed_topic(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/image/compressed', JPEG), ('/c/camera_info', INFO),
                 image_topic='/c/image').image == '/c/image/compressed'


def test_depth_that_is_not_registered_is_noted(tmp_path: Path) -> None:
    topics = found(tmp_path, ('/c/image', RGB), ('/c/camera_info', INFO),
                   ('/c/depth/image_rect_raw', WIDE_DEPTH))
    assert topics.depth is None
    assert '/c/depth/image_rect_raw' in topics.notes[0] and '9x6' in topics.notes[0]


def test_aligned_depth_is_preferred(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/image', RGB), ('/c/camera_info', INFO),
                 ('/c/depth/image_rect_raw', DEPTH),
                 ('/c/aligned_depth_to_color/image_raw', DEPTH)).depth == (
                     '/c/aligned_depth_to_color/image_raw')


def test_several_depths_are_listed(tmp_path: Path) -> None:
    messages = [('/c/image', RGB), ('/c/camera_info', INFO), ('/a/depth', DEPTH),
                ('/b/depth', DEPTH)]
    with pytest.raises(DatasetError, match=r'--depth-topic .*: /a/depth .*, /b/depth '):
        found(tmp_path, *messages)
    (tmp_path / 'named').mkdir()
    assert found(tmp_path / 'named', *messages, depth_topic='/b/depth').depth == '/b/depth'
    (tmp_path / 'without').mkdir()
    assert found(tmp_path / 'without', *messages, want_depth=False).depth is None


@pytest.mark.parametrize(('messages', 'options', 'words'), [
    ([('/c/depth', DEPTH), ('/c/camera_info', INFO)], {},
     ['no image topic', '/c/camera_info (sensor_msgs/msg/CameraInfo)']),
    ([('/c/image', RGB)], {}, ['/c/camera_info', 'the bag has none', '--camera FILE.yaml']),
    ([('/c/image', RGB), ('/o/camera_info', camera_info(size=(9, 9)))], {},
     ['no camera_info topic /c/camera_info', 'there are /o/camera_info']),
    ([('/c/image', RGB)], {'image_topic': '/x'}, ["'/x'", 'there are: /c/image']),
    ([('/c/image', RGB), ('/c/depth', DEPTH)], {'image_topic': '/c/depth'},
     ['/c/depth', 'is depth']),
    ([('/c/image', RGB)], {'info_topic': '/c/image'}, ["'/c/image'", 'none of this type']),
])
def test_what_is_missing_is_named(tmp_path: Path, messages: list[tuple[str, Any]],
                                  options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(DatasetError) as caught:
        found(tmp_path, *messages, **options)
    for word in ['bag', *words]:
        assert word in str(caught.value)
    assert '\n' not in str(caught.value)


def test_the_only_camera_info_of_the_right_size_will_do(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/image', RGB), ('/o/camera_info', INFO),
                 ('/p/camera_info', camera_info(size=(9, 9)))).info == '/o/camera_info'


def test_given_intrinsics_need_no_camera_info(tmp_path: Path) -> None:
    assert found(tmp_path, ('/c/image', RGB), want_info=False).info is None


@pytest.mark.parametrize(('topic', 'base', 'rectified'), [
    ('/c/image_raw', '/c/image_raw', False),
    ('/c/image_rect', '/c/image_rect', True),
    ('/c/image_rect_color/compressed', '/c/image_rect_color', True),
    ('/image_rect/image_raw/compressed', '/image_rect/image_raw', False),
    ('/c/depth/image_rect/compressedDepth', '/c/depth/image_rect', True),
])
def test_names(topic: str, base: str, rectified: bool) -> None:
    assert base_topic(topic) == base
    assert is_rectified_topic(topic) is rectified
