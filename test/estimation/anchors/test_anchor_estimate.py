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

"""One scale from each anchor, with an estimator that is wrong by a known factor."""

from collections.abc import Iterator
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest
from test_anchor_camera_height import CAMERA, room
from test_anchor_odometry import CAMERA as WALL_CAMERA
from test_anchor_odometry import seen_from, texture, wall_depth

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.estimation.anchors.camera_height import CameraHeight
from mde_ros.estimation.anchors.estimate import estimate_scale
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.anchors.odometry import Pose
from mde_ros.estimation.anchors.ranges import RangeReading
from mde_ros.estimation.estimator import Estimate
from mde_ros.estimation.profile_card import SiteScale


class Stub:
    """Gives depth in order of the calls, or one depth again and again, times ``scale``."""

    def __init__(self, *depths: NDArray[np.float32], scale: SiteScale | None = None) -> None:
        self.depths, self.calls = depths, 0
        if scale is not None:
            self.scale = scale

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        depth = self.depths[self.calls % len(self.depths)]
        self.calls += 1
        return Estimate(getattr(self, 'scale', SiteScale()).apply(depth), intrinsics, image, {})


def frames(count: int, camera: Intrinsics = CAMERA) -> list[Frame]:
    """Return frames that are named by their index and one second apart."""
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    return [Frame(str(i), (i + 1) * 1_000_000_000, image, camera) for i in range(count)]


def flat(metres: float) -> NDArray[np.float32]:
    """Return the same depth everywhere."""
    return np.full((60, 80), metres, np.float32)


def test_tape_is_to_the_centre_of_the_first_frame() -> None:
    stub = Stub(flat(2.), flat(9.))
    assert estimate_scale(stub, frames(5), tape=3.) == SiteScale(1.5, None, 'tape', 1)
    assert stub.calls == 1
    # Or to a pixel of a named frame: (74.5, 29.5) is 35 / 70 off the axis.
    found = estimate_scale(Stub(flat(2.)), frames(5), tape=RangeReading(3., '3', 74.5, 29.5))
    assert found.factor == pytest.approx(1.5 / math.sqrt(1.25))


def test_ranges_of_several_frames() -> None:
    stub = Stub(flat(1.), flat(2.), flat(4.))
    readings = [RangeReading(1.4, '0'), RangeReading(3., '1'), RangeReading(6.4, '2'),
                RangeReading(3., stamp_ns=2_010_000_000)]
    found = estimate_scale(stub, frames(9), ranges=readings)
    assert (found.factor, found.count, found.source) == (pytest.approx(1.5), 4, 'ranges')
    # Deviations |ln(1.4 / 1.5)|, 0, 0, ln(1.6 / 1.5): their median is half the third.
    assert found.log_std == pytest.approx(1.4826 * math.log(1.6 / 1.5) / 2 / 2)
    assert stub.calls == 3


def test_scale_and_exponent_only_when_asked_for() -> None:
    depths = [.5, 1., 1.5, 2., 3., 4., 6., 8.]
    readings = [RangeReading(2 * d ** .9, str(i)) for i, d in enumerate(depths)]
    stub = Stub(*map(flat, depths))
    plain = estimate_scale(stub, frames(8), ranges=readings)
    assert plain.exponent == 1.
    both = estimate_scale(stub, frames(8), ranges=readings, exponent=True)
    assert (both.factor, both.exponent) == (pytest.approx(2.), pytest.approx(.9))


def test_camera_height_over_frames_that_show_a_floor() -> None:
    stub = Stub(*[room(.8, 20., noise=.02, seed=i) for i in range(4)], flat(2.))
    found = estimate_scale(stub, frames(10), camera_height=.6)
    assert found.factor == pytest.approx(.75, rel=.02)
    assert (found.count, found.source) == (8, 'camera_height')
    assert found.log_std is not None and found.log_std < .01
    known = estimate_scale(stub, frames(10), camera_height=CameraHeight(.6, 20.))
    assert known.factor == pytest.approx(found.factor, rel=.01)
    with pytest.raises(AnchorError, match='a floor was found in 0 of 10 frames, at least 3'):
        estimate_scale(stub, frames(10), camera_height=CameraHeight(.6, -40.))


def test_most_frames_are_spread_over_all() -> None:
    seen: list[str] = []

    class Source:
        def __len__(self) -> int:
            return 10

        def __iter__(self) -> Iterator[Frame]:
            for frame in frames(10):
                seen.append(frame.name)
                yield frame
    stub = Stub(room(1., 20.))
    assert estimate_scale(stub, Source(), camera_height=1., most_frames=4).count == 4
    assert stub.calls == 4 and seen[-1] == '9'
    assert estimate_scale(stub, iter(frames(10)), camera_height=1., most_frames=4).count == 4


def test_odometry_over_pairs() -> None:
    picture, step = texture(), .12
    moving = [Frame(str(i), (i + 1) * 50_000_000, seen_from(picture, (0., 0., i % 2 * step)),
                    WALL_CAMERA) for i in range(5)]
    poses = [Pose((i + 1) * 50_000_000, (i * .18, 0., 0.)) for i in range(5)]
    # From the farther place, the wall is nearer by the step.
    stub = Stub(wall_depth(), seen_depth(step))
    found = estimate_scale(stub, moving, odometry=poses)
    assert found.factor == pytest.approx(.18 / step, rel=.05)
    assert (found.count, found.source) == (4, 'odometry')
    assert estimate_scale(stub, moving, odometry=poses, most_frames=3).count == 3
    with pytest.raises(AnchorError, match='in 1 of 1 pairs of frames, at least 3 are needed'):
        estimate_scale(Stub(wall_depth()), moving[:2], odometry=poses)


def seen_depth(step: float) -> NDArray[np.float32]:
    """Return the wall's depth after a step ahead: its offset shrinks by n_z times the step."""
    return (wall_depth() * np.float32(1 - math.sqrt(1 - .13) * step / 1.8)).astype(np.float32)


def test_a_scale_in_use_is_replaced() -> None:
    stub = Stub(flat(2.), scale=SiteScale(3., None, 'tape', 1))  # depth 6
    assert estimate_scale(stub, frames(1), tape=3.).factor == pytest.approx(1.5)


def test_exactly_one_anchor() -> None:
    for anchors, words in (({}, 'given: none'), ({'tape': 1., 'camera_height': 1.},
                                                 'given: tape, camera_height: give exactly')):
        with pytest.raises(AnchorError, match=words):
            estimate_scale(Stub(flat(1.)), frames(1), **anchors)  # type: ignore[arg-type]


def test_readings_of_no_frame_and_of_no_agreement() -> None:
    with pytest.raises(AnchorError, match='none of 1 readings belongs to a frame'):
        estimate_scale(Stub(flat(1.)), frames(2), ranges=[RangeReading(1., 'x')])
    with pytest.raises(AnchorError, match='ranges: none of 0 readings'):
        estimate_scale(Stub(flat(1.)), frames(2), ranges=[])
    with pytest.raises(AnchorError, match='tape: 0 of 0 measurements agree'):
        estimate_scale(Stub(flat(np.nan)), frames(2), tape=1.)
    half_lost = [RangeReading(1., '0'), RangeReading(1., '0', 1., 1.), RangeReading(1., '1')]
    half = flat(1.)
    half[:30] = np.nan
    half[25:35] = np.nan
    with pytest.raises(AnchorError, match='ranges: 1 of 1 measurements agree, at least 2'):
        estimate_scale(Stub(half, flat(1.)), frames(2), ranges=half_lost)


@given(st.floats(.05, 20.), st.floats(.1, 20.))
def test_any_wrong_scale_is_found_by_tape(factor: float, metres: float) -> None:
    found = estimate_scale(Stub(flat(metres / factor)), frames(1), tape=metres)
    assert found.factor == pytest.approx(factor, rel=1e-5)
