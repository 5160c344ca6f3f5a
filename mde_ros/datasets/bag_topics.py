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

"""Finding the image, depth and camera_info topics of a bag."""

from dataclasses import dataclass, field
from typing import Any

from mde_ros.datasets.bag_file import BagFile
from mde_ros.datasets.depth_codec import depth_to_metres, holds_depth
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.datasets.image_message import is_compressed
from mde_ros.errors import MdeError

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
# What image_transport appends to the name of a topic.
TRANSPORTS = ('/compressed', '/compressedDepth')


@dataclass(frozen=True)
class BagTopics:
    """
    The topics that frames are read from, and the number of messages on each.

    ``counts`` holds all image and camera_info topics of the bag; ``notes`` what was found but
    is not used, and why.
    """

    image: str
    depth: str | None
    info: str | None
    counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """An image topic and what its first message holds; size is (width, height)."""

    topic: str
    count: int
    kind: str  # 'colour', 'mono', 'depth'
    size: tuple[int, int]
    encoding: str

    def __str__(self) -> str:
        """Return what a user needs to choose."""
        return (f'{self.topic} ({self.encoding}, {self.size[0]}x{self.size[1]}, '
                f'{self.count} messages)')


def base_topic(topic: str) -> str:
    """Return the name without what image_transport appended."""
    for suffix in TRANSPORTS:
        topic = topic.removesuffix(suffix)
    return topic


def is_rectified_topic(topic: str) -> bool:
    """Return whether a topic's name says that its images are rectified: image_rect*."""
    return base_topic(topic).rpartition('/')[2].startswith('image_rect')


def find_topics(bag: BagFile, image_topic: str | None = None, depth_topic: str | None = None,
                info_topic: str | None = None, *, want_depth: bool = True,
                want_info: bool = True) -> BagTopics:
    """
    Return the topics to read; a topic given is taken, the others must be clear.

    Of raw and compressed copies of one topic the one with more messages is taken, raw on a tie;
    a colour topic before mono ones, pictures below depth/ last; depth of the image's size, and of
    several that whose name says it is aligned.

    :raises DatasetError: when there is none or more than one; lists them.
    """
    candidates = [found for topic, kind in bag.types.items() if kind in IMAGE_TYPES
                  for found in [_peek(bag, topic)] if found]
    counts = {topic: bag.counts[topic] for topic, kind in bag.types.items()
              if kind in (*IMAGE_TYPES, INFO_TYPE)}
    image = _choose_image(bag, candidates, image_topic)
    notes: list[str] = []
    depth = None
    if want_depth:
        depth = _choose_depth(bag, candidates, image, depth_topic, notes)
    info = _choose_info(bag, image, info_topic, want_info)
    return BagTopics(image.topic, depth, info, counts, tuple(notes))


def _peek(bag: BagFile, topic: str) -> Candidate | None:
    message = bag.first(topic) if bag.counts[topic] else None
    if message is None:
        return None
    encoding = str(message.format if is_compressed(message) else message.encoding)
    depth = holds_depth(message, topic)
    try:
        size = _size(message, depth)
    except MdeError:
        size = (0, 0)  # the first message is damaged; the others may be fine
    mono = encoding.split(';')[0].strip() in ('mono8', 'mono16', '8UC1')
    kind = 'depth' if depth else 'mono' if mono else 'colour'
    return Candidate(topic, bag.counts[topic], kind, size, encoding)


def _size(message: Any, depth: bool) -> tuple[int, int]:
    if not is_compressed(message):
        return int(message.width), int(message.height)
    shape = (depth_to_metres(message) if depth else image_to_rgb(message)).shape
    return shape[1], shape[0]


def _named(bag: BagFile, topic: str, kinds: tuple[str, ...], option: str) -> str:
    """Return a topic of these types that the user named, with or without the leading '/'."""
    for name in (topic, '/' + topic):
        for suffix in ('', *TRANSPORTS):
            if bag.types.get(name + suffix) in kinds and bag.counts[name + suffix]:
                return name + suffix
    there = ', '.join(sorted(name for name, kind in bag.types.items()
                             if kind in kinds and bag.counts[name]))
    raise DatasetError(f"{bag.path}: no messages on {option} '{topic}'; there are: "
                       f'{there or "none of this type"}')


def _choose_image(bag: BagFile, candidates: list[Candidate], topic: str | None) -> Candidate:
    if topic:
        name = _named(bag, topic, IMAGE_TYPES, 'image topic')
        found = next((c for c in candidates if c.topic == name), None)
        if found is None:
            raise DatasetError(f'{bag.path}: no readable message on {name}')
        if found.kind == 'depth':
            raise DatasetError(f'{bag.path}: image topic {found} is depth; choose a colour topic')
        return found
    pictures = _best_copies([c for c in candidates if c.kind != 'depth'])
    colour = [c for c in pictures if c.kind == 'colour']
    pictures = colour or pictures
    # Pictures of depth for people, as this package's depth/color.
    pictures = [c for c in pictures if '/depth/' not in c.topic] or pictures
    if not pictures:
        there = ', '.join(f'{name} ({kind})' for name, kind in sorted(bag.types.items()))
        raise DatasetError(f'{bag.path}: no image topic with messages; it has: '
                           f'{there or "no topics at all"}')
    if len(pictures) > 1:
        raise DatasetError(f'{bag.path}: several image topics, choose one (--image-topic of '
                           'mde evaluate and mde convert): '
                           + ', '.join(map(str, pictures)))
    return pictures[0]


def _choose_depth(bag: BagFile, candidates: list[Candidate], image: Candidate,
                  topic: str | None, notes: list[str]) -> str | None:
    if topic:
        return _named(bag, topic, IMAGE_TYPES, 'depth topic')
    depths = _best_copies([c for c in candidates if c.kind == 'depth'])
    fitting = [c for c in depths if c.size in (image.size, (0, 0)) or image.size == (0, 0)]
    notes.extend(f'depth {c} does not fit images of {image.size[0]}x{image.size[1]}: it is not '
                 'registered to them' for c in depths if c not in fitting)
    if len(fitting) > 1:
        aligned = [c for c in fitting
                   if any(word in c.topic for word in ('aligned', 'registered'))]
        fitting = aligned if len(aligned) == 1 else fitting
    if len(fitting) > 1:
        raise DatasetError(f'{bag.path}: several depth topics, choose one (--depth-topic of '
                           'mde evaluate and mde convert): '
                           + ', '.join(map(str, fitting)))
    return fitting[0].topic if fitting else None


def _choose_info(bag: BagFile, image: Candidate, topic: str | None, wanted: bool) -> str | None:
    if topic:
        return _named(bag, topic, (INFO_TYPE,), 'camera_info topic')
    if not wanted:
        return None
    infos = [name for name, kind in bag.types.items() if kind == INFO_TYPE and bag.counts[name]]
    beside = base_topic(image.topic).rpartition('/')[0] + '/camera_info'
    if beside in infos:
        return beside
    fitting = [name for name in infos if _fits(bag.first(name), image)]
    if len(fitting) == 1:
        return fitting[0]
    there = f'there are {", ".join(infos)}' if infos else 'the bag has none'
    raise DatasetError(f'{bag.path}: no camera_info topic {beside} beside {image.topic} '
                       f'({there}): record it, choose one with --info-topic, or give the '
                       'calibration with --camera FILE.yaml')


def _fits(info: Any, image: Candidate) -> bool:
    return info is not None and (int(info.width), int(info.height)) == image.size


def _best_copies(candidates: list[Candidate]) -> list[Candidate]:
    """Return one candidate of each base topic."""
    best: dict[str, Candidate] = {}
    for found in sorted(candidates, key=lambda c: (-c.count, c.topic)):
        best.setdefault(base_topic(found.topic), found)
    return sorted(best.values(), key=lambda c: c.topic)
