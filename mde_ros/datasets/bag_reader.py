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

"""Bags as data sets: images with their intrinsics and, where recorded, their depth."""

from collections.abc import Iterator
from dataclasses import dataclass
import logging
from pathlib import Path
from typing import Any

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_file import BagFile, Record
from mde_ros.datasets.bag_topics import BagTopics, find_topics, is_rectified_topic
from mde_ros.datasets.depth_codec import depth_to_metres
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.datasets.image_message import is_compressed
from mde_ros.datasets.stamp_pairing import Pair, StampPairer
from mde_ros.errors import MdeError

SLOP_NS = 20_000_000
WARNINGS_PER_REASON = 3
PICTURE_MAGIC = (b'\xff\xd8\xff', b'\x89PNG')

_log = logging.getLogger(__name__)


@dataclass
class Pairing:
    """
    How the images of one pass over a bag got their depth.

    exact: by equal stamps; near: within the slop; unpaired: no depth; unreadable: its depth is
    damaged or of another size than the image; unused_depths: depth that no image took.
    """

    exact: int = 0
    near: int = 0
    unpaired: int = 0
    unreadable: int = 0
    unused_depths: int = 0


class BagFrames:
    """
    The frames of a bag in the order of recording; a FrameSource.

    Each pass reads the bag once and holds a few frames only. ``topics`` says what is read,
    ``skipped``, ``pairing``, ``stamps_backwards`` (images whose stamp is before the one before
    it) and ``damage`` what the last pass met. Frames without depth are yielded unlabelled.

    :param image_topic: needed only where the bag has several; likewise the other two.
    :param slop_ns: largest difference of stamps of an image and a depth that are not equal.
    :param rectified: whether the images are rectified (camera_info's P holds) or not (K and D);
        None goes by the name of the topic: image_rect* is.
    :param intrinsics: used instead of camera_info.
    :param read_depth: False yields unlabelled frames.
    :raises DatasetError: when the bag cannot be read or its topics are not clear.
    """

    def __init__(self, path: str | Path, *, image_topic: str | None = None,
                 depth_topic: str | None = None, info_topic: str | None = None,
                 slop_ns: int = SLOP_NS, rectified: bool | None = None,
                 intrinsics: Intrinsics | None = None, read_depth: bool = True) -> None:
        self.path = Path(path)
        self.name = self.path.resolve().name
        self._slop_ns = slop_ns
        self._intrinsics = intrinsics
        self.skipped: dict[str, int] = {}
        self.pairing = Pairing()
        self.stamps_backwards = 0
        with BagFile(self.path) as bag:
            self.topics: BagTopics = find_topics(
                bag, image_topic, depth_topic, info_topic, want_depth=read_depth,
                want_info=intrinsics is None)
            self.damage = list(bag.damage)
        for note in self.topics.notes:
            _log.warning('%s: %s', self.path, note)
        self.labelled = self.topics.depth is not None
        self.rectified = is_rectified_topic(self.topics.image) if rectified is None else rectified

    def __len__(self) -> int:
        """Return the number of images in the bag, bad ones included."""
        return self.topics.counts[self.topics.image]

    def __iter__(self) -> Iterator[Frame]:
        """Yield the readable frames."""
        for frame, _ in self.encoded():
            yield frame

    def encoded(self) -> Iterator[tuple[Frame, bytes | None]]:
        """Yield the frames, each with its JPEG or PNG file where the bag has one."""
        with BagFile(self.path) as bag:
            yield from _Pass(self, bag, self._slop_ns, self._intrinsics).run()


class _Pass:
    """One pass over a bag."""

    def __init__(self, source: BagFrames, bag: BagFile, slop_ns: int,
                 intrinsics: Intrinsics | None) -> None:
        self._source = source
        self._bag = bag
        self._given = intrinsics
        self._topics = source.topics
        self._pairer = StampPairer(
            slop_ns, with_depth=self._topics.depth is not None,
            with_info=intrinsics is None and self._topics.info is not None)
        # (stamp, CameraInfo) where it changes; the last before an image holds for it.
        self._infos: list[tuple[int, Any]] = []
        source.skipped = {}
        source.pairing = Pairing()
        source.stamps_backwards = 0
        self._warned: dict[str, int] = {}

    def run(self) -> Iterator[tuple[Frame, bytes | None]]:
        """Yield frames with their encoded images."""
        source, topics = self._source, self._topics
        wanted = {topic for topic in (topics.image, topics.depth, topics.info) if topic}
        index, last = 0, -1
        for record in self._bag.records(wanted):
            try:
                message = self._bag.message(record)
            except DatasetError as error:
                if record.topic == topics.image:
                    index += 1
                    self._skip('unreadable message', str(error))
                elif record.topic == topics.depth:
                    source.pairing.unused_depths += 1
                continue
            stamp = _stamp(message, record)
            if record.topic == topics.image:
                source.stamps_backwards += stamp < last
                last = stamp
                pairs = self._pairer.add_image(stamp, (index, message))
                index += 1
            elif record.topic == topics.depth:
                pairs = self._pairer.add_depth(stamp, message)
            else:
                self._add_info(stamp, message)
                pairs = self._pairer.add_info(stamp)
            yield from self._frames(pairs)
        yield from self._frames(self._pairer.finish())
        source.pairing.unused_depths += self._pairer.unused_depths
        source.damage = list(self._bag.damage)

    def _frames(self, pairs: Iterator[Pair]) -> Iterator[tuple[Frame, bytes | None]]:
        for pair in pairs:
            index, message = pair.image
            where = f'image {index} at {pair.stamp} ns on {self._topics.image}'
            try:
                image = image_to_rgb(message)
            except MdeError as error:
                self._skip('unreadable image', f'{where}: {error}')
                continue
            intrinsics = self._camera(pair.stamp, image.shape, where)
            if intrinsics is not None:
                depth = self._depth(pair, image.shape[:2], where)
                yield Frame(f'{index:06d}', pair.stamp, image, intrinsics, depth), _file(message)

    def _camera(self, stamp: int, shape: tuple[int, ...], where: str) -> Intrinsics | None:
        intrinsics = self._given
        if intrinsics is None:
            info = self._info(stamp)
            if info is None:
                self._skip('no camera_info',
                           f'{where}: no readable message on {self._topics.info}')
                return None
            try:
                intrinsics = Intrinsics.from_camera_info(info, self._source.rectified)
            except MdeError as error:
                self._skip('unusable camera_info', f'{where}: {self._topics.info}: {error}')
                return None
        if shape[:2] != (intrinsics.height, intrinsics.width):
            self._skip('image size differs from camera_info',
                       f'{where}: {shape[1]}x{shape[0]}, but its intrinsics are for '
                       f'{intrinsics.width}x{intrinsics.height}')
            return None
        return intrinsics

    def _depth(self, pair: Pair, shape: tuple[int, ...], where: str) -> Any:
        pairing = self._source.pairing
        if pair.depth is None:
            pairing.unpaired += 1
            return None
        try:
            depth = depth_to_metres(pair.depth)
            if depth.shape != shape:
                raise DatasetError(f'depth of {depth.shape[1]}x{depth.shape[0]} is not '
                                   f'registered to images of {shape[1]}x{shape[0]}')
        except MdeError as error:
            pairing.unreadable += 1
            self._warn('depth', f'{where} is left without depth: {error}')
            return None
        setattr(pairing, pair.kind, getattr(pairing, pair.kind) + 1)
        return depth

    def _add_info(self, stamp: int, message: Any) -> None:
        if self._infos and _same_camera(self._infos[-1][1], message):
            return
        self._infos.append((stamp, message))
        # Waiting images reach back a few changes at most.
        del self._infos[:-64]

    def _info(self, stamp: int) -> Any:
        before = [message for at, message in self._infos if at <= stamp]
        if before:
            return before[-1]
        if not self._infos and self._topics.info and self._given is None:
            # Images that were recorded before the first camera_info.
            message = self._bag.first(self._topics.info)
            if message is not None:
                self._infos.append((-1, message))
        return self._infos[0][1] if self._infos else None

    def _skip(self, reason: str, detail: str) -> None:
        self._source.skipped[reason] = self._source.skipped.get(reason, 0) + 1
        self._warn(reason, f'skipped {detail}')

    def _warn(self, reason: str, text: str) -> None:
        count = self._warned[reason] = self._warned.get(reason, 0) + 1
        if count <= WARNINGS_PER_REASON:
            _log.warning('%s: %s', self._source.path, text)
        if count == WARNINGS_PER_REASON:
            _log.warning('%s: further ones of this kind are only counted', self._source.path)


def _stamp(message: Any, record: Record) -> int:
    """Return the stamp of the header, or where a driver left it 0 the time of recording."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec) or record.log_ns


def _same_camera(one: Any, other: Any) -> bool:
    return bool(
        (one.width, one.height, one.distortion_model)
        == (other.width, other.height, other.distortion_model)
        and all(list(getattr(one, name, ())) == list(getattr(other, name, ()))
                for name in ('k', 'd', 'p', 'K', 'D', 'P')))


def _file(message: Any) -> bytes | None:
    """Return the JPEG or PNG file in a message, if it shows the colours as they are."""
    if not is_compressed(message) or 'compressed rgb' in message.format.partition(';')[2]:
        return None
    data = bytes(message.data)
    return data if data.startswith(PICTURE_MAGIC) else None
