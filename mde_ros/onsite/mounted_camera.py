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

"""Labels of the target from itself, at the floor's scale where the camera is mounted."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
import math

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.estimation.anchors.camera_height import CameraHeight, fit_floor, Floor
from mde_ros.estimation.anchors.inputs import EstimatorLike
from mde_ros.onsite.floor_roll import are_seen, followed

# Frames with a floor that are needed, and how far their normals may lie apart (degrees).
FEWEST_FLOORS, LARGEST_SPREAD = 8, 8.
# Every so many pixels a ray is looked at; one that goes down by less than this (sine) is not.
RAY_STEP, SMALLEST_DESCENT = 6, .12
# Log scale: histogram bins, width of the window that slides over them, largest that is believed.
BIN, WINDOW, LARGEST = .02, .12, 1.
# Share of the descending rays that have to agree on the floor.
LEAST_SUPPORT = .2
# The floor is the deepest that a ray can see: the nearest peak of at least this share of the
# highest one is the floor, and what stands on it comes after.
PEAK = .7
# Of every so many pixels of a label one is kept: the network's output is no finer.
LABEL_STEP = 2


@dataclass(frozen=True)
class Mount:
    """
    How a camera stands over the floor, in all frames alike.

    :param down: unit vector of gravity in the optical frame.
    :param height: of the camera, metres.
    :param known: whether the height was measured, or is the median of what was estimated.
    :param frames: frames whose scale the floor tells.
    """

    down: NDArray[np.float64]
    height: float
    known: bool
    frames: int


def direction_of(pitch: float, roll: float = 0.) -> NDArray[np.float64]:
    """
    Return gravity in the optical frame of a camera.

    :param pitch: degrees by which it looks down.
    :param roll: degrees by which it is turned clockwise, seen from behind.
    """
    down, turn = math.radians(pitch), math.radians(roll)
    return np.array([math.sin(turn) * math.cos(down), math.cos(turn) * math.cos(down),
                     math.sin(down)])


def find_mount(floors: Iterable[Floor | None], height: float | None = None,
               down: NDArray[np.float64] | None = None) -> Mount | None:
    """
    Return the mount that the floors of many frames agree on, None when they do not.

    :param floors: of :func:`fit_floor`, one a frame.
    :param height: measured, metres.
    :param down: measured, as :func:`direction_of` gives it; the floors only tell it within some
        degrees, which are some 10 % of scale.
    """
    found = [floor for floor in floors if floor is not None]
    if height is not None and down is not None:
        return Mount(down, height, True, len(found))
    if len(found) < FEWEST_FLOORS:
        return None
    # The foot of a wall tilts a floor of which little is seen: the clearer half counts.
    found.sort(key=lambda floor: -floor.share)
    found = found[:max(FEWEST_FLOORS, len(found) // 2)]
    normals = np.array([floor.down for floor in found])
    middle = np.median(normals, 0)
    middle /= np.linalg.norm(middle)
    angles = np.degrees(np.arccos(np.clip(normals @ middle, -1, 1)))
    if float(np.median(angles)) > LARGEST_SPREAD:
        return None  # held in the hand, or no floor at all
    estimated = float(np.median([floor.height for floor in found]))
    return Mount(middle if down is None else down, height or estimated, height is not None,
                 len(found))


def floor_log_scale(depth: NDArray[np.float32], intrinsics: Intrinsics, mount: Mount
                    ) -> tuple[float, float]:
    """
    Return the log of what depth has to be multiplied by, and the share of rays that say so.

    Each ray that goes down ends at the floor or before it. Where it is the floor, the ratio of
    the floor's depth to the estimate is the same for all rays: the mode of the log ratios.

    :param depth: H x W metres, NaN where unknown.
    :return: (NaN, 0) when no ray goes down.
    """
    height, width = depth.shape
    v, u = np.mgrid[RAY_STEP // 2:height:RAY_STEP, RAY_STEP // 2:width:RAY_STEP]
    rays = np.stack([(u - intrinsics.cx) / intrinsics.fx, (v - intrinsics.cy) / intrinsics.fy,
                     np.ones(u.shape)], -1)
    descent = rays @ mount.down
    estimate = depth[v, u]
    seen = ((descent / np.linalg.norm(rays, axis=-1) > SMALLEST_DESCENT)
            & np.isfinite(estimate) & (estimate > 0))
    if not seen.any():
        return math.nan, 0.
    ratios = np.log(mount.height / descent[seen] / estimate[seen])
    edges = np.arange(-2 * LARGEST, 2 * LARGEST + BIN / 2, BIN)
    counts = np.histogram(ratios, edges)[0]
    window = np.convolve(counts, np.ones(round(WINDOW / BIN)), 'same') / ratios.size
    if not window.max() > 0:
        return math.nan, 0.
    peak = int(np.argmax(window >= PEAK * window.max()))
    while peak + 1 < len(window) and window[peak + 1] > window[peak]:
        peak += 1
    centre = edges[peak] + BIN / 2
    return float(np.median(ratios[np.abs(ratios - centre) <= WINDOW])), float(window[peak])


@dataclass(frozen=True)
class MountPrior:
    """
    What is known of the mount.

    :param height: of the camera over the floor, metres; None takes the median of the estimated
        heights: then all frames agree, but on the network's own scale.
    :param pitch: degrees by which it looks down; None to see it from the floors.
    :param roll: degrees by which it is turned clockwise; counts where the pitch is given.
    """

    height: float | None = None
    pitch: float | None = None
    roll: float = 0.

    @property
    def down(self) -> NDArray[np.float64] | None:
        """Return gravity, None when it is not known."""
        return None if self.pitch is None else direction_of(self.pitch, self.roll)


def site_anchors(estimator: EstimatorLike, frames: Iterable[Frame],
                 prior: MountPrior | None = MountPrior()
                 ) -> tuple[Mount | None, dict[str, NDArray[np.float32]]]:
    """
    Return how the camera is mounted and labels by the name of the frame.

    Labels are depth as the estimator sees it in whole pictures, averaged with that of the mirrored
    ones. Over a mount they are at the floor's scale; frames in which too little agrees on the
    floor have what the others have in common, their median. Without a mount they stay as they
    are: they keep the network to what it knew while it learns the place's look.

    :param estimator: gives the depth.
    :param frames: of the target; read once.
    :param prior: of the mount; None does not look for one.
    """
    floor_prior = CameraHeight((prior.height if prior else None) or 1.)
    estimates, floors = [], []
    shares: list[float] = []
    for frame in frames:
        estimate = estimator.estimate(frame.image, frame.intrinsics)
        depth = estimate.depth
        if frame.intrinsics.rectified:  # else the mirrored lens would be another one
            mirrored = np.ascontiguousarray(frame.image[:, ::-1])
            other = estimator.estimate(mirrored, frame.intrinsics).depth[:, ::-1]
            depth = np.sqrt(depth * other)
        floor = fit_floor(depth, estimate.intrinsics, floor_prior) if prior else None
        floors.append(floor)
        if floor is not None:
            shares.append(followed(
                estimator, estimate.image, estimate.intrinsics, floor, floor_prior))
        # Half precision: a long recording stays in memory.
        estimates.append((frame.name, depth.astype(np.float16), estimate.intrinsics))
    mount = find_mount(floors, prior.height, prior.down) if prior else None
    if prior and prior.down is None and not are_seen(shares):
        mount = None  # a direction that the network expects, whatever it is shown
    scales = {}
    if mount is not None:
        for name, small, intrinsics in estimates:
            scale, support = floor_log_scale(small.astype(np.float32), intrinsics, mount)
            if support >= LEAST_SUPPORT and abs(scale) <= LARGEST:
                scales[name] = scale
        mount = replace(mount, frames=len(scales)) if len(scales) >= FEWEST_FLOORS else None
    common = float(np.median(list(scales.values()))) if mount is not None else 0.
    return mount, {
        name: small[::LABEL_STEP, ::LABEL_STEP].astype(np.float32) * np.float32(math.exp(
            scales.get(name, common) if mount is not None else 0.))
        for name, small, _ in estimates}


def floor_scales(estimator: EstimatorLike, frames: Iterable[Frame], mount: Mount
                 ) -> NDArray[np.float64]:
    """Return the log scale of each frame in which enough agrees on the floor."""
    found = []
    for frame in frames:
        estimate = estimator.estimate(frame.image, frame.intrinsics)
        scale, support = floor_log_scale(estimate.depth, estimate.intrinsics, mount)
        if support >= LEAST_SUPPORT:
            found.append(scale)
    return np.array(found)
