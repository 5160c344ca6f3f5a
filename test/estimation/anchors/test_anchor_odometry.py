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

"""Motion by odometry and by estimated depth, on a textured plane seen from two places."""

import json
import math
from pathlib import Path

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.anchors.odometry import (
    choose_pairs, moved, Pose, pose_at, read_odometry, visual_translation)
from mde_ros.estimation.estimator import Estimate

CAMERA = Intrinsics(320, 240, 260., 260., 159.5, 119.5)
# A wall 2 m ahead that leans: its points have n . p = 1.8.
NORMAL, OFFSET = np.array([.3, -.2, math.sqrt(1 - .13)]), 1.8
SECOND = 1_000_000_000


def texture(seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture that is full of features."""
    rng = np.random.default_rng(seed)
    noise = np.zeros((240, 320, 3))
    for size in (8, 16, 40):
        coarse = rng.uniform(0, 255, (240 // size + 1, 320 // size + 1, 3))
        noise += cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC) / 3
    return np.clip(noise, 0, 255).astype(np.uint8)


def wall_depth() -> NDArray[np.float32]:
    """Return the depth of the wall."""
    u, v = np.meshgrid(np.arange(320), np.arange(240))
    x, y = (u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy
    return (OFFSET / (NORMAL[0] * x + NORMAL[1] * y + NORMAL[2])).astype(np.float32)


def seen_from(image: NDArray[np.uint8], place: tuple[float, float, float],
              turn: float = 0.) -> NDArray[np.uint8]:
    """Return the wall as a camera at ``place`` sees it, turned right by ``turn`` degrees."""
    angle = math.radians(turn)
    rotation = np.array([[math.cos(angle), 0, -math.sin(angle)], [0, 1, 0],
                         [math.sin(angle), 0, math.cos(angle)]])
    # p' = R (p - place) and n . p = offset on the plane.
    plane = rotation @ (np.eye(3) - np.outer(place, NORMAL) / OFFSET)
    homography = CAMERA.matrix @ plane @ np.linalg.inv(CAMERA.matrix)
    return cv2.warpPerspective(image, homography, (320, 240), borderMode=cv2.BORDER_REFLECT)


def estimate(factor: float = 1.) -> Estimate:
    """Return the wall's depth, too large by a factor."""
    return Estimate(wall_depth() * np.float32(factor), CAMERA, texture(), {})


def test_motion_by_hand() -> None:
    # 3-4-12: 0.13 m.
    found = visual_translation(estimate(), seen_from(texture(), (.03, .04, .12)))
    assert found == pytest.approx(.13, rel=.03)
    turned = visual_translation(estimate(), seen_from(texture(), (.03, .04, .12), 5.))
    assert turned == pytest.approx(.13, rel=.05)


@settings(max_examples=8, deadline=None)
@given(st.floats(.3, 3.), st.floats(-.1, .1), st.floats(.1, .25))
def test_motion_scales_with_depth(factor: float, aside: float, ahead: float) -> None:
    found = visual_translation(estimate(factor), seen_from(texture(), (aside, 0., ahead)))
    assert found == pytest.approx(factor * math.hypot(aside, ahead), rel=.06)


def test_other_and_empty_pictures_give_none() -> None:
    assert visual_translation(estimate(), texture(1)) is None
    assert visual_translation(estimate(), np.zeros((240, 320, 3), np.uint8)) is None
    blind = Estimate(np.full((240, 320), np.nan, np.float32), CAMERA, texture(), {})
    assert visual_translation(blind, texture()) is None


def frame(name: str, stamp: float) -> Frame:
    """Return a frame at a time in seconds."""
    return Frame(name, round(stamp * SECOND), np.zeros((2, 2, 3), np.uint8), CAMERA)


def pose(stamp: float, x: float, turn: float = 0.) -> Pose:
    """Return a pose at x, turned about z by degrees."""
    half = math.radians(turn) / 2
    return Pose(round(stamp * SECOND), (x, 0., 0.), (0., 0., math.sin(half), math.cos(half)))


def test_poses_are_interpolated_where_they_are_near() -> None:
    poses = [pose(1, 0.), pose(1.1, 1.), pose(3, 2.)]
    at = pose_at(poses, round(1.025 * SECOND))
    assert at is not None and at.position == pytest.approx((.25, 0, 0))
    assert pose_at(poses, SECOND) == poses[0]
    assert pose_at(poses, 3 * SECOND) == poses[2]
    for stamp in (.9, 1.15, 2.95, 3.1):
        assert pose_at(poses, round(stamp * SECOND)) is None
    assert pose_at([], SECOND) is None


def test_metres_and_degrees_between_poses() -> None:
    metres, turn = moved(pose(1, 0.), pose(2, 3., 40.))
    assert metres == 3. and turn == pytest.approx(40.)
    # q and -q are the same turn.
    flipped = Pose(0, (0, 0, 0), (0., 0., 0., -1.))
    assert moved(pose(1, 0.), flipped)[1] == pytest.approx(0., abs=1e-6)


def test_pairs_move_enough_and_turn_little() -> None:
    places = [(1, 0., 0.), (2, .05, 0.), (3, .2, 0.), (4, .4, 0.), (5, .5, 60.), (6, .7, 60.),
              (7, 9., 60.), (8, 9.3, 60.)]
    poses = [pose(*place) for place in places]
    frames = [frame(str(stamp), stamp) for stamp, _, _ in places]
    frames.insert(3, frame('without pose', 3.5))
    found = [(a.name, b.name, metres) for a, b, metres in choose_pairs(frames, poses, 99)]
    assert [(a, b) for a, b, _ in found] == [('1', '3'), ('3', '4'), ('5', '6'), ('7', '8')]
    assert [metres for _, _, metres in found] == pytest.approx([.2, .2, .2, .3])
    assert len(choose_pairs(frames, poses, 2)) == 2


def test_the_file_of_a_recording(tmp_path: Path) -> None:
    file = tmp_path / 'odometry.jsonl'
    lines = [{'stamp': 2, 'position': [1, 2, 3], 'orientation': [0, 0, 1, 0], 'frame': 'odom'},
             {'stamp': 1, 'position': [0, 0, 0]}]
    file.write_text('\n'.join(map(json.dumps, lines)) + '\n{"stamp": 3, "posi')
    assert read_odometry(file) == [
        Pose(1, (0., 0., 0.)), Pose(2, (1., 2., 3.), (0., 0., 1., 0.))]
    file.write_text('{"stamp": 3}\n' + json.dumps(lines[0]))
    with pytest.raises(AnchorError, match=f'{file}: line 1 is no pose'):
        read_odometry(file)
    with pytest.raises(AnchorError, match='none: not readable'):
        read_odometry(tmp_path / 'none')
