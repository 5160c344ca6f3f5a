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

"""Reference depth under the prediction."""

from dataclasses import replace

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.evaluation.reference import reference_depth

LENS = Intrinsics(64, 48, 40., 40., 31.5, 23.5, 'plumb_bob', (-.3, .1, 0., 0.))


def frame_of(intrinsics: Intrinsics) -> Frame:
    """Return a frame whose depth says where its pixel was."""
    rows, columns = np.indices((48, 64))
    depth = (1 + rows / 100 + columns / 10).astype(np.float32)
    return Frame('f', 0, np.zeros((48, 64, 3), np.uint8), intrinsics, depth)


def test_nothing_to_do_costs_nothing() -> None:
    """A perfect lens, or an estimator that does not rectify: the depth itself."""
    frame = frame_of(LENS.without_distortion())
    assert reference_depth(frame, frame.intrinsics) is frame.depth
    raw = frame_of(LENS)
    assert reference_depth(raw, raw.intrinsics) is raw.depth


def test_border_is_cut_in_a_copy() -> None:
    """The frame itself keeps its readings."""
    frame = frame_of(LENS.without_distortion())
    cut = reference_depth(frame, frame.intrinsics, 3)
    assert np.isnan(cut).sum() == 48 * 64 - 42 * 58
    assert np.isnan(cut[2]).all()
    assert np.isfinite(cut[3:-3, 3:-3]).all()
    assert frame.depth is not None
    assert np.isfinite(frame.depth).all()


def test_border_is_that_of_the_camera_not_of_the_rectified_image() -> None:
    """Cut before rectifying, so that its edge is bent as the image is."""
    frame = frame_of(LENS)
    pinhole = LENS.without_distortion()
    cut, whole = reference_depth(frame, pinhole, 6), reference_depth(frame, pinhole)
    kept = np.isfinite(cut)
    # Barrel distortion: rectified corners lie beyond the image, the middle of a side inside.
    assert not kept[0, 0]
    assert 0 < kept.sum() < np.isfinite(whole).sum()
    assert np.array_equal(cut[kept], whole[kept])


def test_readings_are_moved_never_mixed() -> None:
    """Every rectified depth is one that was read, from about where the lens had put it."""
    frame = frame_of(LENS)
    assert frame.depth is not None
    moved = reference_depth(frame, replace(LENS.without_distortion()))
    known = moved[np.isfinite(moved)]
    assert np.isin(known, frame.depth).all()
    # Right of the centre a barrel lens shows things nearer to it.
    assert moved[23, 50] < frame.depth[23, 50]
    assert abs(moved[23, 31] - frame.depth[23, 31]) < .11
