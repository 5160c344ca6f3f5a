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

"""One scale for a place, from whatever anchor there is."""

from collections.abc import Iterable, Sequence, Sized
from itertools import islice

import numpy as np

from mde_ros.estimation.anchors.camera_height import CameraHeight, fit_floor
from mde_ros.estimation.anchors.fit import compose, fit_factor, fit_line
from mde_ros.estimation.anchors.inputs import AnchorError, EstimatorLike, FrameLike
from mde_ros.estimation.anchors.odometry import choose_pairs, Pose, visual_translation
from mde_ros.estimation.anchors.ranges import assign, predicted_distance, RangeReading
from mde_ros.estimation.profile_card import SiteScale

TAPE, RANGES, CAMERA_HEIGHT, ODOMETRY = 'tape', 'ranges', 'camera_height', 'odometry'
FEWEST_FLOORS, FEWEST_PAIRS = 3, 3
MOST_FRAMES = 40


def estimate_scale(estimator: EstimatorLike, frames: Iterable[FrameLike], *,
                   tape: float | RangeReading | None = None,
                   camera_height: float | CameraHeight | None = None,
                   ranges: Sequence[RangeReading] | None = None,
                   odometry: Sequence[Pose] | None = None,
                   exponent: bool = False, most_frames: int = MOST_FRAMES) -> SiteScale:
    """
    Return the scale of the place in which frames were taken, from one anchor.

    It is that of the network itself, for a profile: where the estimator has a scale already, the
    result replaces it.

    :param estimator: gives the depth that is compared.
    :param frames: read once, in order; a source whose bad frames are skipped will do.
    :param tape: metres from the camera to what is at the image centre of the first frame, or a
        reading that names frame and pixel.
    :param camera_height: metres above a floor that is seen in most frames.
    :param ranges: readings of other sensors, each of a frame.
    :param odometry: poses with the stamps of the frames' clock.
    :param exponent: with ranges, fit scale and shift in log depth where they are spread enough.
    :param most_frames: frames (camera height) or pairs (odometry) that are looked at, spread
        evenly where the number of frames is known.
    :raises AnchorError: when not exactly one anchor is given, or it does not give a scale.
    """
    given = {TAPE: tape, RANGES: ranges, CAMERA_HEIGHT: camera_height, ODOMETRY: odometry}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise AnchorError(f'scale anchors given: {", ".join(named) or "none"}: give exactly one '
                          f'of {", ".join(given)}')
    if tape is not None:
        reading = tape if isinstance(tape, RangeReading) else RangeReading(float(tape))
        found = _from_readings(estimator, frames, [reading], TAPE, False)
    elif ranges is not None:
        found = _from_readings(estimator, frames, ranges, RANGES, exponent)
    elif camera_height is not None:
        prior = (camera_height if isinstance(camera_height, CameraHeight)
                 else CameraHeight(float(camera_height)))
        found = _from_height(estimator, frames, prior, most_frames)
    else:
        assert odometry is not None
        found = _from_odometry(estimator, frames, odometry, most_frames)
    return compose(found, getattr(estimator, 'scale', SiteScale()))


def _from_readings(estimator: EstimatorLike, frames: Iterable[FrameLike],
                   readings: Sequence[RangeReading], source: str,
                   exponent: bool) -> SiteScale:
    measured: list[float] = []
    estimated: list[float] = []
    for frame, own in assign(readings, frames):
        estimate = estimator.estimate(frame.image, frame.intrinsics)
        for reading in own:
            measured.append(reading.metres)
            estimated.append(predicted_distance(estimate, frame.intrinsics, reading))
    if not measured:
        raise AnchorError(f'{source}: none of {len(readings)} readings belongs to a frame: check '
                          'frame names and stamps')
    # Half of several readings must agree; one alone has to be believed.
    fit, least = (fit_line, 8) if exponent else (fit_factor, (len(readings) + 1) // 2)
    return fit(measured, estimated, source, fewest=least)


def _from_height(estimator: EstimatorLike, frames: Iterable[FrameLike], prior: CameraHeight,
                 most: int) -> SiteScale:
    heights, looked = [], 0
    for frame in _spread(frames, most):
        looked += 1
        estimate = estimator.estimate(frame.image, frame.intrinsics)
        floor = fit_floor(estimate.depth, estimate.intrinsics, prior)
        if floor is not None:
            heights.append(floor.height)
    if len(heights) < FEWEST_FLOORS:
        raise AnchorError(f'{CAMERA_HEIGHT}: a floor was found in {len(heights)} of {looked} '
                          f'frames, at least {FEWEST_FLOORS} are needed: point the camera lower, '
                          'give its pitch, or use another anchor')
    return fit_factor(np.full(len(heights), prior.metres), heights, CAMERA_HEIGHT,
                      fewest=FEWEST_FLOORS)


def _from_odometry(estimator: EstimatorLike, frames: Iterable[FrameLike], poses: Sequence[Pose],
                   most: int) -> SiteScale:
    measured, estimated = [], []
    pairs = choose_pairs(frames, poses, most)
    for first, second, metres in pairs:
        estimate = estimator.estimate(first.image, first.intrinsics)
        # Only its rectified picture is needed, but the estimator has the maps.
        other = (second.image if second.intrinsics.rectified
                 else estimator.estimate(second.image, second.intrinsics).image)
        distance = visual_translation(estimate, other)
        if distance is not None:
            measured.append(metres)
            estimated.append(distance)
    if len(measured) < FEWEST_PAIRS:
        raise AnchorError(
            f'{ODOMETRY}: the motion could be seen in {len(measured)} of {len(pairs)} pairs of '
            f'frames, at least {FEWEST_PAIRS} are needed: drive straight on for a metre or more, '
            'past things with texture')
    return fit_factor(measured, estimated, ODOMETRY, fewest=FEWEST_PAIRS)


def _spread(frames: Iterable[FrameLike], most: int) -> Iterable[FrameLike]:
    """Return at most so many frames, evenly where their number is known."""
    total = len(frames) if isinstance(frames, Sized) else most
    step = max(1, -(-total // most))
    return islice(frames, 0, None, step) if total > most else islice(frames, most)
