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

"""The path of a robot that drives through a room: smooth, collision-free, at a frame rate."""

import heapq
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.simulation.layout import Layout
from mde_ros.simulation.pose import Pose

CELL = .1  # metres of the planning grid
STEP = .02  # metres between points of the path
TURN_RATE = .9  # rad/s
ACCELERATION = .6  # m/s^2
LEAST_SPEED = .05  # m/s, in the sharpest turns
LEAST_AREA = 1.5  # m^2 of connected free floor that are worth a drive

Path = NDArray[np.float64]


def free_floor(plan: Layout, radius: float) -> NDArray[np.uint8]:
    """Return the largest connected free floor for a robot, 1 = free, rows y, columns x."""
    rows, columns = int(plan.width / CELL), int(plan.length / CELL)
    y, x = (np.mgrid[0:rows, 0:columns] + .5) * CELL
    free = (x > radius) & (x < plan.length - radius) & (y > radius) & (y < plan.width - radius)
    for solid in plan.solids:
        free &= ~((x > solid.x0 - radius) & (x < solid.x1 + radius)
                  & (y > solid.y0 - radius) & (y < solid.y1 + radius))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(free.astype(np.uint8), connectivity=4)
    if len(stats) < 2:
        return np.zeros_like(free, np.uint8)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return (labels == largest).astype(np.uint8)


def _route(free: NDArray[np.uint8], cost: NDArray[np.float32], start: tuple[int, int],
           goal: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the cells of the cheapest way (Dijkstra, eight neighbours)."""
    best = {start: 0.}
    before: dict[tuple[int, int], tuple[int, int]] = {}
    queue = [(0., start)]
    while queue:
        length, cell = heapq.heappop(queue)
        if cell == goal:
            break
        if length > best[cell]:
            continue
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                near = cell[0] + dy, cell[1] + dx
                if (dy or dx) and 0 <= near[0] < free.shape[0] and 0 <= near[1] < free.shape[1] \
                        and free[near]:
                    total = length + math.hypot(dy, dx) * float(cost[near])
                    if total < best.get(near, math.inf):
                        best[near], before[near] = total, cell
                        heapq.heappush(queue, (total, near))
    cells = [goal]
    while cells[-1] != start:
        cells.append(before[cells[-1]])
    return cells[::-1]


def _smooth(points: Path, sigma: float) -> Path:
    """Return evenly spaced points, rounded over ``sigma`` metres, the ends kept."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    along = np.arange(0, lengths[-1], STEP)
    even = np.stack([np.interp(along, lengths, points[:, k]) for k in (0, 1)], 1)
    width = max(1, round(sigma / STEP))
    padded = np.pad(even, ((3 * width, 3 * width), (0, 0)), mode='edge')
    kernel = cv2.getGaussianKernel(6 * width + 1, width).ravel()
    return np.stack([np.convolve(padded[:, k], kernel, 'valid') for k in (0, 1)], 1)


def plan_path(rng: np.random.Generator, plan: Layout, metres: float) -> Path | None:
    """Return points (x, y) every 2 cm of at least ``metres``; None when the room is too full."""
    for radius in (.35, .25):
        free = free_floor(plan, radius)
        if free.sum() * CELL ** 2 >= LEAST_AREA:
            break
    else:
        return None
    clearance = cv2.distanceTransform(np.pad(free, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    cost = (1 + 4 / (1 + clearance)).astype(np.float32)
    cells = np.argwhere(free)
    route = [tuple(int(v) for v in cells[int(rng.integers(0, len(cells)))])]
    length = 0.
    while length < metres:
        here = route[-1]
        # Of a few goals the farthest: a robot goes somewhere.
        goals = cells[rng.integers(0, len(cells), 4)]
        goal = goals[int(np.argmax(np.linalg.norm(goals - here, axis=1)))]
        leg = _route(free, cost, here, (int(goal[0]), int(goal[1])))  # type: ignore[arg-type]
        length += CELL * len(leg)
        route += leg[1:]
    points = (np.array(route, float)[:, ::-1] + .5) * CELL
    return _smooth(points, .12)


def plan_drive(rng: np.random.Generator, plan: Layout, frames: int,
               rate: float) -> list[Pose] | None:
    """
    Return one pose a frame of a robot driving at 0.5 to 1.2 m/s, or None in a full room.

    :param rate: frames a second.
    """
    speed = rng.uniform(.5, 1.2)
    path = plan_path(rng, plan, speed * (frames / rate + 2))
    if path is None or len(path) < 10:
        return None
    heading = np.unwrap(np.arctan2(*np.gradient(path, axis=0).T[::-1]))
    # A turn on the spot at a goal becomes a short arc: the heading follows gently.
    width = round(.2 / STEP)
    kernel = np.ones(width) / width
    for _ in range(2):
        heading = np.convolve(np.pad(heading, (width // 2, width - 1 - width // 2), 'edge'),
                              kernel, 'valid')
    bend = np.abs(np.gradient(heading)) / STEP
    limit = np.clip(TURN_RATE / np.maximum(bend, 1e-6), LEAST_SPEED, speed)
    limit[0] = LEAST_SPEED
    for k in range(1, len(limit)):
        limit[k] = min(limit[k], math.sqrt(limit[k - 1] ** 2 + 2 * ACCELERATION * STEP))
    for k in range(len(limit) - 2, -1, -1):
        limit[k] = min(limit[k], math.sqrt(limit[k + 1] ** 2 + 2 * ACCELERATION * STEP))
    seconds = np.concatenate([[0], np.cumsum(STEP / limit[1:])])
    wanted = np.arange(frames) / rate
    height, tilt = rng.uniform(.4, 1.), math.radians(rng.uniform(-20, -4))
    shake = _shake(rng, frames, rate)
    x, y, yaw = (np.interp(wanted, seconds, v) for v in (path[:, 0], path[:, 1], heading))
    return [Pose(float(x[k]), float(y[k]), height + float(.002 * shake[k, 0]), float(yaw[k]),
                 tilt + float(.004 * shake[k, 1]), float(.004 * shake[k, 2]))
            for k in range(frames)]


def _shake(rng: np.random.Generator, frames: int, rate: float) -> Path:
    """Return frames x 3 numbers of about -1 to 1 that change within a tenth of a second."""
    keep = math.exp(-10 / rate)
    state, rows = rng.normal(0, 1, 3), []
    for _ in range(frames):
        state = keep * state + math.sqrt(1 - keep ** 2) * rng.normal(0, 1, 3)
        rows.append(state)
    return np.clip(np.array(rows).reshape(-1, 3), -2, 2)
