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

"""Tests of exporting the Fast DDS profile."""

from collections import namedtuple
from xml.etree import ElementTree

import pytest

from mde_ros.nodes import transport

Usage = namedtuple('Usage', 'total used free')


@pytest.fixture(autouse=True)
def much_memory(monkeypatch):
    monkeypatch.setattr(transport.shutil, 'disk_usage', lambda _: Usage(1 << 34, 0, 1 << 34))


def test_the_profile_is_exported_under_both_names():
    environment = {}
    sentence = transport.export_large_image_profile(environment)
    path = str(transport.profile_path())
    assert environment == {
        'FASTRTPS_DEFAULT_PROFILES_FILE': path, 'FASTDDS_DEFAULT_PROFILES_FILE': path}
    assert path in sentence


@pytest.mark.parametrize(('given', 'words'), [
    ({'FASTRTPS_DEFAULT_PROFILES_FILE': '/my.xml'}, '/my.xml'),
    ({'FASTDDS_DEFAULT_PROFILES_FILE': '/my.xml'}, '/my.xml'),
    ({'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'}, 'rmw_cyclonedds_cpp'),
    ({'MDE_ROS_KEEP_TRANSPORT': '1'}, 'MDE_ROS_KEEP_TRANSPORT')])
def test_the_choice_of_the_user_stays(given, words):
    environment = dict(given)
    assert words in transport.export_large_image_profile(environment)
    assert environment == given


def test_small_shared_memory_is_left_alone(monkeypatch):
    monkeypatch.setattr(transport.shutil, 'disk_usage', lambda _: Usage(1 << 26, 0, 60 << 20))
    environment = {}
    sentence = transport.export_large_image_profile(environment)
    assert environment == {}
    assert 'only 60 MiB free' in sentence
    assert '--shm-size' in sentence


def test_no_shared_memory_and_no_profile(monkeypatch):
    def absent(_):
        raise OSError

    monkeypatch.setattr(transport.shutil, 'disk_usage', absent)
    environment = {}
    assert 'only 0 MiB free' in transport.export_large_image_profile(environment)
    monkeypatch.setattr(transport, 'profile_path', lambda: None)
    assert 'not installed' in transport.export_large_image_profile(environment)
    assert environment == {}


def test_the_profile_holds_what_the_code_says():
    root = ElementTree.parse(transport.profile_path()).getroot()
    space = {'d': 'http://www.eprosima.com'}
    assert root.find('.//d:segment_size', space).text == str(transport.SEGMENT_BYTES)
    assert root.find('.//d:useBuiltinTransports', space).text == 'false'
    declared = [e.text for e in root.findall('.//d:transport_descriptor/d:transport_id', space)]
    used = [e.text for e in root.findall('.//d:userTransports/d:transport_id', space)]
    assert declared == used == ['large_images_shm', 'large_images_udp']
    participant = root.find('.//d:participant', space)
    assert participant.get('is_default_profile') == 'true'
