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

"""How far the camera moved between two frames, by estimated depth and by the robot's odometry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import json
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.estimation.anchors.inputs import AnchorError, EstimateLike, FrameLike

FEATURES, RATIO = 1500, .75
REPROJECTION_PX, ITERATIONS, FEWEST_INLIERS = 2., 300, 25
# Pairs: far enough that wheels and pictures can tell it, near enough that features are found.
LEAST_MOVE, LARGEST_MOVE, LARGEST_TURN = .1, 1., 15.
SLOP_NS = 100_000_000


@dataclass(frozen=True)
class Pose:
    """
    Where the robot was.

    :param stamp_ns: when.
    :param position: x, y, z in metres in a fixed frame.
    :param orientation: quaternion x, y, z, w.
    """

    stamp_ns: int
    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float] = (0., 0., 0., 1.)


def read_odometry(path: str | Path) -> list[Pose]:
    """
    Read odometry.jsonl of a recording: a line {stamp, position, orientation} a pose.

    A last line that a power cut left half written is left out.

    :raises AnchorError: naming the file and line.
    """
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, ValueError) as error:
        raise AnchorError(f'{path}: not readable as odometry: {error}') from error
    poses = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            x, y, z = (float(value) for value in entry['position'])
            a, b, c, w = (float(value) for value in entry.get('orientation', (0, 0, 0, 1)))
            poses.append(Pose(int(entry['stamp']), (x, y, z), (a, b, c, w)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if number == len(lines):
                break
            raise AnchorError(f'{path}: line {number} is no pose: {error!r}: stamp in nanoseconds '
                              'and position of three metres are expected') from error
    return sorted(poses, key=lambda pose: pose.stamp_ns)


def pose_at(poses: Sequence[Pose], stamp_ns: int) -> Pose | None:
    """Return the pose of a time, interpolated; None without poses 0.1 s before and after it."""
    stamps = np.array([pose.stamp_ns for pose in poses], np.int64)
    after = int(np.searchsorted(stamps, stamp_ns))
    if after < len(poses) and stamps[after] == stamp_ns:
        return poses[after]
    if not 0 < after < len(poses):
        return None
    first, second = poses[after - 1], poses[after]
    if stamp_ns - first.stamp_ns > SLOP_NS or second.stamp_ns - stamp_ns > SLOP_NS:
        return None
    part = (stamp_ns - first.stamp_ns) / (second.stamp_ns - first.stamp_ns)
    x, y, z = (a + part * (b - a) for a, b in zip(first.position, second.position))
    return Pose(stamp_ns, (x, y, z), (first if part < .5 else second).orientation)


def moved(first: Pose, second: Pose) -> tuple[float, float]:
    """Return the metres between two poses, and the degrees that they are turned by."""
    dot = abs(sum(a * b for a, b in zip(first.orientation, second.orientation)))
    norm = math.hypot(*first.orientation) * math.hypot(*second.orientation)
    turn = math.degrees(2 * math.acos(min(1., dot / norm))) if norm else 0.
    return math.dist(first.position, second.position), turn


def choose_pairs(frames: Iterable[FrameLike], poses: Sequence[Pose], limit: int
                 ) -> list[tuple[FrameLike, FrameLike, float]]:
    """
    Return at most ``limit`` pairs of frames and the metres between them.

    Only pairs that hardly turn: the camera stands off the centre that the robot turns about.
    """
    pairs: list[tuple[FrameLike, FrameLike, float]] = []
    start: tuple[FrameLike, Pose] | None = None
    for frame in frames:
        pose = pose_at(poses, frame.stamp_ns)
        if pose is None:
            continue
        if start is not None:
            metres, turn = moved(start[1], pose)
            if metres < LEAST_MOVE and turn <= LARGEST_TURN:
                continue
            if metres <= LARGEST_MOVE and turn <= LARGEST_TURN:
                pairs.append((start[0], frame, metres))
                if len(pairs) == limit:
                    break
        start = frame, pose
    return pairs


def visual_translation(first: EstimateLike, second: NDArray[np.uint8]) -> float | None:
    """
    Return how far the camera moved between two pictures, in the unit of the estimated depth.

    SIFT features of the first picture, lifted by its depth, are found again in the second, which
    gives its pose (PnP with RANSAC).

    :param second: rectified H x W x 3 RGB picture of the same camera.
    :return: None when too few features agree.
    """
    sift = cv2.SIFT_create(nfeatures=FEATURES)  # type: ignore[attr-defined]
    found = [sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
             for image in (first.image, second)]
    (here, words), (there, others) = found
    if words is None or others is None or len(others) < 2:
        return None
    matches = [pair[0] for pair in cv2.BFMatcher().knnMatch(words, others, k=2)
               if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]
    if len(matches) < FEWEST_INLIERS:
        return None
    pixels = np.array([here[m.queryIdx].pt for m in matches])
    targets = np.array([there[m.trainIdx].pt for m in matches])
    height, width = first.depth.shape
    columns = np.clip(np.rint(pixels[:, 0]).astype(int), 0, width - 1)
    rows = np.clip(np.rint(pixels[:, 1]).astype(int), 0, height - 1)
    depth = first.depth[rows, columns].astype(np.float64)
    k = first.intrinsics
    points = np.stack([(pixels[:, 0] - k.cx) / k.fx * depth,
                       (pixels[:, 1] - k.cy) / k.fy * depth, depth], 1)
    good = np.isfinite(depth) & (depth > 0)
    if good.sum() < FEWEST_INLIERS:
        return None
    solved, rotation, translation, inliers = cv2.solvePnPRansac(
        points[good], targets[good], k.matrix, None, iterationsCount=ITERATIONS,
        reprojectionError=REPROJECTION_PX * max(1., width / 640), flags=cv2.SOLVEPNP_SQPNP)
    if not solved or inliers is None or len(inliers) < FEWEST_INLIERS:
        return None
    chosen = inliers[:, 0]
    rotation, translation = cv2.solvePnPRefineLM(
        points[good][chosen], targets[good][chosen], k.matrix, None, rotation, translation)
    return float(np.linalg.norm(translation))
