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

"""Depth that follows from the camera's own motion: two views of a place, triangulated."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.adaptation.augmentation import OUTPUT_STRIDE
from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import network_size, ResizePlan
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_measures import log_depths
from mde_ros.onsite.check_pictures import CheckPicture, picture_of, spread_indices

FEATURES, RATIO = 1500, .75
REPROJECTION = 1.  # pixels
# Degrees between the rays to a point; less says little of its depth.
PARALLAX = 1.
FEWEST_POINTS = 30
# Where one plane explains more, the motion is not determined (or there is none but turning).
MOST_PLANAR = .9
# Half the width between the 16th and 84th percentile of log depth: where all points are as far,
# the flattest depth would be the best.
LEAST_SPREAD = .12
# Fewer pairs than this say nothing.
FEWEST_PAIRS = 5


@dataclass(frozen=True)
class MotionPoints:
    """
    Points of one picture whose depth is known up to one factor.

    :param picture: at the network's size.
    :param rows: of the points in the network's output, and ``columns`` likewise.
    :param log_depth: natural logarithm of their depth, up to a constant.
    """

    picture: CheckPicture
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    log_depth: NDArray[np.float64]


def triangulate(first: NDArray[np.uint8], second: NDArray[np.uint8], matrix: NDArray[np.float64]
                ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """
    Return (N x 2 pixels of the first picture, N depths up to one factor), None without motion.

    :param first: H x W x 3 uint8 RGB, rectified, and ``second`` of the same camera.
    :param matrix: 3 x 3 of the pinhole.
    """
    sift = cv2.SIFT.create(FEATURES)
    (keys_a, a), (keys_b, b) = (
        sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        for image in (first, second))
    if a is None or b is None or min(len(a), len(b)) < FEWEST_POINTS:
        return None
    matches = [best for best, other in (
        pair for pair in cv2.BFMatcher().knnMatch(a, b, k=2) if len(pair) == 2)
        if best.distance < RATIO * other.distance]
    if len(matches) < FEWEST_POINTS:
        return None
    x = np.array([keys_a[match.queryIdx].pt for match in matches], np.float64)
    y = np.array([keys_b[match.trainIdx].pt for match in matches], np.float64)
    essential, mask = cv2.findEssentialMat(x, y, matrix, cv2.RANSAC, .999, REPROJECTION)
    if essential is None or essential.shape != (3, 3):
        return None
    _, turn, move, mask = cv2.recoverPose(essential, x, y, matrix, mask=mask)
    x, y = x[mask.ravel() > 0], y[mask.ravel() > 0]
    if len(x) < FEWEST_POINTS:
        return None
    _, planar = cv2.findHomography(x, y, cv2.RANSAC, 2 * REPROJECTION)
    if planar is None or planar.mean() > MOST_PLANAR:
        return None
    points = cv2.triangulatePoints(matrix @ np.eye(3, 4), matrix @ np.hstack([turn, move]),
                                   x.T, y.T)
    with np.errstate(divide='ignore', invalid='ignore'):
        points = (points[:3] / points[3]).T
        rays = points / np.linalg.norm(points, axis=1, keepdims=True)
        others = points + (turn.T @ move).T
        others = others / np.linalg.norm(others, axis=1, keepdims=True)
        angle = np.degrees(np.arccos(np.clip((rays * others).sum(1), -1, 1)))
        good = (points[:, 2] > 0) & (angle > PARALLAX) & np.isfinite(points).all(1)
    if good.sum() < FEWEST_POINTS:
        return None
    depth = points[good, 2]
    low, high = np.percentile(np.log(depth), (16, 84))
    return (x[good], depth) if (high - low) / 2 > LEAST_SPREAD else None


def deviation(values: NDArray[np.float64]) -> float:
    """Return the median absolute difference to the median."""
    return float(np.median(np.abs(values - np.median(values))))


def motion_points(targets: Sequence[IndexedDataset], most: int, area: int
                  ) -> list[MotionPoints]:
    """
    Return pictures with points of known relative depth, from neighbouring frames.

    :param targets: opened without depth, in the order of recording.
    :param most: pairs that are tried.
    :param area: pixels of the network's input.
    """
    found = []
    for target in targets:
        pairs = spread_indices(len(target) - 1, most) if len(target) > 1 else []
        for number in pairs:
            first, second = target.get(number), target.get(number + 1)
            if first is None or second is None or first.intrinsics != second.intrinsics:
                continue
            if points := _points(first, second, area):
                found.append(points)
    return found


def _points(first: Frame, second: Frame, area: int) -> MotionPoints | None:
    camera: Intrinsics = first.intrinsics
    images = [first.image, second.image]
    if not camera.rectified:
        rectifier = Rectifier(camera)
        images, camera = [rectifier.apply(image) for image in images], rectifier.rectified
    result = triangulate(images[0], images[1], camera.matrix)
    if result is None:
        return None
    pixels, depth = result
    plan = ResizePlan.fit(camera, *network_size(camera.width, camera.height, area))
    scale = np.array(plan.scaled) / (camera.width, camera.height)
    # Pixel centres: the middle of the first pixel is at 0.
    places = ((pixels + .5) * scale + plan.offset) / OUTPUT_STRIDE
    columns, rows = places.astype(np.intp).T
    return MotionPoints(picture_of(first, area), rows, columns, np.log(depth))


def motion_measure(network: DepthNetwork, pairs: Sequence[MotionPoints]
                   ) -> NDArray[np.float64]:
    """
    Return for each pair the median absolute difference in log depth, one factor a pair freed.

    It says how good the shape is, not how good the scale.
    """
    found = []
    for pair in pairs:
        depth = log_depths(network, pair.picture.tensor(), pair.picture.focal)[0]
        difference = depth[np.clip(pair.rows, 0, depth.shape[0] - 1),
                           np.clip(pair.columns, 0, depth.shape[1] - 1)] - pair.log_depth
        found.append(deviation(difference))
    return np.array(found)
