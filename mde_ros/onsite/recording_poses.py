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

"""Poses and ranges out of messages, whichever library read them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mde_ros.datasets.bag_file import BagFile
from mde_ros.datasets.frame import DatasetError
from mde_ros.onsite.recorder import Recorder

POSE_TYPES = ('Odometry', 'PoseWithCovarianceStamped', 'PoseStamped', 'TransformStamped')


class Pose(NamedTuple):
    """
    A pose of ``child`` in ``frame``.

    position: x, y, z in metres; orientation: the quaternion x, y, z, w.
    """

    stamp_ns: int
    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]
    frame: str
    child: str


def pose_of(message: Any) -> Pose:
    """
    Return the pose of a nav_msgs/Odometry, or of one of the stamped poses of geometry_msgs.

    :raises DatasetError: for a message of another type.
    """
    if hasattr(message, 'transform'):
        place, turn = message.transform.translation, message.transform.rotation
    elif hasattr(message, 'pose'):
        # Odometry and PoseWithCovarianceStamped have the pose beside its covariance.
        pose = getattr(message.pose, 'pose', message.pose)
        place, turn = pose.position, pose.orientation
    else:
        raise DatasetError(f'{type(message).__name__} is no pose: use a topic of '
                           f'{", ".join(POSE_TYPES)}')
    return Pose(stamp_of(message), (place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w),
                message.header.frame_id, getattr(message, 'child_frame_id', ''))


def stamp_of(message: Any) -> int:
    """Return the stamp of a message's header in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def add_range(recorder: Recorder, message: Any) -> None:
    """
    Give a sensor_msgs/Range to a recorder, unless it read nothing.

    :raises DatasetError: for a message of another type.
    """
    if not hasattr(message, 'field_of_view'):
        raise DatasetError(f'{type(message).__name__} is no range: use a topic of '
                           'sensor_msgs/Range')
    # REP 117 makes readings out of range infinite; some drivers clip them instead.
    if message.min_range < message.range < message.max_range:
        recorder.add_range(stamp_of(message), message.range, message.field_of_view,
                           message.header.frame_id)


def add_from_bag(recorder: Recorder, bag: Path, odometry: str = '', ranges: str = '') -> None:
    """
    Give the poses and ranges of a bag to a recorder.

    :param odometry: topic of the poses, '' for none.
    :param ranges: topic of sensor_msgs/Range, '' for none.
    :raises DatasetError: for a topic that is not there or has other messages.
    """
    wanted = {topic for topic in (odometry, ranges) if topic}
    with BagFile(bag) as file:
        absent = wanted - set(file.types)
        if absent:
            raise DatasetError(f'{bag}: no topic {", ".join(sorted(absent))}; there are: '
                               f'{", ".join(sorted(file.types))}')
        for topic, message in _messages(file, wanted):
            if topic == odometry:
                recorder.add_pose(*pose_of(message))
            else:
                add_range(recorder, message)


def _messages(file: BagFile, wanted: set[str]) -> Iterator[tuple[str, Any]]:
    for record in file.records(wanted):
        try:
            message = file.message(record)
        except DatasetError:
            continue  # a damaged message; the frames' reader reports the damage of the bag
        yield record.topic, message
