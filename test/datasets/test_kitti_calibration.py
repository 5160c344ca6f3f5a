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

"""The laser's points fall where a calculation by hand puts them."""

from pathlib import Path

from hypothesis import given, settings, strategies as st
from kitti_fixture import laser_points, P_RECT, R_RECT, VELO_R, VELO_T, write_calibration
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, FrameError
from mde_ros.datasets.roads.kitti_calibration import (
    KittiCalibration, project_points, read_calibration, read_points, read_table)

# Axes only turned (x = -left, y = -up, z = forward), the camera .25 m ahead of the laser, and
# P_rect = [[100, 0, 50, 10], [0, 100, 20, 0], [0, 0, 1, .5]].
PLAIN = KittiCalibration(
    Intrinsics(100, 40, 100., 100., 50., 20.),
    np.array([[100., 0, 50, 10], [0, 100, 20, 0], [0, 0, 1, .5]])
    @ np.array([[0., -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, -.25], [0, 0, 0, 1]]))


def points(*rows: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.array([(*row, .5) for row in rows], np.float32)


def readings(image: NDArray[np.float32]) -> dict[tuple[int, int], float]:
    """Return the depth by (row, column)."""
    places = zip(*np.nonzero(np.isfinite(image)), strict=True)
    return {(int(r), int(c)): float(image[r, c]) for r, c in places}


def test_a_point_by_hand() -> None:
    # forward 10.25, left -1, up .5: camera (1, -.5, 10), w = 10.5,
    # u = (100 + 500 + 10) / 10.5 = 58.095, v = (-50 + 200) / 10.5 = 14.286.
    point = points((10.25, -1, .5))
    assert readings(project_points(point, PLAIN)) == {(13, 57): 10.5}
    assert readings(project_points(point, PLAIN, pixel='nearest')) == {(14, 58): 10.5}
    assert readings(project_points(point, PLAIN, 'velo_x')) == {(13, 57): 10.25}


def test_the_nearest_of_a_pixel_wins_in_any_order() -> None:
    near = (10.25, -1, .5)
    # camera (1.79, -1.07, 20), w 20.5: u = (179 + 1010) / 20.5 = 58.0, v = 293 / 20.5 = 14.29
    far = (20.25, -1.79, 1.07)
    for order in ((near, far), (far, near)):
        assert readings(project_points(points(*order), PLAIN)) == {(13, 57): 10.5}


def test_points_behind_are_removed() -> None:
    # Behind the laser; between laser and camera (w = .1 + .25 is still ahead, -.3 + .25 is not).
    assert readings(project_points(points((-5, 0, 0)), PLAIN)) == {}
    behind = KittiCalibration(PLAIN.intrinsics, np.array(
        [[100., 0, 50, 0], [0, 100, 20, 0], [0, 0, 1, 0]])
        @ np.array([[0., -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, -.25], [0, 0, 0, 1]]))
    # forward .2 lies behind this camera, at z = -.05, where it would mirror into the image.
    assert readings(project_points(points((.2, 0, 0)), behind)) == {}
    assert readings(project_points(points((.2, 0, 0)), behind, 'velo_x')) == {}


@pytest.mark.parametrize(('column', 'row', 'inside'), [
    (1, 1, True), (100, 40, True), (0, 1, False), (1, 0, False), (101, 40, False),
    (100, 41, False)])
def test_the_edges_of_the_image(column: int, row: int, inside: bool) -> None:
    """Published pixels count from 1: 1..width and 1..height are in the image."""
    # w = 10.5 again: u w = 100 x + 510 (z = 10), v w = 100 y + 200.
    x, y = (column * 10.5 - 510) / 100, (row * 10.5 - 200) / 100
    found = readings(project_points(points((10.25, -x, -y)), PLAIN))
    assert found == ({(row - 1, column - 1): 10.5} if inside else {})


def test_halves_round_to_even_as_published() -> None:
    # u w = 100 x + 510 = 10.5 * 12.5 -> x = -3.7875; round(12.5) = 12 -> column 11.
    found = readings(project_points(points((10.25, 3.7875, 1.)), PLAIN, pixel='nearest'))
    # float32 keeps 3.7875 to 1e-7, so that the half is met to that: compute as the code must.
    u = (100 * -np.float64(np.float32(3.7875)) + 510) / 10.5
    assert {column for _, column in found} == {round(u)}
    assert round(12.5) == np.rint(12.5) == 12


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2 ** 32 - 1), st.sampled_from(['z', 'velo_x']),
       st.sampled_from(['devkit', 'nearest']))
def test_a_loop_over_the_points_agrees(seed: int, depth: str, pixel: str) -> None:
    rng = np.random.default_rng(seed)
    cloud = rng.normal((4, 0, 0), (6, 3, 1), (300, 3))
    cloud = np.column_stack([cloud, np.ones(300)]).astype(np.float32)
    best: dict[tuple[int, int], float] = {}
    for forward, left, up, _ in cloud.astype(np.float64):
        x, y, w = -left, -up, forward - .25 + .5
        if forward < 0 or w <= 0:
            continue
        column = round((100 * x + 50 * (forward - .25) + 10) / w) - (pixel == 'devkit')
        row = round((100 * y + 20 * (forward - .25)) / w) - (pixel == 'devkit')
        if 0 <= column < 100 and 0 <= row < 40:
            value = w if depth == 'z' else forward
            best[row, column] = min(value, best.get((row, column), np.inf))
    found = readings(project_points(cloud, PLAIN, depth, pixel))
    assert found.keys() == best.keys()
    for spot, value in best.items():
        assert found[spot] == pytest.approx(value, rel=1e-6)


def test_the_calibration_is_the_product_of_its_files(tmp_path: Path) -> None:
    write_calibration(tmp_path)
    calibration = read_calibration(tmp_path / '2011_09_26')
    assert calibration.intrinsics == Intrinsics(60, 24, 40., 42., 29.6, 11.3)
    laser = np.array([12.3, -2.1, .4])
    by_hand = P_RECT @ np.append(R_RECT @ (VELO_R @ laser + VELO_T), 1)
    np.testing.assert_allclose(calibration.velo_to_image @ np.append(laser, 1), by_hand,
                               rtol=1e-12)


def test_every_pixel_comes_back(tmp_path: Path) -> None:
    """Points made for pixels fall into them, with their depth to float32 of the coordinates."""
    write_calibration(tmp_path)
    calibration = read_calibration(tmp_path / '2011_09_26')
    depth = np.linspace(3, 70, 24 * 60).reshape(24, 60)
    depth[5:8, 10:20] = np.nan
    np.testing.assert_allclose(project_points(laser_points(depth), calibration), depth,
                               rtol=2e-6)
    np.testing.assert_allclose(
        project_points(laser_points(depth, offset=0), calibration, pixel='nearest'), depth,
        rtol=2e-6)


def test_points_file(tmp_path: Path) -> None:
    path = tmp_path / '0000000001.bin'
    path.write_bytes(np.arange(8, dtype='<f4').tobytes())
    np.testing.assert_array_equal(read_points(path), [[0, 1, 2, 3], [4, 5, 6, 7]])
    path.write_bytes(b'\0' * 17)
    with pytest.raises(FrameError, match=r'0000000001.bin \(17 bytes, expected 16 a point\)'):
        read_points(path)
    with pytest.raises(FrameError, match=r'no velodyne file'):
        read_points(tmp_path / 'gone.bin')


def test_wrong_calibration_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'calib_cam_to_cam.txt is missing'):
        read_calibration(tmp_path)
    write_calibration(tmp_path)
    path = tmp_path / '2011_09_26' / 'calib_cam_to_cam.txt'
    assert 'calib_time' not in read_table(path)  # a date is no number
    path.write_text(path.read_text().replace('P_rect_02: ', 'P_rect_02: 1 '))
    with pytest.raises(DatasetError, match=r'P_rect_02: expected 12 numbers, there are 13'):
        read_calibration(tmp_path / '2011_09_26')
    path.write_text('R_rect_00: 1 0 0 0 1 0 0 0 1\n')
    with pytest.raises(DatasetError, match=r'P_rect_02: expected 12 numbers, there are none'):
        read_calibration(tmp_path / '2011_09_26')
