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

"""Choosing cv_bridge only where it works: stand-ins for good, wrong and crashing ones."""

from collections.abc import Iterator
from pathlib import Path
import sys

from bag_messages import image, picture
import numpy as np
import pytest

from mde_ros.datasets.cv_bridge_check import trusted_cv_bridge
from mde_ros.datasets.image_codec import image_to_rgb

GOOD = """
import numpy as np
class CvBridge:
    def imgmsg_to_cv2(self, message, desired_encoding='passthrough'):
        e = message.encoding
        values = np.frombuffer(bytes(message.data), np.uint16 if '16' in e else np.uint8)
        values = values.reshape(message.height, message.width, -1)
        if desired_encoding == 'passthrough':
            return values[..., 0]
        if '16' in e:
            values = (values // 257).astype(np.uint8)
        if e.startswith('bgr'):
            values = values[..., 2::-1]
        return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values
"""
# What the ROS 1 build on PyPI does under OpenCV 5.
WRONG = GOOD + """
class CvBridge(CvBridge):
    def imgmsg_to_cv2(self, message, desired_encoding='passthrough'):
        return super().imgmsg_to_cv2(message, desired_encoding).astype(np.uint8)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the file of a cv_bridge that Python finds, also in the process of the check."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)
    trusted_cv_bridge.cache_clear()
    yield tmp_path / 'cv_bridge.py'
    sys.modules.pop('cv_bridge', None)
    trusted_cv_bridge.cache_clear()


def test_a_good_one_is_used(installed: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO')
    installed.write_text(GOOD)
    bridge = trusted_cv_bridge()
    assert type(bridge).__module__ == 'cv_bridge'
    assert trusted_cv_bridge() is bridge
    assert 'converted by cv_bridge' in caplog.text
    pixels = picture()
    np.testing.assert_array_equal(image_to_rgb(image(pixels, 'bgr8')), pixels[..., ::-1])


@pytest.mark.parametrize('source', [
    WRONG, 'import os; os.abort()', 'raise ImportError("numpy.core.multiarray failed")', ''])
def test_a_broken_one_is_not(installed: Path, caplog: pytest.LogCaptureFixture,
                             source: str) -> None:
    installed.write_text(source)
    assert trusted_cv_bridge() is None
    assert 'fails its self-check' in caplog.text
    pixels = picture()
    np.testing.assert_array_equal(image_to_rgb(image(pixels, 'bgr8')), pixels[..., ::-1])


def test_what_a_good_one_does_not_know_is_converted_still(installed: Path) -> None:
    installed.write_text(GOOD.replace(
        'e = message.encoding',
        'e = message.encoding\n        if e == "mono8" and message.width == 9: raise TypeError'))
    assert trusted_cv_bridge() is not None
    pixels = np.arange(9, dtype=np.uint8).reshape(1, 9)
    assert image_to_rgb(image(pixels, 'mono8'))[0, :, 1].tolist() == list(range(9))
