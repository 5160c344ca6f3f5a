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

"""Camera poses of robots and of people holding a camera, and which views are worth keeping."""

from collections.abc import Iterator
import math

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.pose import Pose

# kind: share of the views
SHARES = {'close': .31, 'room': .25, 'robot': .23, 'floor': .14, 'high': .07}


def draw_camera(rng: np.random.Generator, width: int, height: int,
                focal: float | None = None) -> Intrinsics:
    """
    Return a pinhole of the given size: focal length 0.6 to 1.2 of the width.

    :param focal: focal length in pixels; then nothing is drawn and the centre is the middle.
    """
    if focal is not None:
        return Intrinsics(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    ratio = rng.uniform(.75, 1.05) if rng.random() < .8 else rng.uniform(.6, 1.2)
    fx = ratio * width
    return Intrinsics(width, height, fx, fx * rng.uniform(.99, 1.01),
                      (width - 1) / 2 + rng.normal(0, .01) * width,
                      (height - 1) / 2 + rng.normal(0, .01) * width)


def _roll(rng: np.random.Generator, hand: bool) -> float:
    if hand and rng.random() < .12:
        return float(rng.normal(0, math.radians(18)))
    return float(rng.normal(0, math.radians(3 if hand else 1)))


def _close(rng: np.random.Generator, plan: Layout) -> Pose | None:
    """Return a hand-held look at a cluttered surface from 0.4 to 1.8 m."""
    if not plan.targets:
        return None
    x, y, z = plan.targets[int(rng.integers(0, len(plan.targets)))]
    x, y = x + rng.uniform(-.3, .3), y + rng.uniform(-.3, .3)
    distance = rng.uniform(.45, 1.8)
    pitch = -math.radians(rng.uniform(8, 55))
    yaw = rng.uniform(-math.pi, math.pi)
    reach = distance * math.cos(pitch)
    eye = (x - reach * math.cos(yaw), y - reach * math.sin(yaw), z - distance * math.sin(pitch))
    return Pose(*eye, yaw + rng.normal(0, .08), pitch + rng.normal(0, .08), _roll(rng, True))


def _standing(rng: np.random.Generator, plan: Layout, kind: str) -> Pose:
    x, y = rng.uniform(.2, plan.length - .2), rng.uniform(.2, plan.width - .2)
    if kind == 'room':
        z, pitch, hand = rng.uniform(.9, 1.8), rng.uniform(-25, 8), True
    elif kind == 'robot':
        z, pitch, hand = rng.uniform(.15, 1.3), rng.uniform(-20, 15), False
    elif kind == 'floor':
        z, pitch, hand = rng.uniform(.3, 1.3), rng.uniform(-45, -20), False
    else:  # on a wall or below the ceiling
        z = rng.uniform(1.8, max(1.9, min(plan.height - .25, 3.2)))
        pitch, hand = rng.uniform(-45, -8), False
    # Look across the room rather than into the nearest wall.
    aim_x, aim_y = rng.uniform(0, plan.length), rng.uniform(0, plan.width)
    if plan.solids and rng.random() < .6:
        solid = plan.solids[int(rng.integers(0, len(plan.solids)))]
        aim_x, aim_y = (solid.x0 + solid.x1) / 2, (solid.y0 + solid.y1) / 2
    yaw = math.atan2(aim_y - y, aim_x - x) + rng.normal(0, .2)
    return Pose(x, y, z, yaw, math.radians(pitch), _roll(rng, hand))


def draw_poses(rng: np.random.Generator, plan: Layout) -> Iterator[tuple[str, Pose]]:
    """Yield (kind, pose) without end; each is outside walls and furniture."""
    kinds, shares = list(SHARES), list(SHARES.values())
    while True:
        kind = str(rng.choice(kinds, p=shares))
        for _ in range(30):
            pose = _close(rng, plan) if kind == 'close' else _standing(rng, plan, kind)
            if pose is None:
                break
            if plan.free_at(pose.x, pose.y, pose.z, .12 if kind == 'close' else .2):
                yield kind, pose
                break


def worth_keeping(image: NDArray[np.uint8], depth: NDArray[np.float32]) -> bool:
    """
    Return whether a view shows enough to learn from.

    Too near, one flat thing that fills the picture, or hardly any reading: not worth it.
    """
    known = depth[::4, ::4]
    known = known[np.isfinite(known)]
    if known.size < .7 * depth[::4, ::4].size:
        return False
    near, middle, far = np.quantile(known, (.05, .5, .95))
    if near < .25 or middle < .4 or far / near < 1.35:
        return False
    return bool(image[::4, ::4].std() > 12)
