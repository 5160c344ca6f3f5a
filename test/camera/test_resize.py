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

"""Resizing: sizes, pixel centres as cv2.resize has them, and the way back."""

import math

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import halved, network_size, ResizePlan, whole_reduction

AREA = 320 * 240


def camera(width: int, height: int) -> Intrinsics:
    return Intrinsics(width, height, .8 * width, .8 * width, width / 2, height / 2 - 3)


@pytest.mark.parametrize(('size', 'expected'), [
    ((640, 480), (320, 240)), ((1280, 960), (320, 240)), ((1280, 720), (368, 208)),
    ((640, 193), (512, 160)), ((480, 640), (240, 320)), ((160, 120), (320, 240)),
    ((100, 75), (320, 240)), ((5, 3), (352, 208)),
    ((4000, 1), (4800, 16)), ((1, 4000), (16, 4800)),
])
def test_network_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    # As 1280x720: scale sqrt(76800 / 921600) = 0.2887; 369.5 and 207.8 to multiples of 16.
    # 5x3: sqrt(76800 / 15) = 71.6; 357.8 and 214.7. 4000x1 counts as 4000x13.3: 300 to 1.
    assert network_size(*size, AREA) == expected


@given(width=st.integers(1, 4000), height=st.integers(1, 4000),
       multiple=st.sampled_from([1, 16, 32]))
def test_network_size_is_a_multiple(width: int, height: int, multiple: int) -> None:
    found = network_size(width, height, AREA, multiple)
    assert all(side % multiple == 0 and side >= multiple for side in found)
    # Each side is rounded by at most half a multiple, and is at least one.
    assert (found[0] - multiple / 2) * (found[1] - multiple / 2) <= AREA
    assert (found[0] + multiple / 2) * (found[1] + multiple / 2) >= AREA


@pytest.mark.parametrize(('size', 'by'), [
    # To 368x208: a quarter of 1920x1080 is 480x270, half of 1280x720 640x360 (a quarter 320x180).
    ((1920, 1080), 4), ((1280, 720), 2), ((3840, 2160), 8), ((7680, 4320), 8),
    ((640, 480), 2), ((632, 480), 1),  # half of 632 is less than the 320 of its input
    ((320, 240), 1), ((100, 75), 1),
    ((1284, 968), 4), ((1282, 962), 2), ((1281, 962), 1)])  # what does not divide both sides
def test_whole_reduction(size: tuple[int, int], by: int) -> None:
    view = camera(*size)
    seen = ResizePlan.fit(view, *network_size(*size, AREA)).network
    assert whole_reduction(view, seen) == by


@given(width=st.integers(1, 500), height=st.integers(1, 500), by=st.sampled_from([2, 4, 8]))
def test_the_network_sees_the_same_of_a_reduced_picture(width: int, height: int, by: int) -> None:
    full = camera(by * width, by * height)
    size = network_size(full.width, full.height, AREA // 4)
    seen = ResizePlan.fit(full, *size)
    by = whole_reduction(full, seen.network)
    small = full.resized(full.width // by, full.height // by)
    assert network_size(small.width, small.height, AREA // 4) == size
    plan = ResizePlan.fit(small, *size)
    assert (plan.scaled, plan.offset) == (seen.scaled, seen.offset)
    for name in ('fx', 'fy', 'cx', 'cy'):
        assert getattr(plan.network, name) == pytest.approx(getattr(seen.network, name), rel=1e-12)


def test_plan_centres_the_image() -> None:
    plan = ResizePlan.fit(camera(640, 193), 512, 160)
    # 193 * 0.8 = 154.4: 154 rows, 3 above and 3 below.
    assert (plan.scaled, plan.offset) == ((512, 154), (0, 3))
    assert plan.network.fx == pytest.approx(.8 * 640 * .8)
    assert plan.network.cy == pytest.approx((193 / 2 - 3 + .5) * 154 / 193 - .5 + 3)
    assert (plan.network.width, plan.network.height) == (512, 160)


def test_apply_pads_with_the_edge() -> None:
    image = np.zeros((4, 8, 3), np.uint8)
    image[0], image[-1] = 10, 20
    shown = ResizePlan.fit(camera(8, 4), 8, 8).apply(image)
    assert shown.shape == (8, 8, 3)
    assert (shown[:3] == 10).all()
    assert (shown[5:] == 20).all()
    np.testing.assert_array_equal(shown[2:6], image)


def test_apply_averages_when_it_shrinks() -> None:
    image = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    shown = ResizePlan.fit(camera(4, 2), 2, 1).apply(image)
    # Channel 0 of the left 2 x 2 block: 0, 3, 12, 15.
    assert shown[0, 0, 0] == round((0 + 3 + 12 + 15) / 4)


def test_apply_that_changes_nothing() -> None:
    image = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    np.testing.assert_array_equal(ResizePlan.fit(camera(16, 16), 16, 16).apply(image), image)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(16, 160), height=st.integers(16, 160), area=st.integers(400, 40000))
def test_pixel_centres_are_those_of_cv2(width: int, height: int, area: int) -> None:
    """A ramp of the ray x/z through cv2.resize equals the ramp of the network's intrinsics."""
    view = camera(width, height)
    plan = ResizePlan.fit(view, *network_size(width, height, area))
    x = (np.arange(width) - view.cx) / view.fx
    seen = plan.apply(np.tile(x.astype(np.float32)[None, :, None], (height, 1, 3)))
    left = plan.offset[0]
    # Edge pixels are repeated, not extended: half of one of the camera's at either end.
    edge = max(1, math.ceil(plan.scaled[0] / width / 2))
    inside = slice(left + edge, left + plan.scaled[0] - edge)
    expected = (np.arange(plan.network.width) - plan.network.cx) / plan.network.fx
    # Averages over 2.5 pixels take half of the third at its middle: an eighth of a pixel off
    # at most, where a wrong convention is off by half of what the scale differs from 1.
    last, rows = width, height  # what INTER_AREA gets: see halved()
    while last > 3 * plan.scaled[0] and last % 2 == rows % 2 == 0:
        last, rows = last // 2, rows // 2
    whole = last % plan.scaled[0] == 0 or width < plan.scaled[0]
    # Of pixels halved first it is an eighth of a pixel twice as wide.
    eighth = .126 if width <= 3 * plan.scaled[0] else .252
    np.testing.assert_allclose(seen[plan.offset[1], inside, 0], expected[inside],
                               atol=2e-6 if whole else eighth / view.fx)


@settings(max_examples=40, deadline=None)
@given(width=st.integers(16, 160), height=st.integers(16, 160), area=st.integers(400, 20000),
       fraction=st.sampled_from([1, 2, 4]))
def test_restore_undoes_the_plan(width: int, height: int, area: int, fraction: int) -> None:
    """A plane seen in the network's camera, at any output stride, is the plane in the image."""
    view = camera(width, height)
    plan = ResizePlan.fit(view, *network_size(width, height, area))
    rows, columns = plan.network.height // fraction, plan.network.width // fraction
    output = plan.network.resized(columns, rows)

    def plane(of: Intrinsics) -> np.ndarray:
        x = (np.arange(of.width) - of.cx) / of.fx
        y = (np.arange(of.height) - of.cy) / of.fy
        return (3 + x[None] + 2 * y[:, None]).astype(np.float32)

    found, expected = plan.restore(plane(output)), plane(view)
    assert found.shape == (height, width)
    assert found.dtype == np.float32
    # Interpolation does not reach beyond the outer pixel centres: half an output pixel.
    margin_x, margin_y = .5 / output.fx, 1 / output.fy
    assert np.abs(found - expected).max() <= margin_x + margin_y + 1e-4
    inner_x = int(np.ceil(width / plan.scaled[0] * fraction)) + 1
    inner_y = int(np.ceil(height / plan.scaled[1] * fraction)) + 1
    inner = slice(inner_y, height - inner_y), slice(inner_x, width - inner_x)
    # Where the border is no whole number of output pixels OpenCV 4 rounds to 1/32 of one.
    whole = all(edge % fraction == 0 for edge in (*plan.offset, *plan.scaled))
    np.testing.assert_allclose(found[inner], expected[inner],
                               atol=2e-4 if whole else (margin_x + margin_y) / 16 + 2e-4)


def test_restore_to_another_size_of_the_same_view() -> None:
    plan = ResizePlan.fit(camera(64, 48), 32, 32)  # 24 rows, 4 above, 4 below
    ramp = np.tile(np.arange(32, dtype=np.float32)[:, None], (1, 32))
    found = plan.restore(ramp, 32, 24)
    np.testing.assert_allclose(found[:, 5], np.arange(4, 28))


def test_apply_then_restore_of_a_depth_ramp() -> None:
    view = camera(120, 90)
    plan = ResizePlan.fit(view, 40, 40)
    ramp = np.tile(np.linspace(1, 3, 120, dtype=np.float32), (90, 1))
    back = plan.restore(plan.apply(ramp[..., None]).reshape(40, 40))
    # Three image pixels in one: its centre is the middle one's, so one pixel at either end is
    # beyond the outer centre and repeats it; all else is exact.
    np.testing.assert_allclose(back[:, 1:-1], ramp[:, 1:-1], atol=1e-6)
    np.testing.assert_allclose(back[:, 0], ramp[:, 1], atol=1e-6)
    np.testing.assert_allclose(back[:, -1], ramp[:, -2], atol=1e-6)


@pytest.mark.parametrize(('size', 'width', 'expected'), [
    ((640, 480), 320, (640, 480)), ((1280, 720), 368, (640, 360)), ((1280, 960), 100, (160, 120)),
    ((1242, 375), 200, (1242, 375))])
def test_large_images_are_halved_first(size: tuple[int, int], width: int,
                                       expected: tuple[int, int]) -> None:
    # As 1280 at 368: 3.48 times as wide, halved once to 1.74; 375 rows cannot be halved.
    image = np.zeros((size[1], size[0], 3), np.uint8)
    assert halved(image, width).shape == (expected[1], expected[0], 3)


def test_halving_is_the_mean_of_four_pixels() -> None:
    image = np.arange(16 * 8, dtype=np.uint8).reshape(8, 16, 1)
    # Pixels 0, 1, 16 and 17 have the mean 8.5, which OpenCV rounds to an even 8 or up to 9.
    assert halved(image, 5).shape[:2] == (4, 8)
    assert halved(image, 5)[0, 0] in (8, 9)


def test_the_input_is_written_where_it_is_wanted() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (193, 640, 3), np.uint8)
    for size in ((512, 160), (160, 512), (640, 193), (700, 193)):
        plan = ResizePlan.fit(camera(640, 193), *size)
        target = np.full((2, size[1], size[0], 3), 7, np.uint8)
        assert np.may_share_memory(plan.apply(image, out=target[1]), target)
        assert np.array_equal(target[1], plan.apply(image))
        assert (target[0] == 7).all()
