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

"""Which intrinsics belong to an image: the camera_info of a camera, remembered and paired."""

from collections import OrderedDict
from collections.abc import Callable
import threading

from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.errors import MdeError
from mde_ros.nodes.messages import stamp_ns
from mde_ros.nodes.parameters import Settings
from mde_ros.nodes.topics import looks_rectified

# Messages kept to find the one with exactly an image's stamp.
REMEMBERED = 32


class FrameError(MdeError):
    """
    A frame that cannot be processed.

    :param reason: the counter in the diagnostics, a few words.
    """

    def __init__(self, reason: str, line: str) -> None:
        super().__init__(line)
        self.reason = reason


class Calibration:
    """
    Remember camera_info messages and give the intrinsics of an image.

    :param fallback: intrinsics of the parameter camera_info_file, used until a message comes.
    """

    def __init__(self, info_topic: str, image_topic: str, settings: Callable[[], Settings],
                 fallback: Intrinsics | None = None) -> None:
        """Start with the fallback only."""
        self._info_topic, self._image_topic, self._settings = info_topic, image_topic, settings
        self._fallback = fallback
        self._latest: dict[tuple[int, int], CameraInfo] = {}
        self._by_stamp: OrderedDict[int, CameraInfo] = OrderedDict()
        self._cached: tuple[tuple[object, ...], Intrinsics] | None = None
        self._newest: CameraInfo | None = None
        self._lock = threading.Lock()

    @property
    def missing(self) -> bool:
        """Return whether no intrinsics at all are known."""
        return self._newest is None and self._fallback is None

    @property
    def rectified(self) -> bool:
        """Return whether the images count as rectified: the parameter image_rectified."""
        chosen = self._settings().image_rectified
        return looks_rectified(self._image_topic) if chosen == 'auto' else chosen == 'true'

    def remember(self, message: CameraInfo) -> None:
        """Store a message."""
        with self._lock:
            self._newest = message
            self._latest[message.width, message.height] = message
            self._by_stamp[stamp_ns(message.header)] = message
            while len(self._by_stamp) > REMEMBERED:
                self._by_stamp.popitem(last=False)

    def known(self) -> list[Intrinsics]:
        """Return the intrinsics of now, to warm a network up with; none if there are none."""
        with self._lock:
            newest = self._newest
        try:
            found = self._fallback if newest is None else self._read(newest)
        except FrameError:
            return []
        return [] if found is None else [found]

    def of_image(self, header: Header, width: int, height: int) -> Intrinsics:
        """
        Return the intrinsics of an image: same stamp if there is one, else the latest of its size.

        :raises FrameError: when no camera_info fits, or the one that does is no calibration.
        """
        with self._lock:
            message = self._by_stamp.get(stamp_ns(header))
            if message is None or (message.width, message.height) != (width, height):
                message = self._latest.get((width, height))
            newest = self._newest
        if message is not None:
            return self._read(message)
        fallback = self._fallback
        if fallback is not None and (fallback.width, fallback.height) == (width, height):
            return fallback
        if newest is None and fallback is None:
            raise FrameError('no camera_info', f'no camera_info on {self._info_topic}')
        source = self._info_topic if newest is not None else 'camera_info_file'
        size = newest if newest is not None else fallback
        assert size is not None
        raise FrameError('camera_info size mismatch', (
            f'{self._image_topic} is {width}x{height} but {source} says '
            f'{size.width}x{size.height}: publish the camera_info of this image size'))

    def _read(self, message: CameraInfo) -> Intrinsics:
        """Return a message's intrinsics, the same object as long as nothing changes."""
        rectified = self.rectified
        key = (message.width, message.height, message.k.tobytes(), message.p.tobytes(),
               message.d.tobytes(), message.distortion_model, rectified)
        if self._cached is not None and self._cached[0] == key:
            return self._cached[1]
        try:
            found = Intrinsics.from_camera_info(message, rectified)
        except IntrinsicsError as error:
            raise FrameError('bad camera_info', f'{self._info_topic}: {error}') from error
        self._cached = (key, found)
        return found
