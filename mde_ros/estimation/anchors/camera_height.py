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

"""The floor in estimated depth, whose distance from the camera is known on a robot."""

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.geometry import depth_to_points
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.anchors.fit import MAD_TO_STD
from mde_ros.estimation.anchors.inputs import AnchorError

POINTS, TRIALS = 3000, 400
# Share of the camera's height that a point of the floor may lie off the plane.
TOLERANCE, NARROWEST = .08, .005
# Points below a floor are impossible, so they speak against it more than others for it.
BELOW_WEIGHT = 2.
# Points whose ray goes down by less than this (sine) see the floor too far away.
SMALLEST_DESCENT = math.sin(math.radians(3))
LEAST_SHARE, FEWEST_POINTS = .4, 150


@dataclass(frozen=True)
class CameraHeight:
    """
    How the camera stands over the floor.

    :param metres: height of its optical centre.
    :param pitch: degrees by which it looks down; None when not known.
    :param tolerance: degrees by which the normal of the floor may differ from that pitch without
        roll; None means 15, or 50 when the pitch is not known.
    :raises AnchorError: naming the field.
    """

    metres: float
    pitch: float | None = None
    tolerance: float | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        if not (math.isfinite(self.metres) and self.metres > 0):
            raise AnchorError(f'camera height {self.metres}: metres above the floor are needed')
        if self.pitch is not None and not -90 < self.pitch < 90:
            raise AnchorError(f'pitch {self.pitch}: degrees between -90 and 90 are needed')
        if self.tolerance is not None and not 0 < self.tolerance <= 90:
            raise AnchorError(f'tolerance {self.tolerance}: degrees of 0 to 90 are needed')

    @property
    def down(self) -> NDArray[np.float64]:
        """Return the expected direction of gravity in the optical frame."""
        angle = math.radians(self.pitch or 0.)
        return np.array([0., math.cos(angle), math.sin(angle)])

    @property
    def largest_angle(self) -> float:
        """Return the tolerance in degrees."""
        return self.tolerance or (50. if self.pitch is None else 15.)


@dataclass(frozen=True)
class Floor:
    """
    A plane in the optical frame.

    :param height: distance of the camera in the unit of the depth.
    :param down: unit normal, from the camera to the plane.
    :param share: of the points below its horizon that lie on it.
    """

    height: float
    down: NDArray[np.float64]
    share: float

    @property
    def pitch(self) -> float:
        """Return the degrees by which the camera looks down."""
        return math.degrees(math.atan2(self.down[2], math.hypot(*self.down[:2])))


def fit_floor(depth: NDArray[np.float32], intrinsics: Intrinsics, prior: CameraHeight, *,
              seed: int = 0) -> Floor | None:
    """
    Return the floor of a depth image, None when none can be told from it.

    RANSAC over planes whose normal is near the prior, scored by the points on them less those
    below them, so that a table is no floor; then least squares on the points that agree.

    :param depth: H x W, of any unit: only the prior's angles count, not its height.
    :param intrinsics: of the pinhole.
    """
    points = depth_to_points(depth, intrinsics).reshape(-1, 3).astype(np.float64)
    points = points[np.isfinite(points[:, 2]) & (points[:, 2] > 0)]
    if len(points) < FEWEST_POINTS:
        return None
    rng = np.random.default_rng(seed)
    points = points[rng.choice(len(points), min(POINTS, len(points)), replace=False)]
    lengths = np.linalg.norm(points, axis=1)
    # Only the lower part can be the floor; how low follows from the prior and its tolerance.
    sine = points @ prior.down / lengths
    lowest = -math.sin(math.radians(min(prior.largest_angle, 90.)))
    candidates = points[sine > max(lowest, -1.)]
    if len(candidates) < FEWEST_POINTS:
        return None
    planes = _planes(candidates, rng, prior)
    if not len(planes):
        return None
    plane = planes[np.argmax(_scores(points, planes))]
    band = TOLERANCE
    for _ in range(6):
        off = np.abs(points @ plane - 1)
        on = off <= band
        if on.sum() < 3:
            return None
        # As narrow as the depth allows, else the foot of a wall tilts the floor.
        band = min(TOLERANCE, max(NARROWEST, 2.5 * MAD_TO_STD * float(np.median(off[on]))))
        plane = np.linalg.lstsq(points[on], np.ones(int(on.sum())), rcond=None)[0]
    norm = float(np.linalg.norm(plane))
    if not (math.isfinite(norm) and norm > 0):
        return None
    down = plane / norm
    on = np.abs(points @ plane - 1) <= TOLERANCE
    descending = points @ down / lengths > SMALLEST_DESCENT
    share = float(on.sum() / max(descending.sum(), 1))
    if (down @ prior.down < math.cos(math.radians(prior.largest_angle))
            or on.sum() < FEWEST_POINTS or share < LEAST_SHARE):
        return None
    return Floor(1 / norm, down, min(share, 1.))


def _planes(points: NDArray[np.float64], rng: np.random.Generator,
            prior: CameraHeight) -> NDArray[np.float64]:
    """Return T x 3 planes m, with m . p = 1 on them, through random triples of points."""
    triples = points[rng.integers(0, len(points), (TRIALS, 3))]
    volume = np.linalg.det(triples)
    triples = triples[np.abs(volume) > 1e-9 * np.prod(np.linalg.norm(triples, axis=2), axis=1)]
    if not len(triples):
        return np.empty((0, 3))
    planes = np.linalg.solve(triples, np.ones((len(triples), 3, 1)))[..., 0]
    along = planes @ prior.down / np.linalg.norm(planes, axis=1)
    return planes[along >= math.cos(math.radians(prior.largest_angle))]


def _scores(points: NDArray[np.float64], planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many points lie on each plane, less those below it."""
    relative = points @ planes.T
    # Points count by how near they are: many planes hold the floor and the foot of a wall.
    on = np.clip(1 - ((relative - 1) / TOLERANCE) ** 2, 0, None).sum(0)
    below = (relative > 1 + TOLERANCE).sum(0)
    scores: NDArray[np.float64] = on - BELOW_WEIGHT * below
    return scores
