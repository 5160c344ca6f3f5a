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

"""Range readings: files, frames, and the estimated distance where they were taken."""

import json
import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.anchors.ranges import (
    assign, predicted_distance, RangeReading, read_ranges)
from mde_ros.estimation.estimator import Estimate

CAMERA = Intrinsics(64, 48, 50., 50., 31.5, 23.5)
LENS = Intrinsics(64, 48, 30., 30., 31.5, 23.5, 'equidistant', (.1, 0., 0., 0.))
BLACK = np.zeros((48, 64, 3), np.uint8)


def picture(name: str, stamp_ns: int = 0) -> Frame:
    """Return a black frame."""
    return Frame(name, stamp_ns, BLACK, CAMERA)


def estimate(depth: NDArray[np.float32] | float, camera: Intrinsics = CAMERA) -> Estimate:
    """Return an estimate of this depth."""
    return Estimate(np.broadcast_to(np.float32(depth), (48, 64)).astype(np.float32), camera,
                    BLACK, {})


def columns() -> NDArray[np.float32]:
    """Return depth of 1 m in the first column and 0.1 m more in each."""
    return np.tile(1 + .1 * np.arange(64, dtype=np.float32), (48, 1))


def test_the_image_centre_and_a_pixel_by_hand() -> None:
    # Centre (31.5, 23.5) lies on the axis: columns 31 to 33 around round(31.5) = 32.
    assert predicted_distance(estimate(columns()), CAMERA, RangeReading(1.)) == pytest.approx(4.2)
    # Pixel (56.5, 23.5): 25 / 50 off the axis, depth 6.6, along the ray x sqrt(1.25).
    found = predicted_distance(estimate(columns()), CAMERA, RangeReading(1., u=56.5, v=23.5))
    assert found == pytest.approx(6.6 * math.sqrt(1.25))


def test_a_patch_stands_for_a_pixel() -> None:
    depth = np.full((48, 64), 2, np.float32)
    depth[24, 32] = 50
    assert predicted_distance(estimate(depth), CAMERA, RangeReading(1., u=32, v=24)
                              ) == pytest.approx(2., rel=1e-3)
    depth[23:26, 31:34] = np.nan
    assert math.isnan(predicted_distance(estimate(depth), CAMERA, RangeReading(1., u=32, v=24)))


@pytest.mark.parametrize(('u', 'v'), [(-1., 5.), (64., 5.), (5., -1.), (5., 48.)])
def test_pixels_outside_have_no_distance(u: float, v: float) -> None:
    assert math.isnan(predicted_distance(estimate(1.), CAMERA, RangeReading(1., u=u, v=v)))


def test_the_corner_is_inside() -> None:
    assert predicted_distance(estimate(2.), CAMERA, RangeReading(1., u=63, v=47)) == (
        pytest.approx(2 * math.sqrt(1 + .63 ** 2 + .47 ** 2)))


def test_a_beam_answers_with_the_nearest_surface() -> None:
    depth = np.full((48, 64), 4, np.float32)
    depth[20:28, 34:40] = 1.5  # 2.5 to 8.5 pixels off the axis: within atan(.17) = 9.6 degrees
    wide, narrow = RangeReading(1., cone=20.), RangeReading(1., cone=4.)
    assert predicted_distance(estimate(depth), CAMERA, wide) == pytest.approx(1.5, rel=.02)
    assert predicted_distance(estimate(depth), CAMERA, narrow) == pytest.approx(4., rel=.01)
    assert math.isnan(predicted_distance(estimate(np.nan), CAMERA, wide))


def test_pixels_are_those_of_the_lens() -> None:
    # Equidistant: the pixel at r = f (a + .1 a^3) sees the angle a; at a = 0.5, r = 15.375.
    rectifier = Rectifier(LENS)
    pinhole = rectifier.rectified
    made = Estimate(np.full((48, 64), 2, np.float32), pinhole, BLACK, {})
    reading = RangeReading(1., u=31.5 + 15.375, v=23.5)
    # The ray is that of the nearest pixel; half a pixel is 0.016 of the angle.
    found = predicted_distance(made, LENS, reading)
    assert found == pytest.approx(2 / math.cos(.5), rel=.02)


def test_readings_find_their_frames() -> None:
    frames = [picture('a', 1_000_000_000), picture('b', 2_000_000_000),
              picture('c', 2_030_000_000)]
    first, named = RangeReading(1.), RangeReading(2., 'b')
    near, late = RangeReading(3., stamp_ns=2_049_000_000), RangeReading(4., stamp_ns=1_060_000_000)
    found = [(frame.name, [r.metres for r in own])
             for frame, own in assign([late, near, named, first], frames)]
    # 49 ms after b is near enough, and b comes first; 60 ms after a is not.
    assert found == [('a', [1.]), ('b', [3., 2.])]
    assert [r.frame for _, own in assign([first], frames) for r in own] == ['a']


def test_frames_after_the_last_reading_are_not_read() -> None:
    def frames():  # type: ignore[no-untyped-def]
        yield picture('a')
        raise AssertionError
    assert len(list(assign([RangeReading(1.)], frames()))) == 1


def test_files(tmp_path: Path) -> None:
    wanted = [RangeReading(1.5, 'a', 3., 4.), RangeReading(2., cone=15., stamp_ns=7)]
    (tmp_path / 'r.csv').write_text('frame,u,v,metres,cone,stamp_ns\na,3,4,1.5,,\n,,,2,15,7\n')
    (tmp_path / 'r.json').write_text(json.dumps([
        {'metres': 1.5, 'frame': 'a', 'u': 3, 'v': 4},
        {'metres': 2, 'cone': 15, 'stamp_ns': 7, 'u': None}]))
    for name in ('r.csv', 'r.json'):
        assert read_ranges(tmp_path / name) == wanted
    (tmp_path / 'r.jsonl').write_text(
        '{"stamp": 9, "range": 1.25, "field_of_view": 0.2, "frame": "sonar"}\n')
    assert read_ranges(tmp_path / 'r.jsonl') == [
        RangeReading(1.25, cone=math.degrees(.2), stamp_ns=9)]


@pytest.mark.parametrize(('name', 'text', 'words'), [
    ('r.json', '{', 'not readable'), ('r.json', '{}', 'a list'), ('r.json', '[3]', 'reading 1'),
    ('r.json', '[{"metres": 1}, {"u": 1}]', "reading 2: 'metres'"),
    ('r.json', '[{"metres": -1}]', 'must be positive'),
    ('r.json', '[{"metres": 1, "u": 2}]', 'both u and v'),
    ('r.json', '[{"metres": 1, "cone": 91}]', 'cone = 91'),
    ('r.json', '[{"metres": 1, "u": 1e400, "v": 1}]', 'finite'),
    ('r.json', '[{"metres": 1, "depth": 2}]', 'unknown field depth'),
    ('r.csv', 'frame,metres\na,far\n', 'reading 1'), ('r.jsonl', '{"range": 1}\n', 'stamp')])
def test_a_wrong_file_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AnchorError, match=f'{tmp_path / name}.*{words}'):
        read_ranges(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match=r'no\.csv: not readable'):
        read_ranges(tmp_path / 'no.csv')


@given(st.integers(0, 63), st.integers(0, 47), st.floats(.2, 20))
def test_distance_is_linear_in_depth(u: int, v: int, depth: float) -> None:
    reading = RangeReading(1., u=u, v=v)
    assert predicted_distance(estimate(depth), CAMERA, reading) == pytest.approx(
        depth * predicted_distance(estimate(1.), CAMERA, reading), rel=1e-5)
